# SPDX-License-Identifier: Apache-2.0
"""The declared libraries, built from fakes: what is compiled, how, and when again."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.library import Library
from ethosmith.descriptors.load import load
from ethosmith.graph.layout import repository_link
from ethosmith.libraries.plan import Uses, library_spec
from ethosmith.libraries.spec import Compilers
from ethosmith.obtain.checkout import Checkout
from ethosmith.steps.build_library import Job, build
from ethosmith.toolchains.compiler import Compiler
from tests.support.project_copy import ROOT
from tests.support.upstream import NAMES, archive_members, write_all, write_tree

_MICRO = "tensorflow/lite/micro"
_PREFIX = "arm-none-eabi-"
_COMPILERS = Compilers(
    cc=[f"{_PREFIX}gcc"],
    cxx=[f"{_PREFIX}g++"],
    ar=[f"{_PREFIX}ar"],
    arflags=["rcsD"],
    flags=["-mcpu=cortex-m55", "-mthumb", "-O1", "-g", "-Wall", "-Wextra", "-Werror"],
    cflags=["-std=c11"],
    cxxflags=["-std=c++17", "-fno-exceptions"],
    system="Generic",
)
_GCC_12_2 = Compiler("gcc", (12, 2, 1), "")


@dataclass(frozen=True)
class Site:
    """A project's folder with links to folders in the place of all repositories."""

    root: Path
    folders: dict[str, Path]

    def job(self, name: str, compiler: Compiler = _GCC_12_2, npu: str = "ethos-u55-64") -> Job:
        libraries = [_library(name)]
        for library in libraries:
            libraries += [_library(one) for one in library.requires]
        upstreams = {one.upstream.repository: one for one in libraries if one.upstream}
        checkouts = [
            Checkout(key, repository_link(key), f"folder {self.folders[key]}", "changes", {})
            for key in upstreams
        ]
        include_dirs = [
            f"{repository_link(key)}/{folder}"
            for key, one in upstreams.items()
            for folder in (one.upstream.include_dirs if one.upstream else ())
        ]
        defines = [define for one in upstreams.values() for define in one.public_defines]
        uses = Uses(include_dirs, defines, npu, "release")
        path = Path(f"libraries/{name}.yaml")
        spec = library_spec(libraries[0], path, checkouts, _COMPILERS, compiler, uses)
        maps = [f"-ffile-prefix-map={self.root}=."]
        folder = Path("build/lib") / name
        return Job(spec, self.root, folder, {"flags": maps}, jobs=2, verbose=False)

    def build(self, name: str) -> Path:
        return build(self.job(name))

    def objects(self) -> dict[str, int]:
        found = [*self.root.rglob("*.o"), *self.root.rglob("*.obj")]
        return {path.name.rpartition(".")[0]: path.stat().st_mtime_ns for path in found}

    def compiled_by(self, name: str) -> set[str]:
        """Build a library; return the sources that were compiled for it."""
        before = self.objects()
        self.build(name)
        return {source for source, time in self.objects().items() if before.get(source) != time}


def _library(name: str) -> Library:
    return load(Library, ROOT / "libraries" / f"{name}.yaml")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folders = write_all(tmp_path / "up stream")
    root = tmp_path / "a project"
    for name in NAMES:
        link = root / repository_link(name)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folders[name])
    return Site(root, folders)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_kernels_are_replaced_and_nothing_else_is_compiled(site: Site) -> None:
    archive = site.build("tflm")
    own = ["micro_interpreter.cc.o", "arena.cc.o", "planner.cc.o", "bridge.cc.o"]
    kernels = ["add.cc.o", "ethosu.cc.o", "pack.cc.o"]
    # Two files of one name, in two folders.
    shared = ["common.cc.o", "common.cc.o"]
    assert sorted(archive_members(archive)) == sorted([*own, *kernels, *shared])
    data = archive.read_bytes()
    assert [data.count(kind) for kind in (b"\0cmsis_nn\0", b"\0ethos_u\0")] == [1, 1]
    assert data.count(b"\0reference\0") == 1, "only pack has no other kernel"


def test_headers_are_compiled_once_and_taken_by_every_cxx_file_without_flags_of_its_own(
    site: Site,
) -> None:
    site.build("tflm")
    (compiled,) = site.root.rglob("*.gch")
    text = (compiled.parent / "build.ninja").read_text()
    builds = [line for line in text.splitlines() if ": cxx " in line]
    assert builds
    assert all(line.endswith(f"| {compiled.relative_to(site.root)}") for line in builds)
    # A compiler that does not take them would read the text: of a text that stops it nothing shows.
    header = compiled.with_suffix("")
    source = site.root / "one.cc"
    source.write_text("int one;\n")
    (command,) = re.findall(r"rule cxx\n  command = (.*?) -MD", text)
    taken = header.read_text()
    header.write_text("#error not precompiled\n")
    options = f" -include {shlex.quote(str(header.relative_to(site.root)))} -c one.cc -o one.o"
    subprocess.run(shlex.split(command + options), cwd=site.root, check=True)
    header.write_text(taken)
    edit(
        site.folders["tflm"] / "tensorflow/lite/kernels/kernel_util.h",
        "KERNEL_UTIL_FILE",
        "CHANGED",
    )
    assert {"add.cc", "bridge.cc"} < site.compiled_by("tflm")


