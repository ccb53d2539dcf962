# SPDX-License-Identifier: Apache-2.0
"""Name the function in which an address lies, for messages."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError


def place(axf: Path | None, address: int) -> str:
    """Return the address in hexadecimal, and its function if the ELF file names one."""
    name = _function(axf, address) if axf is not None else None
    return f"0x{address:08x}" + (f" in {name}" if name else "")


def _function(axf: Path, address: int) -> str | None:
    from ethosmith.images.elf import read_image, read_symbols  # noqa: PLC0415 - failures only

    try:
        symbols = read_symbols(read_image(axf)).sized
    except EthosmithError:
        return None  # a file without usable symbols still has addresses
    for symbol in symbols:
        if symbol.is_function and symbol.address <= address < symbol.address + symbol.size_bytes:
            return symbol.name
    return None
