# SPDX-License-Identifier: Apache-2.0
"""What the report's pages share: charts, filters, rendering.

Bars are HTML, whose text wraps on a phone; lines of the history are SVG.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygal
from markupsafe import Markup, escape
from pygal.style import Style

from ethosmith.core.terminal import human_size
from ethosmith.lib.web_page import page_of

# Parts of an axis that a reader grasps at once.
_STEPS = (1, 2, 4, 6, 8, 10)
_INTERVALS = 4


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        value: None if it is unknown.
        percent: of the chart's width.
        colour: number of its series.
    """

    value: float | None
    percent: float
    colour: int


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars; first label on top.

    Attributes:
        identifier: unique in the page; any characters but white space.
        title: what is drawn.
        unit: of the values.
        labels: one for each group of bars.
        series: values by name, as many as labels; with several there is a legend.
    """

    identifier: str
    title: str
    unit: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]

    @property
    def end(self) -> float:
        """Where the axis ends."""
        most = max((v for values in self.series.values() for v in values if v), default=0)
        return axis_end(most)

    @property
    def ticks(self) -> list[float]:
        """The numbers at the axis."""
        return [self.end * n / _INTERVALS for n in range(_INTERVALS + 1)]

    @property
    def rows(self) -> list[tuple[str, list[Bar]]]:
        """Each label with its bars."""
        return [
            (label, [self._bar(values[n], colour) for colour, values in enumerate(self._values)])
            for n, label in enumerate(self.labels)
        ]

    @property
    def _values(self) -> list[Sequence[float | None]]:
        return list(self.series.values())

    def _bar(self, value: float | None, colour: int) -> Bar:
        return Bar(value, 100 * (value or 0) / self.end, colour)


def axis_end(most: float) -> float:
    """Return the end of an axis from 0 that ``most`` fits on."""
    if most <= 0:
        return float(_INTERVALS)
    power = 10.0 ** (len(str(int(most))) - 1)
    return next(step * power for step in _STEPS if step * power >= most)


_LINE_WIDTH, _LINE_HEIGHT = 336, 220
# pygal writes the day into a comment, and a script for tool tips that the pages do not use.
_UNWANTED = re.compile(r"<!--.*?-->|<script.*?</script>|<script[^>]*/>", re.DOTALL)
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="var(--ink)",
    foreground_strong="var(--ink)",
    foreground_subtle="var(--soft)",
    guide_stroke_color="var(--line)",
    major_guide_stroke_color="var(--line)",
    colors=("var(--accent)",),
    font_family="system-ui, sans-serif",
    label_font_size=12,
    major_label_font_size=12,
    title_font_size=13,
    opacity="1",
    opacity_hover="1",
    transition="0s",
)


def line(identifier: str, title: str, unit: str, values: Sequence[float | None]) -> Markup:
    """Return one figure of all builds, oldest first, as an ``<svg>`` that fits a phone.

    Args:
        identifier: unique in the page, letters and digits and ``-``.
        title: what is drawn.
        unit: of the values.
        values: None where it was not measured.
    """
    chart = pygal.Line(
        style=_STYLE,
        js=[],
        show_legend=False,
        width=_LINE_WIDTH,
        height=_LINE_HEIGHT,
        margin=4,
        y_title=unit,
        x_title="build, oldest first",
        value_formatter=lambda value: f"{value:,.6g}" if abs(value) < 1 else f"{value:,.0f}",
        x_labels=[str(number) for number in range(1, len(values) + 1)],
        x_labels_major_count=5,
        show_minor_x_labels=False,
        min_scale=3,
        max_scale=5,
        dots_size=2.5,
    )
    chart.uuid = identifier
    chart.add(title, list(values))
    svg = chart.render(is_unicode=True, disable_xml_declaration=True)
    drawn = _UNWANTED.sub("", svg)
    known = [value for value in values if value is not None]
    name = escape(f"{title} in {unit}, {len(values)} builds: from {known[0]:,} to {known[-1]:,}")
    return Markup(drawn.replace("<svg ", f'<svg role="img" aria-label="{name}" ', 1))  # noqa: S704


def render(template: str, **values: Any) -> str:
    """Return the HTML of ``template``, a file beside this module."""
    filters = {"human": human_size, "number": lambda value: f"{value:,}"}
    return page_of(Path(__file__).with_name(template), values, filters)
