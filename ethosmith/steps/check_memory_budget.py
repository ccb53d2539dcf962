# SPDX-License-Identifier: Apache-2.0
"""Compare the bytes of an image with the budgets of its descriptor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_json
from ethosmith.images.regions import RAM_CLASSES, flash_and_ram
from ethosmith.steps.step import Input, OptionalInput, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.images.symbols import SymbolRow

_REGIONS = "regions"
_SHORT = {"flash_bytes": "flash", "ram_bytes": "RAM"}


@step(verb="BUDGET", packages=("pydantic", "pydantic-core", "pyelftools", "pyyaml"))
class CheckMemoryBudget(Step):
    """Check that an image uses no more flash, RAM and bytes of a region than its budgets allow.

    Attributes:
        usecase: the usecase.yaml, for the place of a limit.
        limits: each with its `location` in that file, a list that ends in `flash_bytes`,
            `ram_bytes` or `regions` and a region, and the bytes that are `allowed`.
        usage: of the step measure-size.
        axf: the image, for the largest symbol.
        map: the linker's map; without it no symbol is named.
        platform: the platform.yaml.
        output: what is used and allowed, JSON.
    """

    usecase: Input
    limits: tuple[Mapping[str, Any], ...]
    usage: Input
    axf: Input
    map: OptionalInput = None
    platform: Input
    output: Output

    def run(self) -> None:
        """Compare, and write the figures if every limit is kept.

        Raises:
            EthosmithError: a limit is exceeded; names each with the largest symbol.
        """
        regions = read_json(self.usage)["regions"]
        found = [{**limit, "used": used_bytes(limit["location"], regions)} for limit in self.limits]
        problems = [self._problem(one) for one in found if one["used"] > one["allowed"]]
        if problems:
            raise EthosmithError("; ".join(problems))
        write_json(self.output, found)

    def _problem(self, limit: Mapping[str, Any]) -> str:
        from ethosmith.descriptors.load import error_at

        location = tuple(limit["location"])
        used, allowed = limit["used"], limit["allowed"]
        what = location[-1] if _REGIONS in location else _SHORT[location[-1]]
        message = (
            f"{self.axf.name}: {what} {used:,} bytes, budget {allowed:,}"
            f" ({used - allowed:,} too many){self._largest(location)}"
        )
        return str(error_at(self.usecase, location, message))

    def _largest(self, location: Sequence[str | int]) -> str:
        if self.map is None:
            return ""
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.images.elf import read_image, read_symbols
        from ethosmith.images.link_map import read_link_map
        from ethosmith.images.symbols import symbol_rows

        image = read_image(self.axf)
        link_map = read_link_map(self.map, [section.name for section in image.sections])
        regions = load_platform(self.platform).regions
        rows = symbol_rows(image, read_symbols(image).sized, regions, link_map)
        row = next((row for row in rows if _counts(row, location)), None)
        if row is None:
            return ""
        return f"; largest: {row.name}, {row.size_bytes:,} bytes of {row.section_class}"


def used_bytes(location: Sequence[str | int], regions: Sequence[Mapping[str, Any]]) -> int:
    """Return the bytes that a limit counts.

    Args:
        location: of the limit, as `CheckMemoryBudget.limits` has it.
        regions: of the step measure-size.
    """
    if _REGIONS in location:
        return sum(r["used_bytes"] for r in regions if r["region"] == location[-1])
    flash, ram = flash_and_ram(regions)
    return flash if location[-1] == "flash_bytes" else ram


def _counts(row: SymbolRow, location: Sequence[str | int]) -> bool:
    if _REGIONS in location:
        return row.region == location[-1]
    return (row.section_class in RAM_CLASSES) == (location[-1] == "ram_bytes")
