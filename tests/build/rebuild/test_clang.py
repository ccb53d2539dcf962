# SPDX-License-Identifier: Apache-2.0
"""Clang and LLD build an image that runs, and that the page about it understands."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

from ethosmith.images.elf import read_image, read_symbols
from ethosmith.images.link_map import PADDING, Contribution, parse_link_map, read_link_map
from ethosmith.images.stack import read_functions
from tests.support import needs
from tests.support.project_copy import ProjectCopy

pytestmark = pytest.mark.long

_STACK_POINTER = 13
# They are entered at one place and run on into the next routine, which has the frame.
_RUN_ON = {"__aeabi_drsub"}


@pytest.fixture(scope="module")
def both(built: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """The folder of Clang's image beside GCC's, which has run, and the steps that it took."""
    needs.program("clang-19")
    needs.program("ld.lld-19")
    project = built.copy(tmp_path_factory.mktemp("clang") / "a project")
    steps = project.build("usecase=kws", "toolchain=clang").steps
    assert project.build("usecase=kws").steps == set()
    return project.root / "build" / "fvp-clang" / "ethos-u55-128-shared_sram", steps


@pytest.fixture
def folder(both: tuple[Path, set[str]]) -> Path:
    return both[0]


def test_only_the_device_is_compiled_again(both: tuple[Path, set[str]]) -> None:
    assert both[1] == {step for step in both[1] if " build/fvp-clang/" in step} != set()


def test_the_image_is_verified_and_its_manifest_names_the_compiler(folder: Path) -> None:
    verified = json.loads((folder / "kws_verified.json").read_text())
    assert [sample["answer"] for sample in verified["samples"]][:2] == ["yes", "no"]
    manifest = json.loads((folder / "kws_manifest.json").read_text())
    assert {"clang", "linker", "libraries"} < manifest["tools"].keys()
    assert "toolchain=clang" in manifest["arguments"]


def test_llds_map_covers_every_section(folder: Path) -> None:
    image = read_image(folder / "kws.axf")
    link_map = read_link_map(folder / "kws.map", [section.name for section in image.sections])
    for section in image.sections:
        items = [i for i in link_map.contributions if i.output_section == section.name]
        assert all(one.end <= two.address for one, two in pairwise(items))
        told = sum(item.size_bytes for item in items)
        # All but the words that the linker script itself writes.
        assert section.size_bytes - 256 < told <= section.size_bytes, section.name
    symbols = {item.name: item.address for item in read_symbols(image).sized}
    found = link_map.at(symbols["main"])
    assert found is not None
    assert found.origin == "build/fvp-clang/ethos-u55-128-shared_sram/lib/libruntime.a(main.c.o)"


def test_frames_read_from_its_code_are_those_of_clangs_debug_information(folder: Path) -> None:
    image = read_image(folder / "kws.axf")
    functions = read_functions(image, read_symbols(image))
    with (folder / "kws.axf").open("rb") as file:
        entries = [e for e in ELFFile(file).get_dwarf_info().CFI_entries() if isinstance(e, FDE)]
    compared = 0
    for entry in entries:
        function = functions.get(entry["initial_location"])
        if function is not None and function.label not in _RUN_ON:
            rules = [row["cfa"] for row in entry.get_decoded().table]
            assert {rule.reg for rule in rules} == {_STACK_POINTER}, function.label
            assert function.frame_bytes == max(rule.offset for rule in rules), function.label
            compared += 1
    assert compared > 80


def test_a_cortex_m85_runs(both: tuple[Path, set[str]]) -> None:
    project = ProjectCopy(both[0].parents[2], {"FVP_PATH": ""})
    outcome = project.build("usecase=kws", "toolchain=clang", "target=sse310")
    assert "Equal:" in outcome.stdout
    axf = project.root / "build/sse310-clang/ethos-u55-128-shared_sram/kws.axf"
    assert b"cortex-m85" in axf.read_bytes()


def test_a_corstone_320_boots_and_drives_its_ethos_u85(both: tuple[Path, set[str]]) -> None:
    project = ProjectCopy(both[0].parents[2], {"FVP_PATH": ""})
    arguments = ("usecase=kws", "toolchain=clang", "target=sse320", "npu=ethos-u85-512")
    outcome = project.build(*arguments)
    assert [step for step in outcome.steps if step.startswith("RUN")]
    said = " ".join(outcome.stdout.split())
    assert "Not booted" not in said
    assert "Equal: every output tensor is that of LiteRT's reference kernels" in said
    axf = project.root / "build/sse320-clang/ethos-u85-512-dedicated_sram_384kb/kws.axf"
    assert b"cortex-m85" in axf.read_bytes()


@pytest.mark.parametrize("name", ["labels.c", "samples.c"])
def test_generated_sources_suit_the_object_format_of_macos(built: ProjectCopy, name: str) -> None:
    clang = needs.program("clang-19")
    command = [clang, "--target=arm64-apple-macos13", "-ffreestanding", "-fsyntax-only", "-Werror"]
    source = built.root / "build" / "usecases" / "kws" / "generated" / name
    subprocess.run([*command, f"-I{built.root}/firmware/runtime", source], check=True, timeout=60)


def test_a_gap_in_llds_map_is_padding() -> None:
    text = (
        "     VMA      LMA     Size Align Out     In      Symbol\n"
        "       0        0       40    16 .text\n"
        "       0        0        3     1         a.o:(.text)\n"
        "       0        0        3     1                 main\n"
        "      10       10       20    16         tools here/lib.a(b.o):(.text.b)\n"
        "      30       30        8     1         LONG ( SIZEOF ( .text ) )\n"
        "      38       38        8     1         . = ALIGN ( 16 )\n"
    )
    assert parse_link_map(text, [".text"], source="x").contributions == (
        Contribution(".text", ".text", 0, 3, "a.o"),
        Contribution(".text", PADDING, 3, 13, ""),
        Contribution(".text", ".text.b", 16, 32, "tools here/lib.a(b.o)"),
        Contribution(".text", PADDING, 56, 8, ""),
    )
