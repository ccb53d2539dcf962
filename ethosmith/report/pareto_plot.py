# SPDX-License-Identifier: Apache-2.0
"""The images of a sweep as points: cycles against accuracy or, where that is unknown, flash."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pygal
from pygal.style import CleanStyle

from ethosmith.report.pareto import ACCURACY, CYCLES, FLASH, Candidate

# pygal writes the day into a comment, and a script from elsewhere for tool tips.
_UNWANTED = re.compile(r"<!--.*?-->|<script.*?</script>|<script[^>]*/>", re.DOTALL)


def plot_svg(candidates: Sequence[Candidate], is_best: Sequence[bool]) -> str:
    """Return the plot as SVG; the same candidates give the same bytes.

    Args:
        candidates: those without cycles are left out.
        is_best: of each, whether no other one beats it.
    """
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
