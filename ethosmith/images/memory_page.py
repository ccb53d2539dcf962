# SPDX-License-Identifier: Apache-2.0
"""Write NAME.htm: one page that shows what sits in which memory region of an image.

The page needs nothing but itself. It says the same for the same image on every machine:
no time, no absolute path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.terminal import human_size, percent
from ethosmith.descriptors.platform import Platform
from ethosmith.images.elf import Elf, SymbolTable, read_symbols
from ethosmith.images.link_map import LinkMap
from ethosmith.images.stack import StackEstimate, estimate, exception_handlers, read_functions
from ethosmith.images.symbols import OriginRow, SymbolRow, origin_rows, symbol_rows
from ethosmith.images.usage import CLASSES, RegionUsage, measure
from ethosmith.lib import web_page

_TEMPLATE = Path(__file__).with_name("memory_page.htm.j2")
SYMBOLS_SHOWN = 200
ORIGINS_SHOWN = 200


@dataclass(frozen=True)
class Page:
    """What the page says."""

    image: str
    platform: Platform
    usages: tuple[RegionUsage, ...]
    symbols: Mapping[str, tuple[SymbolRow, ...]]
    origins: tuple[OriginRow, ...]
    discarded_bytes: int | None
    stack_bytes: int
    stack: StackEstimate | None


def page_of(image: Elf, platform: Platform, link_map: LinkMap) -> Page:
    """Gather what the page says.

    Args:
        image: the linked image.
        platform: gives the regions.
        link_map: the map of the same link.

    Raises:
        EthosmithError: a section lies outside the regions, or the symbols are damaged.
    """
    symbols = read_symbols(image)
    rows = symbol_rows(image, symbols.sized, platform.regions, link_map)
    return Page(
        image=image.path.name,
        platform=platform,
        usages=measure(image, platform.regions, link_map),
        symbols={
            region.name: tuple(row for row in rows if row.region == region.name)
            for region in platform.regions
        },
        origins=origin_rows(image, link_map),
        discarded_bytes=link_map.discarded_bytes,
        stack_bytes=_stack_bytes(image),
        stack=_stack_estimate(image, symbols),
    )


def _stack_bytes(image: Elf) -> int:
    return sum(item.size_bytes for item in image.sections if item.name.startswith(".stack"))


def _stack_estimate(image: Elf, symbols: SymbolTable) -> StackEstimate | None:
    functions = read_functions(image, symbols)
    return estimate(functions, image.entry_address & ~1, exception_handlers(image))


def render(page: Page, report: str = "") -> str:
    """Return the page's HTML.

    Args:
        page: what it says.
        report: the name of the image's page in the report, to link to; empty: it has none.
    """
    values = {
        "page": page,
        "report": report,
        "class_index": {name: index for index, name in enumerate(CLASSES)},
        "symbols_shown": SYMBOLS_SHOWN,
        "origins_shown": ORIGINS_SHOWN,
    }
    return web_page.page_of(_TEMPLATE, values, {"human": human_size, "share": _share})


def _share(part: int, whole: int) -> str:
    """Return the part in percent; what is there but small is not called 0."""
    value = percent(part, whole)
    return "<0.01" if 0 < value < 0.01 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
