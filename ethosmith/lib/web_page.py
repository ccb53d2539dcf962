# SPDX-License-Identifier: Apache-2.0
"""Render pages for the browser: one file each, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethosmith.lib.templates import Filters, rendered


def page_of(template: Path, values: Mapping[str, Any], filters: Filters) -> str:
    """Return the HTML that ``template`` makes of ``values``, whose texts are escaped.

    It may name templates beside it, and those that all pages share: they are beside this module.

    Args:
        template: a file.
        values: by name; one that is missing is an error.
        filters: by the names that the template calls them by.
    """
    folders = (template.parent, Path(__file__).parent)
    return rendered(folders, template.name, values, filters, escaped=True)
