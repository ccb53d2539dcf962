# SPDX-License-Identifier: Apache-2.0
"""Headers of the firmware stand alone, document every function, and suit vendors' headers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from ethosmith.descriptors.platform import load_platform
from ethosmith.steps.generate_platform_header import platform_header
from tests.support.board.networks import arms_runner
from tests.support.firmware.compile import FIRMWARE, HERE
from tests.support.project_copy import ROOT

_CPU = ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard")
_STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only")
_C_ONLY = ("core.h", "stack.h")
_PUBLIC = (*("hal/hal.h", "npu/npu.h", "npu/npu_access.h", "npu/npu_payload.h"),)
HEADERS = sorted(
    path
    for path in FIRMWARE.rglob("*.h")
    # These include other libraries' headers, or a use case's parameters.
    if path.name not in {"tflm.h", "op_resolver.h", "port.h", "application_settings.h"}
)


def _syntax(compiler: str, source: Path, *flags: str) -> str:
    include = [f"-I{folder}" for folder in sorted({path.parent for path in HEADERS})]
    command = [f"arm-none-eabi-{compiler}", *_CPU, *_STRICT, *flags, *include, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stderr


def test_the_driver_includes_nothing_but_its_own_and_the_c_library() -> None:
    files = sorted((FIRMWARE / "npu").glob("*.[ch]"))
    included = {
        name for path in files for name in re.findall(r'#include [<"](.+)[>"]', path.read_text())
    }
    own = {path.name for path in files}
    assert included - own == {"stdbool.h", "stddef.h", "stdint.h"}


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_a_header_compiles_alone(header: Path, tmp_path: Path) -> None:
    languages = [("gcc", "c", "-std=c11"), ("g++", "cc", "-std=c++17")]
    for compiler, suffix, standard in languages:
        if suffix == "cc" and header.name in _C_ONLY:
            continue
        if suffix == "c" and "namespace " in header.read_text("utf-8"):
            continue
        source = tmp_path / f"alone.{suffix}"
        source.write_text(f'#include "{header.name}"\n#include "{header.name}"\n', "utf-8")
        assert _syntax(compiler, source, standard) == ""


@pytest.mark.parametrize("order", ["before", "after"])
def test_public_headers_and_a_vendor_s_do_not_collide(order: str, tmp_path: Path) -> None:
    ours = [f'#include "{FIRMWARE / name}"' for name in _PUBLIC]
    vendor = [f'#include "{HERE / "vendor_core.h"}"']
    lines = [*vendor, *ours] if order == "before" else [*ours, *vendor]
    source = tmp_path / "both.c"
    source.write_text("\n".join(lines) + "\n", "utf-8")
    assert _syntax("gcc", source, "-std=c11") == ""


def test_the_hal_compiles_with_a_vendor_s_header(tmp_path: Path) -> None:
    platform = load_platform(ROOT / "platforms" / "fvp" / "platform.yaml")
    header = platform_header(platform, "Shared_Sram", "ethos-u55-128")
    (tmp_path / "platform.h").write_text(header, "utf-8")
    vendor = f'-DCMSIS_device_header="{HERE / "vendor_core.h"}"'
    for source in sorted((FIRMWARE / "hal").glob("*.c")):
        flags = (f"-I{tmp_path}", "-std=gnu11", "-Wno-pedantic", vendor)
        assert _syntax("gcc", source, *flags) == "", source.name


def _structs(program: Path, names: Collection[str]) -> dict[str, dict[str, int]]:
    """Return the offset of each register of each named struct, out of the debug information."""
    found: dict[str, dict[str, int]] = {}
    with program.open("rb") as file:
        # The small ones first, those of C: C++'s take seconds.
        units = ELFFile(file).get_dwarf_info().iter_CUs()
        for unit in sorted(units, key=lambda unit: int(unit["unit_length"])):
            for entry in unit.get_top_DIE().iter_children():
                if entry.tag != "DW_TAG_typedef":
                    continue
                name = entry.attributes["DW_AT_name"].value.decode()
                if name not in names or name in found:
                    continue
                found[name] = {
                    member.attributes["DW_AT_name"].value.decode(): int(
                        member.attributes["DW_AT_data_member_location"].value
                    )
                    for member in entry.get_DIE_from_attribute("DW_AT_type").iter_children()
                }
            if len(found) == len(names):
                break
    return found


def test_registers_lie_where_arm_s_own_build_has_them(tmp_path: Path) -> None:
    """Arm's program was built of CMSIS-Core itself, with debug information."""
    source, target = tmp_path / "core.c", tmp_path / "core.o"
    types = ("SysTick_Type", "NVIC_Type", "SCB_Type", "PwrModCtl_Type")
    variables = "\n".join(f"{name} *use_{name};" for name in types)
    source.write_text(f'#include "{FIRMWARE / "hal" / "core.h"}"\n{variables}\n', "utf-8")
    command = ["arm-none-eabi-gcc", *_CPU, "-g", "-c", str(source), "-o", str(target)]
    subprocess.run(command, check=True, timeout=60)
    arms = _structs(arms_runner("ethos-u55", tmp_path), types)
    ours = _structs(target, types)
    for name in types:
        registers = {key: at for key, at in ours[name].items() if not key.startswith("RESERVED")}
        assert registers.items() <= arms[name].items()
        assert registers


_PROTOTYPE = re.compile(
    r"^(?!typedef|extern|return|#|//|\s|\})(?P<result>[\w\s\*\(\)]*?\W)(?P<name>\w+)"
    r"\((?P<parameters>[^;{}]*)\)(?:;| \{)",
    re.MULTILINE,
)


def _undocumented(header: Path) -> Iterator[str]:
    text = header.read_text("utf-8")
    for match in _PROTOTYPE.finditer(text):
        before = text[: match.start()].rstrip()
        name = match["name"]
        comment = before[before.rfind("/**") :] if before.endswith("*/") else ""
        if not comment and "@name" not in text:
            yield f"{name}: no comment"
        for parameter in re.findall(r"(\w+)(?:\[\w*\])*(?:,|$)", match["parameters"]):
            if parameter != "void" and f"@param {parameter} " not in comment:
                yield f"{name}: parameter {parameter}"
        words = r"__attribute__\(\(\w+\)\)|static|inline|_Noreturn|LOG_CHECKED"
        result = re.sub(words, "", match["result"])
        if result.strip() != "void" and "@return" not in comment:
            yield f"{name}: result"


@pytest.mark.parametrize("header", sorted(FIRMWARE.rglob("*.h")), ids=lambda path: path.name)
def test_every_prototype_is_documented(header: Path) -> None:
    if header.name in {"core.h", "tflm.h"}:
        return  # CMSIS's names; another library's headers
    assert list(_undocumented(header)) == []
