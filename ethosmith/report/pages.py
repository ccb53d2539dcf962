# SPDX-License-Identifier: Apache-2.0
"""Render the report's pages: one file each, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from ethosmith.core.terminal import human_size

# The script for tables is shared with the page of an image's memory.
_FOLDERS = (Path(__file__).parent, Path(__file__).parents[1] / "images")


def render(template: str, **values: Any) -> str:
    """Return the HTML of ``template``, a file beside this module."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDERS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["human"] = human_size
    environment.filters["number"] = lambda value: f"{value:,}"
    return environment.get_template(template).render(**values)
