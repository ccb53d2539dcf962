# SPDX-License-Identifier: Apache-2.0
"""What sets images side by side: the pages of the target ``report``, the table of ``sweep``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.files import write_text
from ethosmith.core.terminal import Look
from ethosmith.graph.accuracy import accuracy_result, measured_accuracy, measured_images
from ethosmith.graph.build import Build, Made
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.desk import HISTORY, commit_text
from ethosmith.graph.images import Image
from ethosmith.graph.layers import layers_file
from ethosmith.graph.layout import BUILD, SelectedUseCase, image_file
from ethosmith.graph.models import CompiledNetwork
from ethosmith.graph.stages import stages_file
from ethosmith.graph.summary import BuiltImage

_TARGET = "report"
_INDEX = BUILD / "report.htm"
# Too many to draw, or about the image rather than on the way to it.
_NOT_DRAWN = ("CC", "CXX", "AR", "MANIFEST", "PAGE", "SIZE")


def image_report(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Image,
    compiled: CompiledNetwork,
    result: Path,
    verified: Path,
) -> None:
    """Declare the page of one image, if the report is asked for.

    Args:
        build: where it is declared.
        usecase: what the image does.
        configuration: for which NPU.
        image: its files.
        compiled: what Vela says of the network.
        result: what the device said.
        verified: what was compared.
    """
    if _TARGET not in build.session.targets or image.is_program:
        return
    from ethosmith.steps.write_pipeline import WritePipeline
    from ethosmith.steps.write_report_page import WriteReportPage

    way = tuple(_pipeline(build, [verified, *image.all]))
    pipeline = image_file(usecase, configuration, "_pipeline.json")
    page = build.add(
        WriteReportPage(
            pipeline=build.add(WritePipeline(steps=way, output=pipeline)).output,
            manifest=image_file(usecase, configuration, "_manifest.json"),
            result=result,
            verified=verified,
            axf=image.axf,
            platform=build.platform.path,
            map=image.map,
            per_layer=compiled.per_layer,
            layers=layers_file(build, usecase, configuration),
            stages=stages_file(build, usecase, configuration),
            accuracy=accuracy_result(build, usecase, configuration),
            index=_INDEX,
            history=HISTORY,
            project=commit_text(build.project.root),
            output=image_file(usecase, configuration, "_report.htm"),
        )
    )
    # How long the steps took is no property of an image, and changes with every build.
    build.engine.always([page.output])
    build.engine.alias(_TARGET, [path for path in (page.output, image.page) if path])


def declare_index(build: Build) -> None:
    """Declare the target ``report``: all pages, then the index of everything that is built."""
    if _TARGET not in build.session.targets:
        return
    pages = tuple(path for path in build.made if path.name.endswith("_report.htm"))
    from ethosmith.steps.write_report_index import WriteReportIndex

    index = build.add(
        WriteReportIndex(
            pages=pages,
            build=BUILD,
            usecases=build.project.usecase_names,
            history=HISTORY,
            project=commit_text(build.project.root),
            output=_INDEX,
        )
    )
    # Images of earlier builds are in the index too, so it is written whenever it is asked for.
    build.engine.always([index.output])
    build.engine.alias(_TARGET, [*pages, index.output])
    build.show_after(_TARGET, _say)


def _say() -> None:
    sys.stdout.write(f"\nOpen {_INDEX} in a browser.\n")


def _pipeline(build: Build, targets: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the steps on the way to ``targets``, what is needed first, as plain data."""
    steps: list[dict[str, Any]] = []
    drawn: dict[int, frozenset[int]] = {}
    for made in build.way_to(targets):
        needed = (build.made.get(path) for path in made.inputs)
        needs = frozenset(index for one in needed if one for index in drawn.get(id(one), ()))
        if not _is_drawn(made):
            drawn[id(made)] = needs
            continue
        drawn[id(made)] = frozenset({len(steps)})
        steps.append(
            {
                "verb": made.verb,
                "name": made.title,
                "command": _command(made),
                "inputs": sorted({path.as_posix() for path in made.inputs}),
                "outputs": [path.as_posix() for path in made.outputs],
                "needs": sorted(needs),
            }
        )
    return steps


def _is_drawn(made: Made) -> bool:
    return made.verb not in _NOT_DRAWN and not made.outputs[0].is_relative_to(BUILD / "packages")


def _command(made: Made) -> str:
    if made.step is None or made.facts is None:
        return made.command
    words = [word for name, value in made.facts.options.items() for word in _words(name, value)]
    return shlex.join(["ethosmith", "step", made.step.name(), *words])


def _words(name: str, value: Any) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if value is None or value == []:
        return []
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [option, *value]
    return [option, json.dumps(value) if isinstance(value, Mapping | list) else str(value)]


def declare_sweep(build: Build) -> None:
    """Declare the target ``sweep``: run every image, then show the table."""
    _ = build.session.sweep_budgets  # a wrong one is an error before anything is built
    if "sweep" not in build.session.targets:
        return
    files = {image.axf: _files(image) for image in build.images}
    # Whichever of the two targets is named first, the table shows what was measured.
    measured = [path for _, path in measured_images(build)]
    build.engine.alias("sweep", [path for paths in files.values() for path in paths] + measured)
    shown: list[bool] = []

    def show() -> None:
        shown.append(True)
        _show_sweep(build, build.images)

    build.show_after("sweep", show)
    if build.engine.is_dry:
        return

    def show_done() -> None:
        """Show what ran, where something failed: with -k, that is all the others."""
        if build.engine.has_failed() and not shown:
            done = [i for i in build.images if all(map(build.engine.is_done, files[i.axf]))]
            _show_sweep(build, done)

    build.engine.at_exit(show_done)


def _files(image: BuiltImage) -> list[Path]:
    return [Path(image.verified), image.manifest]


def _show_sweep(build: Build, images: Sequence[BuiltImage]) -> None:
    from ethosmith.core.table import note
    from ethosmith.report.comparison import figures_of
    from ethosmith.report.pareto import Candidate, best_text, pareto
    from ethosmith.report.sweep import csv_text, json_text, plot_svg, table_text

    figures = figures_of([Path(image.axf).with_suffix("") for image in images])
    found = [Candidate(one, measured_accuracy(build, one.stem)) for one in figures]
    table, plot = BUILD / "sweep.csv", BUILD / "sweep.svg"
    left_out = [*build.session.left_out, *_not_run(build, images)]
    budgets = build.session.sweep_budgets
    document = json_text(found, left_out, budgets)
    write_text(table, csv_text(found))
    write_text(table.with_suffix(".json"), document)
    write_text(plot, plot_svg(found, pareto(found)))
    if build.session.answers_json:
        build.answer(document)
        return
    look = Look.of(sys.stdout)
    build.answer(f"\n{table_text(found, left_out, look)}")
    if len(found) > 1 or budgets:
        build.answer(best_text(found, budgets))
    written = f"Written to {table}, .json and {plot}. For pages add the target report."
    build.answer(note(written, look))


def _not_run(build: Build, images: Sequence[BuiltImage]) -> list[str]:
    """Return a line for each image of the build that is not among ``images``, with the reason."""
    ran = {image.axf for image in images}
    lines = []
    for image in build.images:
        if image.axf not in ran:
            reasons = (build.engine.reason(path) for path in _files(image))
            reason = next(filter(None, reasons), "the build stopped before")
            lines.append(f"{image.usecase} on {image.configuration.title}: {reason}")
    return lines
