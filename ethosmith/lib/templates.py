# SPDX-License-Identifier: Apache-2.0
"""Render jinja2 templates: each is a file beside the module that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2

Filters = Mapping[str, Callable[..., Any]]


def text_of(template: Path, values: Mapping[str, Any]) -> str:
    """Return what ``template`` makes of ``values``; a name that is not among them is an error."""
    return rendered((template.parent,), template.name, values)


def rendered(
    folders: tuple[Path, ...],
    template: str,
    values: Mapping[str, Any],
    filters: Filters | None = None,
    *,
    escaped: bool = False,
) -> str:
    """Return what a template makes of ``values``.

    Args:
        folders: where it, and the templates that it names, are looked for.
        template: its file's name.
        values: by name.
        filters: by the names that the template calls them by.
        escaped: the template is HTML, so texts among the values are escaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=escaped,  # noqa: S701 - not all that is rendered is HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters or {})
    return environment.get_template(template).render(values)