def test_a_header_to_precompile_that_is_gone_is_told(site: Site) -> None:
    (site.folders["tflm"] / "tensorflow/lite/kernels/kernel_util.h").unlink()
    with pytest.raises(EthosmithError, match=r"no tensorflow/lite/kernels/kernel_util.h; did you"):
        site.build("tflm")


def test_cmake_gets_the_flags_of_this_build_and_one_file_its_workaround(site: Site) -> None:
    site.build("cmsis_nn")
    commands = site.root / "build/lib/cmsis_nn/build/compile_commands.json"
    by_name = {Path(i["file"]).name: i["command"] for i in json.loads(commands.read_text())}
    assert "-mcpu=cortex-m55" in by_name["arm_add_s8.c"]
    assert "-Werror" not in by_name["arm_add_s8.c"]
    assert "ARM_GCC_12_2_ICE" in by_name["arm_softmax_s8.c"]
    assert "ARM_GCC_12_2_ICE" not in by_name["arm_add_s8.c"]


@pytest.mark.parametrize("compiler", [("gcc", (12, 3)), ("gcc", (11, 3)), ("clang", (12, 2))])
def test_a_compiler_without_the_defect_gets_no_workaround(
    compiler: tuple[str, tuple[int, ...]], site: Site
) -> None:
    assert site.job("cmsis_nn").spec.file_flags
    assert not site.job("cmsis_nn", compiler=Compiler(*compiler, "")).spec.file_flags


def test_archives_name_no_place_on_this_machine(site: Site) -> None:
    for name in ("tflm", "cmsis_nn", "ethosu_driver"):
        data = site.build(name).read_bytes()
        assert b"build/repositories/" in data
        assert str(site.root.parent).encode() not in data


def test_the_driver_is_configured_for_the_npu(site: Site) -> None:
    assert b"ethos-u55-64" in site.build("ethosu_driver").read_bytes()
    archive = build(site.job("ethosu_driver", npu="ethos-u65-256"))
    assert b"ethos-u65-256" in archive.read_bytes()


def test_one_changed_file_compiles_exactly_what_includes_it(site: Site) -> None:
    libraries = ("tflm", "cmsis_nn", "ethosu_driver")
    for name in libraries:
        site.build(name)
        assert site.compiled_by(name) == set()
    configured = site.root / "build/lib/cmsis_nn/build/build.ninja"
    time = configured.stat().st_mtime_ns
    site.build("cmsis_nn")
    assert configured.stat().st_mtime_ns == time, "CMake ran for nothing"

    edit(site.folders["tflm"] / _MICRO / "kernels/pack.cc", '"reference"', '"other"')
    assert site.compiled_by("tflm") == {"pack.cc"}
    edit(site.folders["cmsis_nn"] / "Source/BasicMathFunctions/arm_add_s8.c", "a + b", "b + a")
    assert site.compiled_by("cmsis_nn") == {"arm_add_s8.c"}
    edit(site.folders["cmsis"] / "CMSIS/Core/Include/cmsis_compiler.h", "__asm", "__asm__")
    assert [site.compiled_by(name) for name in libraries] == [
        {"add.cc"},
        {"arm_add_s8.c", "arm_softmax_s8.c"},
        {"ethosu_driver.c"},
    ]


@pytest.mark.parametrize("later_ns", [-(10**12), 0, 1])
def test_a_changed_file_that_is_not_newer_than_its_object_is_noticed(
    later_ns: int, site: Site
) -> None:
    site.build("tflm")
    pack = site.folders["tflm"] / _MICRO / "kernels/pack.cc"
    times = pack.stat()
    edit(pack, '"reference"', '"restored"')
    os.utime(pack, ns=(times.st_atime_ns, times.st_mtime_ns + later_ns))
    assert b"\0restored\0" in site.build("tflm").read_bytes()


def test_nothing_that_a_killed_build_has_left_is_used(site: Site) -> None:
    before = site.build("tflm").read_bytes()
    (site.root / "build/lib/tflm/state.json").unlink()
    for path in site.root.rglob("*.o"):
        path.write_bytes(b"half")
    assert site.build("tflm").read_bytes() == before


