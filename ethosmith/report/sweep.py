# SPDX-License-Identifier: Apache-2.0
"""Set the images of a sweep side by side: for the terminal, as CSV and JSON, and as a plot."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence

from ethosmith.core.table import note, table
from ethosmith.core.terminal import Look
from ethosmith.report.pareto import ACCURACY, CYCLES, FLASH, Candidate, best, pareto

_HEAD = (
    "usecase",
    "target",
    "npu",
    "memory_mode",
    "runtime",
    "npu_cycles",
    "vela_cycles",
    "vela_ms",
    "axi0_rd",
    "axi0_wr",
    "axi1_rd",
    "axi1_wr",
    "cpu_instructions",
    "sram_bytes",
    "ddr_bytes",
    "flash_bytes",
    "ram_bytes",
    "simulator",
    "accuracy",
    "pareto",
)
_TEXT_COLUMNS = 5
# The same for all rows of one call, or told below the table.
_NOT_ON_TERMINAL = frozenset({"target", "simulator"})
# Shown where they tell something: rows that differ, rows that have a value.
_IF_DIFFERENT, _IF_KNOWN = (
    frozenset({"runtime"}),
    frozenset({"axi1_wr", "cpu_instructions", "accuracy"}),
)
# Shown where runtimes are compared: the network is the same, and what is around it differs.
_IF_RUNTIMES = frozenset({"flash_bytes", "ram_bytes"})
_UNKNOWN = "-"
_NOTE = "npu_cycles are the simulator's, vela_* are Vela's estimate; axi* are data beats."
_INSTRUCTIONS_NOTE = "cpu_instructions are counted by QEMU: instructions of the CPU, not cycles."
# pygal writes the day into a comment, and a script from elsewhere for tool tips.
_UNWANTED = re.compile(r"<!--.*?-->|<script.*?</script>|<script[^>]*/>", re.DOTALL)


def _row(candidate: Candidate, *, is_best: bool) -> tuple[str | int | float | None, ...]:
    figures = candidate.figures
    estimate = figures.estimate
    return (
        figures.usecase,
        figures.target,
        figures.accelerator_config,
        figures.memory_mode,
        figures.runtime,
        figures.npu_cycles,
        estimate.cycles if estimate else None,
        round(1000 * estimate.seconds, 4) if estimate else None,
        figures.beats["axi0_rd"],
        figures.beats["axi0_wr"],
        figures.beats["axi1_rd"],
        figures.beats.get("axi1_wr"),
        figures.cpu_instructions,
        figures.used_bytes.get("SRAM", 0),
        figures.used_bytes.get("DDR", 0),
        figures.flash_bytes,
        figures.ram_bytes,
        figures.simulator,
        candidate.accuracy.value if candidate.accuracy else None,
        "yes" if is_best else "no",
    )


def _rows(images: Sequence[Candidate]) -> list[tuple[str | int | float | None, ...]]:
    pairs = zip(images, pareto(images), strict=True)
    return [_row(image, is_best=is_best) for image, is_best in pairs]


def csv_text(images: Sequence[Candidate]) -> str:
    """Return one line per image below a head line; numbers without separators."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_HEAD, *_rows(images)])
    return text.getvalue()


def json_text(
    images: Sequence[Candidate], left_out: Sequence[str], budgets: Mapping[str, float]
) -> str:
    """Return the same as `table_text` for programs; null: unknown.

    ``best`` is the index of the best image within ``budgets``; null: there is none.
    """
    rows = [dict(zip(_HEAD, row, strict=True)) for row in _rows(images)]
    found = best(images, budgets)
    index = None if found is None else list(images).index(found)
    document = {"schema": 1, "images": rows, "left_out": list(left_out), "best": index}
    return json.dumps(document, indent=2) + "\n"


def table_text(images: Sequence[Candidate], left_out: Sequence[str], look: Look) -> str:
    """Return the table for the terminal.

    Args:
        images: those that ran.
        left_out: why combinations are not among them, one line each.
        look: what the output can show.
    """
    rows = [_HEAD, *(tuple(_shown(value) for value in row) for row in _rows(images))]
    kept = [index for index in range(len(_HEAD)) if _is_shown(rows, index)]
    head, *cells = [[row[index] for index in kept] for row in rows]
    simulators = ", ".join(dict.fromkeys(image.figures.simulator for image in images)) or "nothing"
    notes = [f"Ran on: {simulators}. {_NOTE}"]
    if any(image.figures.cpu_instructions is not None for image in images):
        notes.append(_INSTRUCTIONS_NOTE)
    notes += [
        f"{name}: {remark}"
        for name, remark in dict.fromkeys(
            (image.figures.accelerator_config, image.figures.remark) for image in images
        )
        if remark
    ]
    notes += [f"left out: {reason}" for reason in left_out]
    numbers = _HEAD[_TEXT_COLUMNS:]
    return table(head, cells, numbers, look) + "".join(note(text, look) for text in notes)


def _is_shown(rows: Sequence[Sequence[str]], index: int) -> bool:
    name, values = rows[0][index], {row[index] for row in rows[1:]}
    if name in _IF_RUNTIMES:
        return len({row[_HEAD.index("runtime")] for row in rows[1:]}) > 1
    if name == "pareto":
        return len(rows) > 2
    if name in _IF_DIFFERENT:
        return len(values) > 1
    return name not in _NOT_ON_TERMINAL and not (name in _IF_KNOWN and values <= {_UNKNOWN})


def _shown(value: str | float | None) -> str:
    if value is None:
        return _UNKNOWN
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else value


def plot_svg(candidates: Sequence[Candidate], is_best: Sequence[bool]) -> str:
    """Return the plot as SVG; the same candidates give the same bytes.

    Args:
        candidates: those without cycles are left out.
        is_best: of each, whether no other one beats it.
    """
    import pygal  # noqa: PLC0415 slow, and only a plot needs it
    from pygal.style import CleanStyle  # noqa: PLC0415

    drawn = [
        (one, first) for one, first in zip(candidates, is_best, strict=True) if CYCLES in one.costs
    ]
    measured = bool(drawn) and all(one.accuracy for one, _ in drawn)
    chart = pygal.XY(
        stroke=False,
        style=CleanStyle,
        js=[],
        title="Images that no other one beats, and the others",
        x_title="NPU cycles",
        y_title=ACCURACY if measured else f"{FLASH} in bytes",
        width=900,
        height=500,
        show_legend=True,
        legend_at_bottom=True,
        no_data_text="nothing ran",
    )
    chart.uuid = "sweep"
    for title, wanted in (("not beaten", True), ("others", False)):
        chart.add(title, [_point(one, measured) for one, first in drawn if first == wanted])
    return _UNWANTED.sub("", str(chart.render(is_unicode=True)))


def _point(one: Candidate, measured: bool) -> dict[str, object]:
    y = one.accuracy.value if measured and one.accuracy else one.costs[FLASH]
    return {"value": (one.costs[CYCLES], y), "label": one.title}
