# SPDX-License-Identifier: Apache-2.0
"""Arm's own build of the upstream projects has what the firmware and its fakes say.

Upstream's sources cannot be fetched everywhere, but Arm's inference runner is a program
that was built of them, with symbols and debug information. What is compared here was read
from it, not from headers that we wrote.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ethosmith.descriptors.platform import load_platform
from ethosmith.steps.generate_op_resolver import ADD_METHODS
from ethosmith.steps.generate_platform_header import platform_header
from tests.support.board.networks import arms_runner
from tests.support.project_copy import ROOT
from tests.support.prototypes import defined_symbols, missing_symbols, prototypes

_FAKES = ROOT / "tests" / "fakes"
_DRIVER = _FAKES / "ethos-u-core-driver"
_INCLUDE = (
    *(ROOT / "firmware" / name for name in ("runtime", "support", "tflm")),
    *(_FAKES / name for name in ("tflite-micro", "flatbuffers/include", "CMSIS-NN")),
    *(_DRIVER / name for name in ("include", "src")),
    _FAKES / "CMSIS_6/CMSIS/Core/Include",
)
_FLAGS = ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard", "-DETHOSU55", "-Os", "-g", "-c")
_CXX = ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")
_ADD_METHOD = r"_ZN6tflite22MicroMutableOpResolverILj\d+EE(?P<length>\d+)(?P<rest>\w+)"


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return arms_runner("ethos-u55", tmp_path_factory.mktemp("arm"))


def _compiled(compiler: str, source: Path, folder: Path, flags: Sequence[str] = ()) -> Path:
    target = folder / f"{source.name}.o"
    include = [f"-I{path}" for path in _INCLUDE]
    command = [f"arm-none-eabi-{compiler}", *_FLAGS, *flags, *include, str(source)]
    subprocess.run([*command, "-o", str(target)], check=True, timeout=60)
    return target


def test_the_interpreter_is_called_as_arms_build_has_it(arms: Path, tmp_path: Path) -> None:
    """A C++ symbol tells its parameters' types, so an equal name is an equal signature."""
    sources = [ROOT / "firmware/tflm" / name for name in ("npu_op_resolver.cc", "inference.cc")]
    wanted = missing_symbols([_compiled("g++", one, tmp_path, _CXX) for one in sources])
    wanted = {name for name in wanted if "tflite" in name}
    assert len(wanted) >= 6
    assert wanted <= defined_symbols(arms)


def test_the_driver_s_interface_is_arms(arms: Path, tmp_path: Path) -> None:
    headers = "".join(path.read_text("utf-8") for path in (_DRIVER / "include").glob("*.h"))
    public = set(re.findall(r"\b(ethosu_\w+|ETHOSU_PMU_\w+)\(", headers, re.IGNORECASE))
    ours: dict[str, str] = {}
    for source in sorted((_DRIVER / "src").glob("*.c")):
        ours |= prototypes(_compiled("gcc", source, tmp_path), source.name)
    assert set(ours) >= public
    theirs = prototypes(arms, "core-driver/src")
    assert {name: ours[name] for name in public} == {name: theirs[name] for name in public}


def test_every_operator_that_arms_firmware_adds_is_known(arms: Path) -> None:
    # A mangled name has the length of each part before it.
    found = (re.match(_ADD_METHOD, name) for name in defined_symbols(arms))
    added = {match["rest"][: int(match["length"])] for match in found if match}
    added = {name for name in added if name.startswith("Add")}
    # These are for all operators alike, or need what the firmware does not set up: variables,
    # several subgraphs, the signal library.
    others = {
        *("AddBuiltin", "AddCustom"),
        *("AddAssignVariable", "AddCallOnce", "AddIf", "AddReadVariable", "AddVarHandle"),
        *("AddWhile",),
    }
    assert len(added) > 90
    assert added - others <= set(ADD_METHODS)


def test_the_cache_hooks_of_older_drivers_are_served_too(tmp_path: Path) -> None:
    """They get one range instead of tables; the same definition has to compile for both."""
    header = (_DRIVER / "include/ethosu_driver.h").read_text("utf-8")
    older = re.sub(
        r"(ethosu_(?:flush|invalidate)_dcache)\([^)]*\)", r"\1(uint32_t *p, size_t bytes)", header
    )
    assert older.count("(uint32_t *p, size_t bytes)") == 2
    (tmp_path / "ethosu_driver.h").write_text(older, "utf-8")
    platform = load_platform(ROOT / "platforms/fvp/platform.yaml")
    text = platform_header(platform, "Shared_Sram", "ethos-u55-128")
    (tmp_path / "platform.h").write_text(text, "utf-8")
    flags = [f"-I{tmp_path}", *(f"-I{ROOT / 'firmware' / name}" for name in ("hal", "npu"))]
    source = ROOT / "firmware/tflm_npu/ethosu.c"
    compiled = _compiled("gcc", source, tmp_path, [*flags, "-Wall", "-Wextra", "-Werror"])
    assert {"ethosu_flush_dcache", "ethosu_invalidate_dcache"} <= defined_symbols(compiled)