def test_new_files_are_found_by_the_globs_of_descriptor_and_cmake(site: Site) -> None:
    site.build("tflm")
    site.build("cmsis_nn")
    (site.folders["tflm"] / _MICRO / "kernels/new.cc").write_text("int new_kernel;\n")
    source = site.folders["cmsis_nn"] / "Source/BasicMathFunctions"
    (source / "arm_new_s8.c").write_text("int x;\n")
    assert site.compiled_by("tflm") == {"new.cc"}
    assert site.compiled_by("cmsis_nn") == {"arm_new_s8.c"}
    (source / "arm_new_s8.c").unlink()
    assert "arm_new_s8.c.obj" not in archive_members(site.build("cmsis_nn"))


@pytest.mark.parametrize("gone", ["build.ninja", "CMakeCache.txt"])
def test_what_an_interrupted_build_left_of_cmake_is_made_anew(gone: str, site: Site) -> None:
    before = site.build("cmsis_nn").read_bytes()
    (site.root / "build/lib/cmsis_nn/build" / gone).unlink()
    assert site.build("cmsis_nn").read_bytes() == before


def test_another_origin_makes_everything_anew(site: Site) -> None:
    site.build("tflm")
    other = site.folders["tflm"].with_name("other")
    shutil.copytree(site.folders["tflm"], other)
    site.folders["tflm"] = other
    link = site.root / repository_link("tflm")
    link.unlink()
    link.symlink_to(other)
    assert len(site.compiled_by("tflm")) == len(set(site.objects()))


def _without_folder(site: Site) -> None:
    shutil.rmtree(site.folders["tflm"] / _MICRO / "memory_planner")


def _without_replacements(site: Site) -> None:
    shutil.rmtree(site.folders["tflm"] / _MICRO / "kernels/ethos_u")


def _without_cmake(site: Site) -> None:
    (site.folders["cmsis_nn"] / "CMakeLists.txt").unlink()


def _another_target(site: Site) -> None:
    edit(site.folders["cmsis_nn"] / "CMakeLists.txt", "STATIC", "OBJECT")


def _wrong_code(site: Site) -> None:
    edit(site.folders["tflm"] / _MICRO / "kernels/pack.cc", "const", "cnst")


WRONG: dict[str, tuple[Callable[[Site], None], str, str]] = {
    "folder": (_without_folder, "tflm", f"no file matches {_MICRO}/memory_planner/*.cc"),
    "replacement": (
        _without_replacements,
        "tflm",
        f"no file is in {_MICRO}/kernels/ethos_u (replace_with)",
    ),
    "CMakeLists.txt": (_without_cmake, "cmsis_nn", "no CMakeLists.txt is in ."),
    "target": (
        _another_target,
        "cmsis_nn",
        "CMake's target cmsis-nn made no static library",
    ),
    "code": (_wrong_code, "tflm", "ninja could not build libtflm.a"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_folder_that_does_not_fit_is_told_with_its_place(
    what: str, site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil, name, expected = WRONG[what]
    spoil(site)
    with pytest.raises(EthosmithError) as caught:
        site.build(name)
    assert str(caught.value) == f"libraries/{name}.yaml: {site.folders[name]}: {expected}"
    assert ("'cnst'" in capfd.readouterr().err) == (what == "code")


def test_a_name_in_braces_that_means_nothing_gets_the_nearest() -> None:
    library = _library("cmsis_nn")
    assert library.upstream and library.upstream.cmake
    cmake = library.upstream.cmake.replace(options={"CMSIS_PATH": "{cmsi_dir}"})
    library = library.replace(upstream=library.upstream.replace(cmake=cmake))
    checkout = Checkout("cmsis", "x", "folder x", "", {})
    with pytest.raises(EthosmithError, match=r"unknown name in braces 'cmsi_dir'; did you mean"):
        library_spec(
            library,
            Path("libraries/x.yaml"),
            [checkout],
            _COMPILERS,
            _GCC_12_2,
            Uses([], [], "", "debug"),
        )


def test_the_signal_operators_include_a_patched_kissfft(site: Site) -> None:
    signal = site.folders["tflm"] / "signal"
    write_tree(
        signal,
        {
            "micro/kernels/window.cc": "int window;\n",
            "micro/kernels/window_test.cc": "#error left out\n",
            "micro/kernels/window_flexbuffers_generated_data.cc": "#error left out\n",
            "micro/kernels/signal_ops_registerer_python.cc": "#error left out\n",
            "src/window.cc": "int src_window;\n",
            "src/kiss_fft_wrappers/kiss_fft_int16.cc": '#include "kiss_fft.c"\n',
        },
    )
    kissfft = site.root.parent / "kissfft"
    write_tree(kissfft, {"kiss_fft.c": "int patched;\n"})
    site.folders["kissfft_tflm"] = kissfft
    (site.root / repository_link("kissfft_tflm")).symlink_to(kissfft)
    archive = site.build("tflm_signal")
    assert sorted(archive_members(archive)) == [
        "kiss_fft_int16.cc.o",
        "window.cc.o",
        "window.cc.o",
    ]
