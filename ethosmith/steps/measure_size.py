# SPDX-License-Identifier: Apache-2.0
"""Measure how full each memory region of an image is."""

from __future__ import annotations

from ethosmith.core.files import PTE_SUFFIX, write_json
from ethosmith.steps.step import Input, OptionalInput, Output, Step, step


@step(verb="SIZE", packages=("pydantic", "pydantic-core", "pyelftools", "pyyaml"))
class MeasureSize(Step):
    """Measure how full each memory region of an image is.

    Attributes:
        axf: the linked image; an ExecuTorch program alone is in no region yet.
        map: the linker's map, for a finer division.
        platform: the platform.yaml.
        output: used and free bytes of each region, and by kind of content, JSON.
    """

    axf: Input
    map: OptionalInput = None
    platform: Input
    output: Output

    def run(self) -> None:
        """Read the image and write the numbers."""
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.images.elf import read_image
        from ethosmith.images.link_map import read_link_map
        from ethosmith.images.usage import as_json, measure

        if self.axf.suffix == PTE_SUFFIX:
            write_json(self.output, {"image": self.axf.name, "regions": []})
            return
        image = read_image(self.axf)
        names = [section.name for section in image.sections]
        link_map = read_link_map(self.map, names) if self.map else None
        usages = measure(image, load_platform(self.platform).regions, link_map)
        write_json(self.output, {"image": self.axf.name, "regions": as_json(usages)})
