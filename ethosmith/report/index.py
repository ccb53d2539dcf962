# SPDX-License-Identifier: Apache-2.0
"""Write report.htm: every image that was built and ran, side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ethosmith.core.terminal import human_size
from ethosmith.report.changes import change_in_brief
from ethosmith.report.comparison import Figures
from ethosmith.report.diff import ImageDiff
from ethosmith.report.pages import BarChart, render

TEMPLATE = "index.htm.j2"
_UNKNOWN = "\N{EN DASH}"
# Of an image: its figures, and how they differ from the build before.
Shown = tuple[Figures, ImageDiff | None]
# Shown where they tell the images apart.
_IF_DIFFERENT = ("Target", "Runtime", "Ran on")
# Shown where runtimes are compared: the network is the same, and what is around it differs.
_IF_RUNTIMES = ("Flash", "RAM")


@dataclass(frozen=True)
class Cell:
    """A text, and the number that it is sorted by."""

    text: str
    value: float = -1


@dataclass(frozen=True)
class Column:
    """A column of a table, of numbers or of texts."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Row:
    """One image.

    Attributes:
        title: the NPU.
        page: where the image's page is, from this one; of an image without one, its memory's.
        words: what a filter finds it by.
        cells: by the title of the column.
    """

    title: str
    page: str
    words: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class UseCaseRows:
    """The images of one use case, and a chart that compares those on an NPU."""

    usecase: str
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    chart: BarChart | None


def index_text(images: Sequence[Shown], folder: Path, project: str = "") -> str:
    """Return the page's HTML.

    Args:
        images: all, those of one use case together, with how they differ from the build before.
        folder: where the page will be.
        project: the commit of the project; empty: it has none.
    """
    grouped = groupby(images, key=lambda image: image[0].usecase_name)
    groups = [
        _group(number, usecase, list(members), folder)
        for number, (usecase, members) in enumerate(grouped, start=1)
    ]
    simulators = {figures.simulator for figures, _ in images}
    return render(
        TEMPLATE,
        groups=groups,
        count=len(images),
        project=project,
        simulator=simulators.pop() if len(simulators) == 1 else "",
    )


def _group(number: int, usecase: str, images: Sequence[Shown], folder: Path) -> UseCaseRows:
    cells = [_cells(figures, diff) for figures, diff in images]
    return UseCaseRows(
        usecase=usecase,
        rows=tuple(
            _row(figures, row, folder) for (figures, _), row in zip(images, cells, strict=True)
        ),
        columns=tuple(_columns(cells)),
        chart=_chart(f"chart-{number}", [figures for figures, _ in images]),
    )


def _columns(rows: Sequence[Mapping[str, Cell]]) -> Iterator[Column]:
    """Yield the columns that tell something."""
    several_runtimes = len({row["Runtime"] for row in rows}) > 1
    for title in rows[0]:
        found = {row[title] for row in rows}
        is_same = title in _IF_DIFFERENT and len(found) == 1
        is_beside = title in _IF_RUNTIMES and not several_runtimes
        if any(cell.text not in ("", _UNKNOWN) for cell in found) and not (is_same or is_beside):
            yield Column(title, is_number=any(cell.value >= 0 for cell in found))


def _row(figures: Figures, cells: Mapping[str, Cell], folder: Path) -> Row:
    words = [figures.npu, *(cell.text for cell in cells.values())]
    return Row(figures.npu, _page(figures, folder), " ".join(words), cells)


def _cells(figures: Figures, diff: ImageDiff | None) -> dict[str, Cell]:
    """Return what is known of an image, by the titles of the columns."""
    estimate, beats, on_npu = figures.estimate, figures.beats, figures.on_npu
    return {
        "Own files": Cell(" ".join(figures.own_files)),
        "Memory mode": Cell(figures.memory_mode),
        "Target": Cell(figures.target),
        "Runtime": Cell(figures.runtime),
        "NPU cycles, last run": _number(figures.npu_cycles if on_npu else None),
        "Cycles, Vela": _number(estimate.cycles if estimate else None),
        "Time in ms, Vela": _time(1000 * estimate.seconds if estimate else None),
        "Beats, AXI0 rd + wr": _number(beats["axi0_rd"] + beats["axi0_wr"] if on_npu else None),
        "Beats, AXI1 rd": _number(beats["axi1_rd"] if on_npu else None),
        "Beats, AXI1 wr": _number(beats.get("axi1_wr") if on_npu else None),
        "CPU instructions": _number(figures.cpu_instructions),
        "SRAM": _size(figures.used_bytes.get("SRAM", 0)),
        "DDR": _size(figures.used_bytes.get("DDR", 0)),
        "Flash": _size(figures.flash_bytes),
        "RAM": _size(figures.ram_bytes),
        "Since the build before": Cell(change_in_brief(diff)),
        "Ran on": Cell(figures.simulator),
        "Commit": Cell(figures.revision[:10]),
    }


def _number(value: int | None) -> Cell:
    return Cell(_UNKNOWN) if value is None else Cell(f"{value:,}", value)


def _time(value_ms: float | None) -> Cell:
    return Cell(_UNKNOWN) if value_ms is None else Cell(f"{value_ms:.3f}", value_ms)


def _size(size_bytes: int) -> Cell:
    return Cell(human_size(size_bytes), size_bytes)


def _chart(identifier: str, members: Sequence[Figures]) -> BarChart | None:
    """Return the chart of those on an NPU; None if there are none."""
    found = [(item, item.estimate) for item in members if item.estimate is not None]
    if not found:
        return None
    targets, runtimes = ({getattr(item, key) for item in members} for key in ("target", "runtime"))
    labels = [
        " ".join(
            [
                *([item.target] if len(targets) > 1 else []),
                *(item.accelerator_config, item.memory_mode),
                *([item.runtime] if len(runtimes) > 1 else []),
                *item.own_files,
            ]
        )
        for item, _ in found
    ]
    return BarChart(
        identifier=identifier,
        title="NPU time of one inference by configuration",
        unit="cycles",
        labels=labels,
        series={
            "last run": [item.npu_cycles for item, _ in found],
            "Vela's estimate": [estimate.cycles for _, estimate in found],
        },
    )


def _page(item: Figures, folder: Path) -> str:
    """Return where the image's page is, seen from ``folder``; nothing if there is none."""
    pages = (Path(f"{item.stem}{suffix}") for suffix in ("_report.htm", ".htm"))
    page = next((path for path in pages if path.is_file()), None)
    return Path(os.path.relpath(page, folder)).as_posix() if page else ""
