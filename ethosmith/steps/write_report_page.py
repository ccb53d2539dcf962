# SPDX-License-Identifier: Apache-2.0
"""NAME_report.htm: what one image is, how it was made, and how it ran."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text
from ethosmith.steps.step import Input, OptionalInput, Output, Step, Unsigned, step


@step(
    verb="REPORT",
    packages=(
        "jinja2",
        "markupsafe",
        "pydantic",
        "pydantic-core",
        "pyelftools",
        "pygal",
        "pyyaml",
        "squarify",
    ),
    cacheable=False,
)
class WriteReportPage(Step):
    """Write the page of one image: what it is, how it was made, and how it ran.

    Attributes:
        pipeline: the steps that made it, JSON.
        manifest: of the step write-manifest.
        result: of the run.
        verified: of the step compare-run.
        axf: the linked image.
        platform: the platform.yaml.
        map: the linker's, if the image was linked here.
        per_layer: of the step compile-with-vela.
        layers: of the step measure-layers; none: they cannot be measured.
        stages: of the step compare-stages, if they were measured.
        accuracy: of the step judge-accuracy, if it was measured.
        index: the index page, to link to.
        history: the folder of the figures of the builds before.
        project: the commit of the project; empty: it has none.
        output: the page, HTML.
    """

    pipeline: Input
    manifest: Input
    result: Input
    verified: Input
    axf: Input
    platform: Input
    map: OptionalInput = None
    per_layer: OptionalInput = None
    layers: OptionalInput = None
    stages: OptionalInput = None
    accuracy: OptionalInput = None
    index: Path
    history: Unsigned[Path]
    project: Unsigned[str] = ""
    output: Output

    def run(self) -> None:
        """Gather the figures and write the page."""
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.images.elf import read_image
        from ethosmith.images.link_map import LinkMap, read_link_map
        from ethosmith.images.memory_page import page_of
        from ethosmith.report.changes import diff_of
        from ethosmith.report.comparison import figures_of
        from ethosmith.report.history import History
        from ethosmith.report.page import Past, page_text
        from ethosmith.report.vela_figures import read_layers

        stem = self.axf.with_suffix("")
        figures = figures_of([stem])
        if not figures:
            raise EthosmithError(
                f"{stem}_verified.json: the image has not run, or on an FVP that counted"
                " nothing; run it: scons run"
            )
        image = read_image(self.axf)
        names = [section.name for section in image.sections]
        link_map = read_link_map(self.map, names) if self.map else LinkMap((), 0)
        history = History(self.history)
        diff = diff_of(figures[0], history, self.history.parent, self.accuracy)
        text = page_text(
            figures[0],
            {name: _read(path) for name, path in self._data().items()},
            read_layers(self.per_layer) if self.per_layer else [],
            page_of(image, load_platform(self.platform), link_map),
            Path(os.path.relpath(self.index, self.output.parent)).as_posix(),
            Past(diff, history, self.project),
        )
        write_text(self.output, text)

    def _data(self) -> dict[str, Path]:
        found = {
            "pipeline": self.pipeline,
            "manifest": self.manifest,
            "result": self.result,
            "verified": self.verified,
        }
        asked = {"accuracy": self.accuracy, "layers": self.layers, "stages": self.stages}
        return found | {name: path for name, path in asked.items() if path is not None}


def _read(path: Path) -> Any:
    return read_json(path)
