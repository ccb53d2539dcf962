# SPDX-License-Identifier: Apache-2.0
"""Libraries from git are built once, and anew when their sources, revision or flags change."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ..needs import program
from ..project_copy import Outcome, ProjectCopy
from .conftest import pin
from .imitation import NAMES, commit_all

_TFLM = "build/fvp/lib/libtflm.a"
_CMSIS_NN = "build/fvp/lib/libcmsis_nn.a"
_DRIVER = "build/fvp/ethos-u55-128-shared_sram/lib/libethosu_driver.a"
_ALL = ("usecase=kws", _TFLM, _CMSIS_NN, _DRIVER)
_STEPS = {f"NINJA {target}" for target in _ALL[1:]}
_MICRO = "tensorflow/lite/micro"

pytestmark = pytest.mark.scons


@pytest.fixture(scope="module")
def fetched(unfetched: ProjectCopy) -> ProjectCopy:
    """The project after `scons deps`, built; the tests of this module run in their order."""
    outcome = unfetched.scons(*_ALL)
    assert outcome.exit_code == 2
    assert "error: the sources of cmsis, cmsis_nn, ethosu_driver, flatbuffers, " in outcome.stderr
    assert "run './scons deps usecase=kws', or give cmsis_dir=FOLDER" in outcome.stderr
    outcome = unfetched.scons("deps", "usecase=kws", "offline=1")
    assert outcome.exit_code != 0
    assert outcome.text.count("not in the cache, and offline=1 forbids fetching it") == len(NAMES)

    told = unfetched.build("deps", "usecase=kws").text
    verified = re.findall(r"^(\w+) [0-9a-f]{12}: \d+ files, .* verified$", told, re.M)
    assert sorted(verified) == sorted(NAMES)
    assert unfetched.build(*_ALL, "offline=1").steps == _STEPS
    return unfetched


def members(project: ProjectCopy, archive: str) -> list[str]:
    command = [program("arm-none-eabi-ar"), "t", str(project.root / archive)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def text_of(project: ProjectCopy, archive: str) -> bytes:
    return (project.root / archive).read_bytes()


def test_kernels_are_replaced_and_nothing_else_is_compiled(fetched: ProjectCopy) -> None:
    own = ["micro_interpreter.cc.o", "arena.cc.o", "planner.cc.o", "bridge.cc.o"]
    kernels = ["add.cc.o", "ethosu.cc.o", "pack.cc.o"]
    # Two files of one name, in two folders.
    shared = ["common.cc.o", "common.cc.o"]
    assert sorted(members(fetched, _TFLM)) == sorted([*own, *kernels, *shared])
    library = text_of(fetched, _TFLM)
    assert [library.count(kind) for kind in (b"\0cmsis_nn\0", b"\0ethos_u\0")] == [1, 1]
    assert library.count(b"\0reference\0") == 1, "only pack has no other kernel"


def test_cmake_gets_the_npu_and_the_flags_of_this_build(fetched: ProjectCopy) -> None:
    assert b"ethos-u55-128" in text_of(fetched, _DRIVER)
    commands = json.loads(fetched.read("build/fvp/lib/cmsis_nn/build/compile_commands.json"))
    by_name = {Path(item["file"]).name: item["command"] for item in commands}
    assert "-mcpu=cortex-m55" in by_name["arm_add_s8.c"]
    assert "-Werror" not in by_name["arm_add_s8.c"]
    assert "ARM_GCC_12_2_ICE" in by_name["arm_softmax_s8.c"]
    assert "ARM_GCC_12_2_ICE" not in by_name["arm_add_s8.c"]


def test_libraries_name_no_place_on_this_machine(fetched: ProjectCopy) -> None:
    for archive in (_TFLM, _CMSIS_NN, _DRIVER):
        library = text_of(fetched, archive)
        assert b"build/repositories/" in library
        assert str(fetched.root).encode() not in library
        assert b"/cache/git/" not in library


def test_what_is_current_is_left_alone(fetched: ProjectCopy) -> None:
    assert fetched.build(*_ALL).steps == set()


def test_another_revision_rebuilds_its_library_and_no_other(
    fetched: ProjectCopy, upstreams: dict[str, Path]
) -> None:
    pack = upstreams["tflm"] / _MICRO / "kernels" / "pack.cc"
    pack.write_text(pack.read_text().replace('"reference"', '"second"'))
    pin(fetched, "tflm", upstreams["tflm"], commit_all(upstreams["tflm"]))
    assert "the sources of tflm are not here" in fetched.scons(*_ALL).stderr
    fetched.build("deps", "usecase=kws")
    assert fetched.build(*_ALL).steps == {f"NINJA {_TFLM}"}
    assert b"\0second\0" in text_of(fetched, _TFLM)


@pytest.fixture
def folders(upstreams: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """Folders of the user's, in place of all repositories."""
    for name, folder in upstreams.items():
        shutil.copytree(folder, tmp_path / name, symlinks=True)
    return {name: tmp_path / name for name in upstreams}


Build = Callable[..., Outcome]


