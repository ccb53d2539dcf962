# SPDX-License-Identifier: Apache-2.0
"""An exported use case is built by plain CMake, elsewhere, and has the host's bytes as answer."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project_copy import ROOT, ProjectCopy

_PROJECT = """\
cmake_minimum_required(VERSION 3.20)
project(board LANGUAGES C CXX)
add_compile_options(-mcpu=cortex-m55 -mthumb -mfloat-abi=hard -O2 -Wall -Wextra -Werror
  -ffunction-sections -fdata-sections)
add_subdirectory(exported)
file(GLOB HAL board/*.c)
add_executable(app exported/example/main.c ${HAL})
target_link_libraries(app PRIVATE USECASE_self_test)
target_link_options(app PRIVATE -mcpu=cortex-m55 -mthumb -mfloat-abi=hard -nostartfiles
  --specs=nano.specs -T ${CMAKE_CURRENT_SOURCE_DIR}/memory.ld -Wl,--gc-sections)
"""
_TOOLCHAIN = """\
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
"""
_NPU = "build/fvp/ethos-u55-128-shared_sram"


def _build(folder: Path) -> Path:
    """Build the program; the board's own part is our HAL, as a vendor's would be."""
    own, out = Path(sys.executable).parent, str(folder / "out")
    ninja = str(own / "ninja")
    command = [str(own / "cmake"), "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    command += [f"-DCMAKE_TOOLCHAIN_FILE={folder / 'toolchain.cmake'}", "-S", str(folder)]
    for words in ([*command, "-B", out], [ninja, "-C", out]):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out/app"


def _run(app: Path) -> int:
    command = [sys.executable, "-m", "open_board", "-a", str(app), "-C", "ethosu.num_macs=128"]
    return subprocess.run([*command, "--timelimit", "60"], check=False).returncode


@pytest.mark.long
@pytest.mark.parametrize(
    "usecase",
    ["kws", *(pytest.param(name, marks=pytest.mark.slow) for name in ("kws_micro", "vww", "ad"))],
)
def test_the_self_test_passes_on_the_board_and_finds_a_changed_bit(
    usecase: str, copy_of_built: Callable[..., ProjectCopy], tmp_path: Path
) -> None:
    folder = tmp_path / "some where"
    folder.mkdir()
    built = copy_of_built()
    built.build(f"usecase={usecase}", f"export={folder / 'exported'}")
    assert not re.search(rb"ethosmith[/\\]", (folder / "exported/CMakeLists.txt").read_bytes())
    (folder / "CMakeLists.txt").write_text(_PROJECT.replace("USECASE", usecase))
    (folder / "toolchain.cmake").write_text(_TOOLCHAIN)
    shutil.copytree(ROOT / "firmware/hal", folder / "board")
    shutil.copyfile(built.root / _NPU / "generated/memory.ld", folder / "memory.ld")
    assert _run(_build(folder)) == 0

    expected = folder / "exported/self_test/expected.c"
    first = re.search(r"0x([0-9a-f]{2})", expected.read_text())
    assert first
    text = expected.read_text()
    changed = f"{int(first[1], 16) ^ 1:02x}"
    expected.write_text(text[: first.start(1)] + changed + text[first.end(1) :])
    assert _run(_build(folder)) == 1


def test_a_folder_with_something_else_is_left_alone(
    copy_of_built: Callable[..., ProjectCopy], tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    outcome = copy_of_built().scons("usecase=kws", f"export={folder}")
    assert outcome.exit_code != 0
    assert "is not empty and not an earlier export" in outcome.text
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_several_images_are_refused(
    copy_of_built: Callable[..., ProjectCopy], tmp_path: Path
) -> None:
    outcome = copy_of_built().scons("usecase=kws,vww", f"export={tmp_path / 'x'}")
    assert "export= takes one use case and one configuration, found 2" in outcome.text
