# SPDX-License-Identifier: Apache-2.0
"""report.htm: every image that was built and ran, side by side."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.files import write_text
from ethosmith.steps.step import Inputs, Output, Step, step


@step(verb="REPORT", packages=("jinja2", "markupsafe", "pygal", "squarify"), cacheable=False)
class WriteReportIndex(Step):
    """Write the index page: every image that was built and ran, side by side.

    Attributes:
        pages: those of the images of this build; images of earlier builds are in the index too.
        build: the build folder.
        output: the page, HTML.
    """

    pages: Inputs
    build: Path
    output: Output

    def run(self) -> None:
        """Gather the figures of all images and write the page."""
        from ethosmith.report.comparison import built_figures
        from ethosmith.report.index import index_text

        write_text(self.output, index_text(built_figures(self.build), self.output.parent))