@pytest.fixture
def build(fetched: ProjectCopy, folders: dict[str, Path]) -> Build:
    words = [f"{name}_dir={folder}" for name, folder in folders.items()]

    def run(*more: str, fails: bool = False) -> Outcome:
        outcome = fetched.scons(*_ALL, *words, *more)
        assert (outcome.exit_code != 0) == fails, outcome.text
        return outcome

    return run


def compiled(outcome: Outcome) -> set[str]:
    """Return the files that ninja compiled, of a run with verbose=1."""
    step = re.compile(r"^\[\d+/\d+\] (?:CXX|CC|Building C object) .*?([\w.]+\.c+)\.", re.M)
    return set(step.findall(outcome.stdout))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_in_a_folder_one_changed_file_rebuilds_exactly_what_includes_it(
    build: Build, folders: dict[str, Path], fetched: ProjectCopy
) -> None:
    assert build().steps == _STEPS, "other files take the place of the pinned ones"
    assert build().steps == set()
    before = text_of(fetched, _CMSIS_NN)

    edit(folders["tflm"] / _MICRO / "kernels/pack.cc", '"second"', '"third"')
    assert compiled(build("verbose=1")) == {"pack.cc"}
    assert b"\0third\0" in text_of(fetched, _TFLM)

    edit(folders["cmsis_nn"] / "Source/BasicMathFunctions/arm_add_s8.c", "a + b", "b + a + 1")
    assert compiled(build("verbose=1")) == {"arm_add_s8.c"}
    assert text_of(fetched, _CMSIS_NN) != before

    # A header of another repository; nothing else says that the library has to be looked at.
    edit(folders["cmsis"] / "CMSIS/Core/Include/cmsis_compiler.h", "__asm", "__asm__")
    assert {"arm_add_s8.c", "arm_softmax_s8.c", "ethosu_driver.c", "add.cc"} == (
        compiled(build("verbose=1"))
    )

    # A file that becomes older, as a restored one does: ninja alone would not see it.
    pack = folders["tflm"] / _MICRO / "kernels/pack.cc"
    times = pack.stat()
    edit(pack, '"third"', '"old"')
    os.utime(pack, ns=(times.st_atime_ns, times.st_mtime_ns - 10**12))
    build()
    assert b"\0old\0" in text_of(fetched, _TFLM)

    # New files, found by globs of the descriptor and of the CMakeLists.txt.
    (folders["tflm"] / _MICRO / "kernels/new.cc").write_text("int new_kernel;\n")
    (folders["cmsis_nn"] / "Source/BasicMathFunctions/arm_new_s8.c").write_text("int x;\n")
    build()
    assert "new.cc.o" in members(fetched, _TFLM)
    assert "arm_new_s8.c.obj" in members(fetched, _CMSIS_NN)


def test_a_folder_that_is_not_the_repository_is_told(
    build: Build, folders: dict[str, Path]
) -> None:
    shutil.rmtree(folders["tflm"] / _MICRO / "memory_planner")
    outcome = build(fails=True)
    place = folders["tflm"]
    assert (
        f"error: libraries/tflm.yaml: {place}: no file is called {_MICRO}/memory_planner/*.cc\n"
        in outcome.stderr
    )
    outcome = build("tflm_dir=nowhere", fails=True)
    assert "error: tflm_dir=nowhere: there is no such folder" in outcome.stderr


def test_what_the_compiler_says_is_shown_and_the_library_named(
    build: Build, folders: dict[str, Path]
) -> None:
    edit(folders["ethosu_driver"] / "src/ethosu_driver.c", "NPU", "NPV")
    outcome = build(fails=True)
    assert "error: 'NPV' undeclared" in outcome.text
    assert "ninja could not build libethosu_driver.a" in outcome.stderr


def test_an_unknown_folder_variable_gets_the_nearest(fetched: ProjectCopy) -> None:
    outcome = fetched.scons("cmsisnn_dir=x")
    assert outcome.stderr.startswith(
        "error: unknown variable 'cmsisnn_dir='; did you mean 'cmsis_nn_dir'?"
    )


@pytest.mark.slow
def test_the_manifest_says_which_commit_and_that_a_folder_was_changed(
    fetched: ProjectCopy, folders: dict[str, Path], upstreams: dict[str, Path]
) -> None:
    edit(folders["tflm"] / _MICRO / "kernels/pack.cc", "namespace", "  namespace")
    image = "build/fvp/ethos-u55-128-shared_sram/kws"
    fetched.build("usecase=kws", f"{image}_manifest.json", f"tflm_dir={folders['tflm']}")
    manifest = json.loads(fetched.read(f"{image}_manifest.json"))
    repositories = {item["name"]: item for item in manifest["repositories"]}
    assert repositories["tflm"]["folder"] == str(folders["tflm"])
    assert repositories["tflm"]["dirty"] is True
    assert repositories["tflm"]["commit"] == commit_all(upstreams["tflm"])
    assert repositories["cmsis_nn"]["commit"] == commit_all(upstreams["cmsis_nn"])
    assert "folder" not in repositories["cmsis_nn"]
