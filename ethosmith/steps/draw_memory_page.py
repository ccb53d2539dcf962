# SPDX-License-Identifier: Apache-2.0
"""NAME.htm: one page that shows what lies in which memory region of an image."""

from __future__ import annotations

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step


@step(verb="PAGE", packages=("jinja2", "pydantic", "pydantic-core", "pyelftools", "pyyaml"))
class DrawMemoryPage(Step):
    """Draw a page that shows what lies in which memory region of an image.

    Attributes:
        axf: the linked image.
        map: the linker's map of that image.
        platform: the platform.yaml.
        report: the name of the image's page in the report, to link to; empty: it has none.
        output: the page, HTML.
    """

    axf: Input
    map: Input
    platform: Input
    report: str = ""
    output: Output

    def run(self) -> None:
        """Read the image and its map, and write the page."""
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.images.elf import read_image
        from ethosmith.images.link_map import read_link_map
        from ethosmith.images.memory_page import page_of, render

        image = read_image(self.axf)
        link_map = read_link_map(self.map, [section.name for section in image.sections])
        page = page_of(image, load_platform(self.platform), link_map)
        write_text(self.output, render(page, self.report))
