# SPDX-License-Identifier: Apache-2.0
"""Render the report's pages and their charts: one file each, nothing from elsewhere, no script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pygal
import squarify
from pygal.style import Style

from ethosmith.core.terminal import human_size
from ethosmith.report.progress import duration_text

_FOLDER = Path(__file__).parent


def render(template: str, **values: Any) -> str:
    """Return the HTML of ``template``, a file beside this module."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["human"] = human_size
    environment.filters["duration"] = duration_text
    environment.filters["number"] = lambda value: f"{value:,}"
    return environment.get_template(template).render(**values)


_WIDTH = 700
_ROW_HEIGHT = 30
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
    colors=("var(--bar)", "var(--bar2)", "var(--bar3)", "var(--bar4)"),
    value_colors=("var(--ink)",) * 4,
    font_family="system-ui, sans-serif",
    label_font_size=14,
    major_label_font_size=14,
    value_font_size=13,
    legend_font_size=14,
    opacity="1",
    opacity_hover="1",
    transition="0s",
)


def bars(
    identifier: str, title: str, labels: Sequence[str], series: Mapping[str, Sequence[float | None]]
) -> str:
    """Return horizontal bars, first label on top, as an ``<svg>``.

    Args:
        identifier: unique in the page.
        title: what a screen reader says of it.
        labels: one for each group of bars.
        series: values by name, as many as labels; with several there is a legend.
    """
    several = len(series) > 1
    chart = pygal.HorizontalBar(
        style=_STYLE,
        js=[],
        show_legend=several,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series),
        print_values=True,
        print_values_position="top",
        value_formatter=lambda value: f"{value:,.0f}",
        width=_WIDTH,
        height=90 + 40 * several + _ROW_HEIGHT * len(labels) * max(1, len(series) * 0.8),
        margin=8,
        margin_right=80,
        truncate_label=-1,
        show_y_guides=False,
        min_scale=3,
        max_scale=6,
        include_x_axis=True,
    )
    chart.uuid = identifier
    chart.x_labels = list(reversed(labels))
    for name, values in series.items():
        chart.add(name, list(reversed(values)))
    svg = chart.render(is_unicode=True, disable_xml_declaration=True)
    drawn = _UNWANTED.sub("", svg)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{_attribute(title)}" ', 1)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


@dataclass(frozen=True)
class Tile:
    """A rectangle of a treemap, in percent of its sides."""

    name: str
    kind: str
    size_bytes: int
    left: float
    top: float
    width: float
    height: float


def treemap(parts: Sequence[tuple[str, str, int]], aspect: float = 2.5) -> list[Tile]:
    """Lay out ``parts`` (name, kind, size in bytes; largest first) as a squarified treemap.

    Args:
        parts: sizes above 0.
        aspect: the width of the whole over its height.
    """
    sizes = squarify.normalize_sizes([size for _, _, size in parts], 100 * aspect, 100)
    places = squarify.squarify(sizes, 0, 0, 100 * aspect, 100)
    return [
        Tile(
            name=name,
            kind=kind,
            size_bytes=size,
            left=place["x"] / aspect,
            top=place["y"],
            width=place["dx"] / aspect,
            height=place["dy"],
        )
        for (name, kind, size), place in zip(parts, places, strict=True)
    ]
