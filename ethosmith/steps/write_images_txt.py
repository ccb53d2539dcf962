# SPDX-License-Identifier: Apache-2.0
"""images.txt: the list by which the MPS3 board's controller loads the binaries."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.files import write_text
from ethosmith.images.card import card_images, card_of, images_txt
from ethosmith.steps.step import Input, Inputs, Output, Step, step


@step(verb="CARD", packages=("pydantic", "pydantic-core", "pyyaml"))
class WriteImagesTxt(Step):
    """Write images.txt, the list by which the MPS3 board's controller loads the binaries.

    Attributes:
        platform: the platform.yaml.
        sectors: the binaries, of the step write-sectors; an empty one is left out of the list.
        folder: where they are.
        output: images.txt.
    """

    platform: Input
    sectors: Inputs
    folder: Path
    output: Output

    def run(self) -> None:
        """Look which binaries have bytes, and write the list."""
        from ethosmith.descriptors.platform import load_platform

        platform = load_platform(self.platform)
        images = card_images(platform.regions, self.folder)
        write_text(self.output, images_txt(card_of(platform), images))
