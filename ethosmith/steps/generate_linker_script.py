# SPDX-License-Identifier: Apache-2.0
"""memory.ld: the GNU ld script of a platform under a memory mode.

Everything that has a value at start-up lies, or is loaded, in a region that one of the card's
files fills; the start-up code copies the rest with the script's copy table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.descriptors.memory import MemoryMode, ModelPart, ScratchArea
    from ethosmith.descriptors.platform import Platform

_TEMPLATE = Path(__file__).with_name("generate_linker_script.ld.j2")
# Cortex-M55's cache line: the NPU's scratch shares none with the CPU's data.
_CACHE_LINE_BYTES = 32
# The start-up code copies and clears by words; the ABI aligns doubles to eight bytes.
_DATA_ALIGNMENT_BYTES = 8
# What the MPU protects is whole pages of QEMU's, though the MPU's granule is 32 bytes: QEMU looks
# every access up anew to a page of which a region covers a part.
_PROTECTED_BYTES = 1024
_READ_ONLY = ((".vectors", 0), (".text", 0), (".rodata", 1))
_VECTOR_BYTES = 4
_MIN_VTOR_ALIGNMENT_BYTES = 128


@step(verb="GENERATE", packages=("jinja2", "pydantic", "pydantic-core", "pyyaml"))
class GenerateLinkerScript(Step):
    """Generate the GNU ld script of a platform under a memory mode.

    Attributes:
        platform: the platform.yaml.
        memory_mode: Vela's name of where the model lies, such as ``Shared_Sram``.
        output: the linker script.
    """

    platform: Input
    memory_mode: str
    output: Output

    def run(self) -> None:
        """Read the platform and write the script."""
        from ethosmith.descriptors.platform import load_platform

        write_text(self.output, linker_script(load_platform(self.platform), self.memory_mode))


@dataclass(frozen=True)
class Section:
    """An output section.

    Attributes:
        name: Its name, with the dot.
        region: Where it lies at run time.
        lines: What stands between its braces.
        load_region: Where the card puts it, if the start-up code copies it.
        alignment: Alignment of its start, in bytes.
        noload: It takes room, but no bytes in the image.
        protected: The MPU makes it read-only.
    """

    name: str
    region: str
    lines: tuple[str, ...]
    load_region: str | None = None
    alignment: int = _DATA_ALIGNMENT_BYTES
    noload: bool = False
    protected: bool = False

    @property
    def end_alignment(self) -> int:
        """Alignment of its end, in bytes."""
        return _PROTECTED_BYTES if self.protected else min(self.alignment, _CACHE_LINE_BYTES)


def linker_script(platform: Platform, memory_mode: str) -> str:
    """Return the linker script's text.

    Raises:
        EthosmithError: the platform has no such memory mode.
    """
    from ethosmith.lib.templates import text_of

    sections = _sections(platform, platform.memory_mode(memory_mode))
    values = {"platform": platform, "memory_mode": memory_mode, "sections": sections}
    return text_of(_TEMPLATE, values)


def _sections(platform: Platform, mode: MemoryMode) -> tuple[Section, ...]:
    data = _data_sections(platform) + _model_sections(mode)
    copied = tuple(section for section in data if section.load_region)
    return _program_sections(platform, copied) + data


def _program_sections(platform: Platform, copied: tuple[Section, ...]) -> tuple[Section, ...]:
    placement = platform.placement
    return (
        Section(
            ".vectors",
            placement.vectors,
            ("KEEP(*(.vectors))",),
            alignment=max(_PROTECTED_BYTES, _vector_alignment_bytes(platform.npu.irq)),
            protected=True,
        ),
        Section(
            ".text",
            placement.code,
            ("*(.text .text.*)",),
            alignment=_PROTECTED_BYTES,
            protected=True,
        ),
        Section(
            ".rodata",
            placement.constants,
            (*_CONSTANTS, *_tables(copied)),
            alignment=_PROTECTED_BYTES,
            protected=True,
        ),
    )


def _vector_alignment_bytes(last_irq: int) -> int:
    """VTOR needs the next power of two above the table: initial SP, 15 exceptions, interrupts."""
    table_bytes = _VECTOR_BYTES * (16 + last_irq + 1)
    return max(_MIN_VTOR_ALIGNMENT_BYTES, 1 << (table_bytes - 1).bit_length())


_CONSTANTS = (
    "*(.rodata .rodata.*)",
    ". = ALIGN(4);",
    # The linker's hash of the image, an ELF note; not first, or all of it were one.
    "__build_id_start = .;",
    "KEEP(*(.note.gnu.build-id))",
    "__build_id_end = .;",
    "__init_array_start = .;",
    "KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*)))",
    "KEEP(*(.init_array))",
    "__init_array_end = .;",
)


def _tables(copied: tuple[Section, ...]) -> tuple[str, ...]:
    """Return the tables that the start-up code walks.

    Rows: load address, address, bytes; address, bytes; address, bytes, execute-never.
    """
    rows = [
        f"LONG(LOADADDR({section.name})) LONG(ADDR({section.name})) LONG(SIZEOF({section.name}))"
        for section in copied
    ]
    return (
        "__copy_table_start = .;",
        *rows,
        "__copy_table_end = .;",
        "__zero_table_start = .;",
        "LONG(ADDR(.bss)) LONG(SIZEOF(.bss))",
        "__zero_table_end = .;",
        "__read_only_table_start = .;",
        *(_read_only_row(name, execute_never) for name, execute_never in _READ_ONLY),
        "__read_only_table_end = .;",
    )


def _read_only_row(name: str, execute_never: int) -> str:
    return f"LONG(ADDR({name})) LONG(SIZEOF({name})) LONG({execute_never})"


def _data_sections(platform: Platform) -> tuple[Section, ...]:
    placement = platform.placement
    return (
        # First in its region: what overflows it leaves the region instead of hitting data.
        Section(
            ".stack",
            placement.stack,
            (f". += {platform.stack_bytes};",),
            alignment=_CACHE_LINE_BYTES,
            noload=True,
        ),
        Section(
            ".data",
            placement.data,
            ("*(.data .data.*)",),
            _if_other(placement.data_load, placement.data),
        ),
        Section(".bss", placement.zeroed, ("*(.bss .bss.*)", "*(COMMON)"), noload=True),
        Section(".labels", placement.labels, ("*(.labels .labels.*)",)),
        Section(".samples", placement.samples, ("*(.samples .samples.*)",)),
    )


def _model_sections(mode: MemoryMode) -> tuple[Section, ...]:
    return (
        _part_section(".model.command_stream", mode.command_stream),
        _part_section(".model.weights", mode.weights),
        _area_section(".scratch", mode.scratch),
        _area_section(".scratch_fast", mode.scratch_fast),
    )


def _part_section(name: str, part: ModelPart) -> Section:
    load = _if_other(part.loaded_from, part.region)
    return Section(name, part.region, (f"*({name})",), load, alignment=_CACHE_LINE_BYTES)


def _area_section(name: str, area: ScratchArea) -> Section:
    return Section(name, area.region, (f"*({name})",), alignment=_CACHE_LINE_BYTES, noload=True)


def _if_other(load: str, region: str) -> str | None:
    return None if load == region else load
