# SPDX-License-Identifier: Apache-2.0
"""What the linker script places: by its text, and by the image that ld makes of it."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.steps.generate_linker_script import linker_script
from tests.support.project_copy import ROOT

HERE = Path(__file__).parent
CACHE_LINE_BYTES = 32


def _platform(name: str) -> Platform:
    return load_platform(ROOT / "platforms" / name / "platform.yaml")


def test_the_script_of_the_minimal_platform_is_the_golden_one() -> None:
    platform = load_platform(ROOT / "tests/support/minimal_platform.yaml")
    golden = (HERE / "minimal_sram_only.ld").read_text(encoding="utf-8")
    assert linker_script(platform, "Sram_Only") == golden


def _link(folder: Path, script: str) -> Path:
    (folder / "memory.ld").write_text(script, encoding="utf-8")
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m55", "-mthumb", "-nostdlib", "-O1"]
    command += ["-Wl,--fatal-warnings", "-Wl,--no-warn-rwx-segments"]
    axf = folder / "sections.axf"
    command += ["-T", str(folder / "memory.ld"), "-o", str(axf), str(HERE / "sections.c")]
    subprocess.run(command, check=True, timeout=60)
    return axf


def _section(elf: ELFFile, name: str) -> Any:
    section = elf.get_section_by_name(name)
    assert section is not None, name
    return section


CASES = [
    (platform.name, mode.name)
    for platform in map(_platform, ("fvp", "mps3"))
    for mode in platform.memory_modes
]


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_the_card_s_files_hold_everything_that_is_loaded(
    tmp_path: Path, name: str, mode: str
) -> None:
    platform = _platform(name)
    loaded = [region for region in platform.regions if region.sector]
    with _link(tmp_path, linker_script(platform, mode)).open("rb") as file:
        segments = [s for s in ELFFile(file).iter_segments("PT_LOAD") if s["p_filesz"]]
        assert segments
        for segment in segments:
            first, end = segment["p_paddr"], segment["p_paddr"] + segment["p_filesz"]
            assert any(r.address <= first and end <= r.end for r in loaded), hex(first)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_each_part_of_the_model_lies_where_the_mode_says(
    tmp_path: Path, name: str, mode: str
) -> None:
    platform = _platform(name)
    with _link(tmp_path, linker_script(platform, mode)).open("rb") as file:
        elf = ELFFile(file)
        for part, place in platform.memory_mode(mode).parts.items():
            prefix = ".model." if part in {"command_stream", "weights"} else "."
            section = _section(elf, prefix + part)
            region = platform.region(place.region)
            start, size_bytes = section["sh_addr"], section["sh_size"]
            assert region.address <= start < start + size_bytes <= region.end
            # The NPU's scratch arrays share no cache line with anything else.
            assert start % CACHE_LINE_BYTES == 0
            assert size_bytes % CACHE_LINE_BYTES == 0


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_the_copy_table_copies_what_is_loaded_elsewhere(
    tmp_path: Path, name: str, mode: str
) -> None:
    with _link(tmp_path, linker_script(_platform(name), mode)).open("rb") as file:
        elf = ELFFile(file)
        table = _between(elf, "__copy_table_start", "__copy_table_end")
        copied = {(to, size_bytes) for _, to, size_bytes in struct.iter_unpack("<3I", table)}
        for segment in elf.iter_segments("PT_LOAD"):
            if segment["p_filesz"] and segment["p_paddr"] != segment["p_vaddr"]:
                start, end = segment["p_vaddr"], segment["p_vaddr"] + segment["p_filesz"]
                reached = start
                for to, size_bytes in sorted(copied):
                    reached = to + size_bytes if to == reached else reached
                assert reached >= end, hex(start)


def _between(elf: ELFFile, first: str, last: str) -> bytes:
    symbols = _section(elf, ".symtab")
    start, end = (symbols.get_symbol_by_name(n)[0]["st_value"] for n in (first, last))
    section = _section(elf, ".rodata")
    offset = start - section["sh_addr"]
    return bytes(section.data()[offset : offset + end - start])


@pytest.mark.parametrize(("irq", "alignment"), [(0, 1024), (239, 1024), (240, 2048), (479, 2048)])
def test_the_vector_table_is_aligned_as_vtor_needs_it(irq: int, alignment: int) -> None:
    platform = _platform("fvp")
    other = platform.replace(npu=platform.npu.replace(irq=irq))
    assert f".vectors : ALIGN({alignment})\n" in linker_script(other, "Shared_Sram")


@pytest.mark.parametrize("name", ["fvp", "sse310"])
def test_what_the_mpu_protects_shares_no_page_of_qemus_with_anything_else(
    tmp_path: Path, name: str
) -> None:
    """Pages are 1 KiB; where a region covers a part of one, QEMU 10 is three times as slow."""
    with _link(tmp_path, linker_script(_platform(name), "Shared_Sram")).open("rb") as file:
        elf = ELFFile(file)
        table = _between(elf, "__read_only_table_start", "__read_only_table_end")
        rows = list(struct.iter_unpack("<3I", table))
        assert [(row[0] % 1024, row[1] % 1024) for row in rows] == [(0, 0)] * 3
        named = {_section(elf, name)["sh_addr"] for name in (".vectors", ".text", ".rodata")}
        assert {start for start, _, _ in rows} == named


def test_the_stack_has_nothing_below_it_in_its_region(tmp_path: Path) -> None:
    platform = _platform("fvp")
    with _link(tmp_path, linker_script(platform, "Shared_Sram")).open("rb") as file:
        stack = _section(ELFFile(file), ".stack")
        assert stack["sh_addr"] == platform.region(platform.placement.stack).address
        assert stack["sh_size"] == platform.stack_bytes
