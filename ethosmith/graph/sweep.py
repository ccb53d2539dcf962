# SPDX-License-Identifier: Apache-2.0
"""The target ``sweep``: all images side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.files import write_text
from ethosmith.core.terminal import Look
from ethosmith.graph.accuracy import measured_accuracy, measured_images
from ethosmith.graph.build import Build
from ethosmith.graph.layout import BUILD
from ethosmith.graph.summary import BuiltImage


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
