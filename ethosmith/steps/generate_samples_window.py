# SPDX-License-Identifier: Apache-2.0
"""samples_window.c: samples that the simulator puts into memory, in place of the image's own."""

from __future__ import annotations

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step


@step(verb="GENERATE", packages=("pydantic", "pydantic-core", "pyyaml"))
class GenerateSamplesWindow(Step):
    """Generate samples_window.c, with which an image takes its samples from the simulator.

    Attributes:
        usecase: its name, as the device prints it.
        platform: the platform.yaml.
        source: the descriptor, as the file names it.
        output: the C source.
    """

    usecase: str
    platform: Input
    source: str
    output: Output

    def run(self) -> None:
        """Place the window and write the C source."""
        from ethosmith.accuracy.samples_window import window_of, window_source
        from ethosmith.descriptors.platform import load_platform

        window = window_of(load_platform(self.platform))
        write_text(self.output, window_source(self.usecase, window, self.source))
