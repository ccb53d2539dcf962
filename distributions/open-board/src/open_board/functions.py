# SPDX-License-Identifier: Apache-2.0
"""A program's symbol table: functions by name for counting, and by address for messages."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosu_model.errors import did_you_mean
from open_board.errors import BoardError
from open_board.files import open_regular, size_of

# What pyelftools lets escape on a damaged file, beside its own errors.
_NONSENSE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True)
class Function:
    """A function with a size; bit 0 of its address, which only says Thumb, is cleared."""

    name: str
    address: int
    size_bytes: int


def read_functions(axf: Path, kind: str = "STT_FUNC") -> list[Function]:
    """Return the functions that an ELF file names, or its objects (STT_OBJECT), by address.

    Raises:
        BoardError: The file cannot be read, or is damaged.
    """
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - failures and counting only
    from elftools.construct import ConstructError  # noqa: PLC0415
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    damaged = (ELFError, ConstructError, *_NONSENSE)
    try:
        size_bytes = size_of(axf)
        with open_regular(axf) as file:
            return sorted(
                _functions(ELFFile(file), size_bytes, kind), key=lambda item: item.address
            )
    except damaged as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BoardError(f"{axf}: damaged ELF file: {reason}; build it again") from None


def _functions(elf: Any, file_bytes: int, kind: str) -> set[Function]:
    found = set()
    for table in elf.iter_sections("SHT_SYMTAB"):
        if table["sh_offset"] + table["sh_size"] > file_bytes:
            raise ValueError("a symbol table ends behind the file's end")
        for symbol in table.iter_symbols():
            if symbol["st_info"]["type"] != kind or symbol["st_shndx"] == "SHN_UNDEF":
                continue
            if symbol.name and symbol["st_size"]:
                found.add(Function(symbol.name, symbol["st_value"] & ~1, symbol["st_size"]))
    return found


def entry_of(axf: Path, function: str) -> int:
    """Return the address of ``function``, as it is called in the symbol table of ``axf``.

    Raises:
        BoardError: It is not there, or the file has no symbols.
    """
    symbols = {item.name: item.address for item in read_functions(axf)}
    if function not in symbols:
        hint = did_you_mean(function, symbols)
        raise BoardError(f"{axf} has no function '{function}'{hint}")
    return symbols[function]


def place(axf: Path | None, address: int) -> str:
    """Return the address in hexadecimal, and its function if the ELF file names one."""
    name = _function_at(axf, address) if axf is not None else None
    return f"0x{address:08x}" + (f" in {name}" if name else "")


def data_place(axf: Path | None, address: int) -> str:
    """Return the address in hexadecimal, and the variable that lies there if the file names one."""
    found = _symbol_at(axf, address, "STT_OBJECT") if axf is not None else None
    if found is None:
        return f"0x{address:08x}"
    return f"0x{address:08x} ({found.name} + {address - found.address})"


def _function_at(axf: Path, address: int) -> str | None:
    found = _symbol_at(axf, address, "STT_FUNC")
    return found.name if found is not None else None


def _symbol_at(axf: Path, address: int, kind: str) -> Function | None:
    try:
        symbols = read_functions(axf, kind)
    except BoardError:
        return None  # a file without usable symbols still has addresses
    for item in symbols:
        if item.address <= address < item.address + item.size_bytes:
            return item
    return None
