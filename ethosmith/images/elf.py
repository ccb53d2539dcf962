# SPDX-License-Identifier: Apache-2.0
"""Read a 32-bit little-endian Arm ELF file: segments, allocated sections, symbols.

pyelftools does the parsing; this module first checks that every table and every byte
range of the file lies inside it, so that a damaged file gives one clear error and can
neither loop nor ask for more memory than it has bytes (System V ABI, chapter 4; "ELF for
the Arm Architecture", Arm IHI 0044).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import StringTableSection, SymbolTableSection

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, read_start

# Debug information of all sources included; more would not be linked for a microcontroller.
MAX_ELF_BYTES = 128 << 20
_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_EM_ARM = 40
_PROGRAM_HEADER_BYTES = 32
_SECTION_HEADER_BYTES = 40
_SYMBOL_BYTES = 16
_MAPPING = {"$t": True, "$d": False}
_ADDRESS_LIMIT = 1 << 32
# What pyelftools lets escape on nonsense that the checks above do not name.
_DAMAGED = (
    ELFError,
    ConstructError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    UnicodeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True)
class Section:
    """One section of an ELF file.

    Attributes:
        address: where the running program sees it (VMA); 0 in an object file.
        load_address: where a loader puts its bytes (LMA), or None if it has none (bss).
        file_offset: where its bytes stand in the file.
    """

    name: str
    address: int
    size_bytes: int
    alignment_bytes: int
    load_address: int | None
    file_offset: int
    is_code: bool
    is_writable: bool


@dataclass(frozen=True)
class Segment:
    """One PT_LOAD entry that has bytes in the file."""

    load_address: int
    address: int
    file_offset: int
    size_bytes: int
    sections: tuple[str, ...]

    @property
    def end(self) -> int:
        """The first load address behind it."""
        return self.load_address + self.size_bytes


@dataclass(frozen=True)
class Symbol:
    """A function or object with a size."""

    name: str
    address: int
    size_bytes: int
    is_function: bool

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.size_bytes


@dataclass(frozen=True)
class Elf:
    """What the image steps need of one ELF file; ``sections`` are the allocated ones."""

    path: Path
    data: bytes
    entry_address: int
    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class SymbolTable:
    """The named things of a linked image.

    Attributes:
        sized: functions and objects with a size, by address.
        addresses: every global symbol's address, linker-script symbols among them.
        unsized: functions without a size, by address: hand-written routines of a C library.
            LLD makes those that are hidden local.
        mapping: where code (True) and data (False) begin in code sections, by address: the
            mapping symbols ``$t`` and ``$d``.
    """

    sized: tuple[Symbol, ...]
    addresses: Mapping[str, int]
    unsized: Mapping[int, str]
    mapping: tuple[tuple[int, bool], ...]


def read_image(path: Path) -> Elf:
    """Read a linked image (ET_EXEC).

    Raises:
        EthosmithError: it cannot be read, is damaged, or is not such a file.
    """
    return _read(path, "ET_EXEC", "link it first")


def read_object(path: Path) -> Elf:
    """Read a compiled object file (ET_REL); errors as in `read_image`."""
    return _read(path, "ET_REL", "give the object files that go into the link")


def read_symbols(image: Elf) -> SymbolTable:
    """Return the symbols of a file that `read_image` has read; errors as there."""
    try:
        return _symbols(ELFFile(io.BytesIO(image.data)))
    except _DAMAGED as error:
        raise _unparsable(image.path, error) from None


def _read(path: Path, elf_type: str, advice: str) -> Elf:
    # Whatever is large and no ELF file is not read.
    _check_header(path, read_start(path, _HEADER.size))
    data = read_bytes(path, limit_bytes=MAX_ELF_BYTES)
    _check_header_tables(path, data)
    try:
        file = ELFFile(io.BytesIO(data))
        if file["e_type"] != elf_type:
            raise EthosmithError(f"{path}: its ELF type is {file['e_type']}; {advice}")
        _check_tables(path, file, len(data))
        return _elf_of(path, data, file)
    except _DAMAGED as error:
        raise _unparsable(path, error) from None


def _unparsable(path: Path, error: Exception) -> EthosmithError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return _damaged(path, f"it cannot be parsed ({reason})")


def _damaged(path: Path, what: str) -> EthosmithError:
    return EthosmithError(f"{path}: damaged ELF file: {what}; build it again")


def _check_header(path: Path, data: bytes) -> None:
    if not data.startswith(b"\x7fELF"):
        raise EthosmithError(f"{path}: not an ELF file; give the .axf that the linker wrote")
    if len(data) < _HEADER.size:
        raise _damaged(path, f"{len(data)} bytes are less than its header's {_HEADER.size}")
    ident, _, machine = _HEADER.unpack_from(data)[:3]
    if ident[4] != 1 or ident[5] != 1:
        raise EthosmithError(f"{path}: a {_kind(ident)} ELF file; Cortex-M is 32-bit little-endian")
    if machine != _EM_ARM:
        raise EthosmithError(f"{path}: ELF machine {machine}, not Arm (40); check the compiler")


def _check_header_tables(path: Path, data: bytes) -> None:
    ph_offset, sh_offset, _, _, ph_size, ph_count, sh_size, sh_count, _ = _HEADER.unpack_from(data)[
        5:
    ]
    _check_table(path, len(data), "program", (ph_offset, ph_count, ph_size), _PROGRAM_HEADER_BYTES)
    _check_table(path, len(data), "section", (sh_offset, sh_count, sh_size), _SECTION_HEADER_BYTES)


def _kind(ident: bytes) -> str:
    width = "64-bit" if ident[4] == 2 else "32-bit"
    return f"{width} {'big' if ident[5] == 2 else 'little'}-endian"


def _check_table(
    path: Path, file_bytes: int, name: str, table: tuple[int, int, int], entry_bytes: int
) -> None:
    offset, count, size = table
    if count == 0 and offset != 0 and name == "section":
        raise _damaged(path, "the section header table has no entries")
    if count and size != entry_bytes:
        raise _damaged(path, f"{name} headers of {size} bytes instead of {entry_bytes}")
    if count and offset + count * size > file_bytes:
        raise _damaged(path, f"the {name} header table ends behind the file's end (truncated?)")


def _check_tables(path: Path, file: Any, file_bytes: int) -> None:
    for header in _section_headers(file):
        if header["sh_type"] == "SHT_NOBITS":
            continue
        if header["sh_offset"] + header["sh_size"] > file_bytes:
            raise _damaged(path, "a section ends behind the file's end (truncated?)")
        if header["sh_type"] == "SHT_SYMTAB" and header["sh_entsize"] != _SYMBOL_BYTES:
            raise _damaged(path, f"symbols of {header['sh_entsize']} bytes")


def _section_headers(file: Any) -> Iterator[Any]:
    return (file._get_section_header(index) for index in range(file.num_sections()))


def _elf_of(path: Path, data: bytes, file: Any) -> Elf:
    programs = [_checked(path, segment, len(data)) for segment in _load_headers(file)]
    sections = tuple(_sections(path, file, programs))
    return Elf(
        path=path,
        data=data,
        entry_address=file["e_entry"],
        sections=sections,
        segments=tuple(_segment(header, sections) for header in programs if header["p_filesz"]),
    )


def _load_headers(file: Any) -> Iterator[Any]:
    for index in range(file.num_segments()):
        header = file._get_segment_header(index)
        if header["p_type"] == "PT_LOAD":
            yield header


def _checked(path: Path, header: Any, file_bytes: int) -> Any:
    where = f"the segment at load address 0x{header['p_paddr']:08x}"
    if header["p_filesz"] > header["p_memsz"]:
        raise _damaged(path, f"{where} has more bytes in the file than in memory")
    if header["p_offset"] + header["p_filesz"] > file_bytes:
        raise _damaged(path, f"{where} ends behind the file's end (truncated?)")
    for field in ("p_paddr", "p_vaddr"):
        if header[field] + header["p_memsz"] > _ADDRESS_LIMIT:
            raise _damaged(path, f"{where} ends behind the 32-bit address space")
    return header


def _segment(header: Any, sections: Iterable[Section]) -> Segment:
    start, size_bytes = header["p_offset"], header["p_filesz"]
    inside = (
        section
        for section in sections
        if section.load_address is not None
        and section.size_bytes
        and start <= section.file_offset < start + size_bytes
    )
    names = tuple(section.name for section in sorted(inside, key=lambda item: item.file_offset))
    return Segment(header["p_paddr"], header["p_vaddr"], start, size_bytes, names)


def _sections(path: Path, file: Any, programs: list[Any]) -> Iterator[Section]:
    for section in file.iter_sections():
        flags = section["sh_flags"]
        no_bits = section["sh_type"] == "SHT_NOBITS"
        thread_template = no_bits and flags & SH_FLAGS.SHF_TLS
        if not flags & SH_FLAGS.SHF_ALLOC or thread_template:
            continue
        if section["sh_addr"] + section["sh_size"] > _ADDRESS_LIMIT:
            raise _damaged(path, f"section {section.name} ends behind the 32-bit address space")
        yield Section(
            name=_printable(section.name),
            address=section["sh_addr"],
            size_bytes=section["sh_size"],
            alignment_bytes=max(1, section["sh_addralign"]),
            load_address=None if no_bits else _load_address(section, programs),
            file_offset=section["sh_offset"],
            is_code=bool(flags & SH_FLAGS.SHF_EXECINSTR),
            is_writable=bool(flags & SH_FLAGS.SHF_WRITE),
        )


def _load_address(section: Any, programs: list[Any]) -> int:
    """Return the section's LMA: its place in the PT_LOAD entry that carries its bytes."""
    for header in programs:
        offset: int = section["sh_offset"] - header["p_offset"]
        inside = offset >= 0 and offset + section["sh_size"] <= header["p_filesz"]
        if inside and section["sh_addr"] == header["p_vaddr"] + offset:
            return int(header["p_paddr"]) + offset
    return int(section["sh_addr"])


