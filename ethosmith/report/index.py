# SPDX-License-Identifier: Apache-2.0
"""Write report.htm: every image that was built and ran, side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from markupsafe import Markup

from ethosmith.report.comparison import Figures
from ethosmith.report.pages import bars, render

TEMPLATE = "index.htm.j2"


@dataclass(frozen=True)
class UseCaseRows:
    """The images of one use case, a chart that compares them, and which columns they need."""

    usecase: str
    rows: tuple[tuple[Figures, str], ...]
    chart: Markup
    runtimes: bool
    instructions: bool


def index_text(figures: Sequence[Figures], folder: Path) -> str:
    """Return the page's HTML.

    Args:
        figures: of all images, those of one use case together.
        folder: where the page will be.
    """
    groups = [
        _rows(usecase, list(members), folder)
        for usecase, members in groupby(figures, key=lambda item: item.usecase)
    ]
    return render(TEMPLATE, groups=groups, count=len(figures))


def _rows(usecase: str, members: Sequence[Figures], folder: Path) -> UseCaseRows:
    return UseCaseRows(
        usecase=usecase,
        rows=tuple((item, _page(item, folder)) for item in members),
        chart=_chart(usecase, members),
        runtimes=len({item.runtime for item in members}) > 1,
        instructions=any(item.cpu_instructions is not None for item in members),
    )


def _chart(usecase: str, members: Sequence[Figures]) -> Markup:
    """Return the chart of those on an NPU; nothing if there are none."""
    found = [(item, item.estimate) for item in members if item.estimate is not None]
    if not found:
        return Markup()
    series: dict[str, list[float | None]] = {
        "last run": [item.npu_cycles for item, _ in found],
        "Vela's estimate": [estimate.cycles for _, estimate in found],
    }
    targets, runtimes = ({getattr(item, key) for item in members} for key in ("target", "runtime"))
    labels = [
        " ".join(
            [
                *([item.target] if len(targets) > 1 else []),
                *(item.accelerator_config, item.memory_mode),
                *([item.runtime] if len(runtimes) > 1 else []),
            ]
        )
        for item, _ in found
    ]
    title = f"{usecase}: cycles by configuration"
    return Markup(bars(f"chart-{usecase}", title, labels, series))  # noqa: S704 our own SVG


def _page(item: Figures, folder: Path) -> str:
    """Return where the image's page is, seen from ``folder``; nothing if there is none."""
    page = Path(f"{item.stem}_report.htm")
    return Path(os.path.relpath(page, folder)).as_posix() if page.is_file() else ""
