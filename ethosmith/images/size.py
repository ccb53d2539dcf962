# SPDX-License-Identifier: Apache-2.0
"""Print how full each memory region of an image is: the `size` target."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from ethosmith.core.files import write_json
from ethosmith.core.program import run_step
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.images import command_line
from ethosmith.images.elf import Elf, read_image
from ethosmith.images.link_map import read_link_map
from ethosmith.images.sizes import human_size
from ethosmith.images.usage import RegionUsage, as_json, measure


def usage_of(
    image: Elf, platform: Platform, map_path: Path | None = None
) -> tuple[RegionUsage, ...]:
    """Measure an image; errors as in `measure` and `read_link_map`."""
    names = [section.name for section in image.sections]
    link_map = read_link_map(map_path, names) if map_path else None
    return measure(image, platform.regions, link_map)


def size_table(title: str, usages: Iterable[RegionUsage]) -> Table:
    """Return the table of regions, the parts of each below it."""
    table = Table(title=title, title_justify="left")
    table.add_column("memory region")
    for heading in ("used", "size", "%"):
        table.add_column(heading, justify="right")
    for usage in usages:
        table.add_row(
            usage.region.name,
            f"{usage.used_bytes:,}",
            human_size(usage.region.size_bytes),
            f"{usage.used_percent:.2f}",
            style="bold",
        )
        for name, size_bytes in usage.bytes_by_class.items():
            table.add_row(f"  {name}", f"{size_bytes:,}", "", "")
    return table


def print_sizes(title: str, usages: Iterable[RegionUsage], stream: TextIO) -> None:
    """Print the table to ``stream``; colours only on a terminal."""
    Console(file=stream).print(size_table(title, usages))


def summary(name: str, usages: Iterable[RegionUsage]) -> dict[str, Any]:
    """Return the JSON of one image."""
    return {"image": name, "regions": as_json(usages)}


def main(argv: Sequence[str]) -> None:
    """Print the table of ``--axf``, or write it to ``--json``."""
    options = command_line.parser("size", "Show how full each memory region of an image is.")
    command_line.add_axf(options)
    command_line.add_platform(options)
    options.add_argument("--map", type=Path, help="the linker's map, for a finer division")
    options.add_argument("--json", type=Path, help="write the numbers here instead of showing them")
    args = options.parse_args(argv)
    usages = usage_of(read_image(args.axf), load_platform(args.platform), args.map)
    if args.json:
        write_json(args.json, summary(args.axf.name, usages))
    else:
        print_sizes(args.axf.name, usages, sys.stdout)


if __name__ == "__main__":
    raise SystemExit(run_step(main))