def _symbols(file: Any) -> SymbolTable:
    sized: set[Symbol] = set()
    addresses: dict[str, int] = {}
    unsized: dict[int, str] = {}
    mapping: set[tuple[int, bool]] = set()
    for table in file.iter_sections():
        if not isinstance(table, SymbolTableSection):
            continue
        if not isinstance(table.stringtable, StringTableSection):
            raise ELFError("a symbol table without its strings")
        for symbol in table.iter_symbols():
            _add_symbol(symbol, sized, addresses, unsized)
            if symbol.name in _MAPPING:
                mapping.add((symbol["st_value"], _MAPPING[symbol.name]))
    by_address = sorted(sized, key=lambda item: (item.address, item.size_bytes, item.name))
    return SymbolTable(tuple(by_address), addresses, unsized, tuple(sorted(mapping)))


def _add_symbol(
    symbol: Any, sized: set[Symbol], addresses: dict[str, int], unsized: dict[int, str]
) -> None:
    kind = symbol["st_info"]["type"]
    if symbol["st_shndx"] == "SHN_UNDEF" or not symbol.name:
        return
    name = _printable(symbol.name)
    # Bit 0 of a function's address says Thumb, and is no part of the address.
    is_function = kind == "STT_FUNC"
    address = symbol["st_value"] & ~1 if is_function else symbol["st_value"]
    if kind in ("STT_FUNC", "STT_OBJECT") and symbol["st_size"]:
        sized.add(Symbol(name, address, symbol["st_size"], is_function))
    elif is_function:
        unsized[address] = min(name, unsized.get(address, name))
    if symbol["st_info"]["bind"] == "STB_GLOBAL":
        addresses[name] = address


def _printable(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
