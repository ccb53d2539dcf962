# SPDX-License-Identifier: Apache-2.0
"""report.htm: every image that was built and ran, side by side."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.files import write_text
from ethosmith.steps.step import Inputs, Output, Step, step


@step(verb="REPORT", packages=("jinja2", "markupsafe", "pygal"), cacheable=False)
class WriteReportIndex(Step):
    """Write the index page: every image that was built and ran, side by side.

    Attributes:
        pages: those of the images of this build; images of earlier builds are in the index too.
        build: the build folder.
        usecases: all of the project; an image of another one is of a use case that is gone.
        history: the folder of the figures of the builds before.
        project: the commit of the project; empty: it has none.
        output: the page, HTML.
    """

    pages: Inputs
    build: Path
    usecases: tuple[str, ...]
    history: Path
    project: str
    output: Output

    def run(self) -> None:
        """Gather the figures of all images and write the page."""
        from ethosmith.report.changes import diff_of
        from ethosmith.report.comparison import built_figures
        from ethosmith.report.history import History
        from ethosmith.report.index import index_text

        history = History(self.history)
        images = [
            (figures, diff_of(figures, history, self.build, None))
            for figures in built_figures(self.build, self.usecases)
        ]
        write_text(self.output, index_text(images, self.output.parent, self.project))
