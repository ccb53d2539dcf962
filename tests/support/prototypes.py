# SPDX-License-Identifier: Apache-2.0
"""Read C functions' types out of a program's debug information."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

_WORDS = {
    "DW_TAG_const_type": "const",
    "DW_TAG_volatile_type": "volatile",
    "DW_TAG_pointer_type": "*",
}
_NAMED = {"DW_TAG_structure_type": "struct ", "DW_TAG_enumeration_type": "enum "}


def prototypes(program: Path, sources: str) -> dict[str, str]:
    """Return the functions of C files whose path has ``sources`` in it, as ``RESULT (TYPES)``."""
    with program.open("rb") as file:
        return dict(_functions(ELFFile(file).get_dwarf_info(), sources))


def _functions(information: Any, sources: str) -> Iterator[tuple[str, str]]:
    for unit in information.iter_CUs():
        top = unit.get_top_DIE()
        if sources not in _text(top, "DW_AT_name"):
            continue
        for entry in top.iter_children():
            if entry.tag == "DW_TAG_subprogram" and "DW_AT_external" in entry.attributes:
                parameters = [
                    _type(child)
                    for child in entry.iter_children()
                    if child.tag == "DW_TAG_formal_parameter"
                ]
                yield _text(entry, "DW_AT_name"), f"{_type(entry)} ({', '.join(parameters)})"


def _text(entry: Any, attribute: str) -> str:
    return str(entry.attributes[attribute].value.decode())


def _type(entry: Any) -> str:
    """Return the type of a variable or function; a parameter's own `const` is left out."""
    words = []
    while "DW_AT_type" in entry.attributes:
        entry = entry.get_DIE_from_attribute("DW_AT_type")
        if entry.tag not in _WORDS:
            break
        words.append(_WORDS[entry.tag])
    else:
        words.append("void")
    if entry.tag not in _WORDS and entry.tag != "DW_TAG_subprogram":
        words += [] if words[-1:] == ["void"] else [_NAMED.get(entry.tag, "") + _name(entry)]
    return " ".join(words[1:] if words[0] == "const" else words)


def _name(entry: Any) -> str:
    return _text(entry, "DW_AT_name") if "DW_AT_name" in entry.attributes else "?"


def defined_symbols(program: Path) -> set[str]:
    """Return the names of all symbols that the program defines."""
    return {name for name, defined in _symbols(program) if defined}


def missing_symbols(programs: Collection[Path]) -> set[str]:
    """Return the names that object files use and none of them defines."""
    symbols = [symbol for program in programs for symbol in _symbols(program)]
    found = {name for name, defined in symbols if defined}
    return {name for name, defined in symbols if not defined} - found


def _symbols(program: Path) -> list[tuple[str, bool]]:
    with program.open("rb") as file:
        table: Any = ELFFile(file).get_section_by_name(".symtab")
        return [
            (symbol.name, symbol["st_shndx"] != "SHN_UNDEF")
            for symbol in table.iter_symbols()
            if symbol.name
        ]
