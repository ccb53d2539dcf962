# SPDX-License-Identifier: Apache-2.0
"""A toolchain is found where it is installed, and one that will not do is refused in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.toolchain import Toolchain
from ethosmith.graph.project import Project
from ethosmith.toolchains.compiler import identify
from ethosmith.toolchains.installed import InstalledToolchain, find_toolchain
from tests.support.project_copy import ROOT

_ARM_GCC_13 = "arm-none-eabi-gcc (Arm GNU Toolchain 13.2.rel1 (Build arm-13.7)) 13.2.1 20231009"
_DEBIAN_GCC_12 = "arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205"
_CLANG_19 = "Debian clang version 19.1.7 (3~deb12u1)"


def _descriptor(name: str) -> Toolchain:
    return Project(ROOT).toolchain(name).descriptor


def _program(folder: Path, name: str, version: str, body: str = "exit 1") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = f"#!/bin/sh\nif [ \"$*\" = --version ]; then echo '{version}'; exit; fi\n{body}\n"
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def _gcc(folder: Path, version: str) -> None:
    for name in ("gcc", "g++", "ar"):
        _program(folder, f"arm-none-eabi-{name}", version)


def _find(
    name: str, folder: Path | str, path: Path, core: str = "cortex-m55"
) -> InstalledToolchain:
    return find_toolchain(_descriptor(name), core, "release", str(folder), f"{path}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("line", "family", "version"),
    [
        (_DEBIAN_GCC_12, "gcc", (12, 2, 1)),
        (_ARM_GCC_13, "gcc", (13, 2, 1)),
        ("gcc (GCC) 14.2.1 20240912 (Red Hat 14.2.1-3)", "gcc", (14, 2, 1)),
        (_CLANG_19, "clang", (19, 1, 7)),
        ("clang version 20.1.0", "clang", (20, 1, 0)),
        ("Apple clang version 16.0.0 (clang-1600.0.26.6)", "apple-clang", (16, 0, 0)),
    ],
)
def test_compilers_are_told_apart(
    tmp_path: Path, line: str, family: str, version: tuple[int, ...]
) -> None:
    _program(tmp_path, "cc", line)
    compiler = identify(tmp_path / "cc")
    assert (compiler.family, compiler.version, compiler.line) == (family, version, line)


def test_the_users_folder_or_its_bin_is_used_and_nothing_else(tmp_path: Path) -> None:
    _gcc(tmp_path / "own" / "bin", _ARM_GCC_13)
    found = _find("gcc", tmp_path / "own", tmp_path)
    assert found.c == tmp_path / "own" / "bin" / "arm-none-eabi-gcc"
    assert found.search_path.startswith(f"{tmp_path}/own/bin:")
    assert found.signature == f"gcc {_ARM_GCC_13}"
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        EthosmithError, match=r"/empty: no arm-none-eabi-gcc there, nor in its bin/; let"
    ):
        _find("gcc", tmp_path / "empty", tmp_path / "own" / "bin")


def test_a_gcc_that_does_not_know_the_processor_is_refused_with_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _gcc(tmp_path / "old", _DEBIAN_GCC_12)
    _gcc(tmp_path / "new", _ARM_GCC_13)
    text = (ROOT / "toolchains" / "gcc.yaml").read_text("utf-8")
    (tmp_path / "toolchains").mkdir()
    core = '- name: cortex-m85\n    minimum_version: "13.1"'
    newer = text.replace("- name: cortex-m85", core)
    (tmp_path / "toolchains" / "gcc.yaml").write_text(newer, "utf-8")
    monkeypatch.chdir(tmp_path)
    descriptor = Project(tmp_path).toolchain("gcc").descriptor

    def find(folder: str) -> InstalledToolchain:
        given = str(tmp_path / folder)
        return find_toolchain(descriptor, "cortex-m85", "release", given, "/usr/bin:/bin")

    wanted = r"is 12\.2\.1, and cortex-m85 needs gcc 13\.1 or newer; get it with: "
    with pytest.raises(EthosmithError, match=wanted):
        find("old")
    assert descriptor.cores[1].flags[0] in find("new").flags


def test_the_first_clang_that_is_new_enough_counts(tmp_path: Path) -> None:
    _program(tmp_path, "clang", "Debian clang version 14.0.6")
    refused = r"needs clang 19 or newer: .*/clang is 14\.0\.6; get it with: "
    with pytest.raises(EthosmithError, match=refused):
        _find("clang", tmp_path, tmp_path)
    for name in ("clang-19", "clang++-19", "ld.lld-19", "arm-none-eabi-ar"):
        _program(tmp_path, name, _CLANG_19)
    with pytest.raises(EthosmithError, match=r"uses the libraries of arm-none-eabi-gcc"):
        find_toolchain(_descriptor("clang"), "cortex-m55", "release", "", str(tmp_path))


def test_apples_clang_is_not_taken(tmp_path: Path) -> None:
    _program(tmp_path, "clang", "Apple clang version 17.0.0 (clang-1700.0.13.3)")
    with pytest.raises(EthosmithError, match=r"/clang is apple-clang 17\.0\.0; get it with: "):
        _find("clang", tmp_path, tmp_path)


def test_a_plain_clang_is_not_arms_toolchain(tmp_path: Path) -> None:
    for name in ("clang", "clang++", "llvm-ar", "ld.lld"):
        _program(tmp_path, name, _CLANG_19)
    with pytest.raises(EthosmithError, match=r"has no C library for cortex-m55, so it is not the"):
        _find("llvm-embedded", tmp_path, tmp_path)
    # One that has it; every probe succeeds.
    _program(tmp_path, "clang", _CLANG_19, body="cat >/dev/null")
    _program(tmp_path, "ld.lld", "LLD 19.1.7 (compatible with GNU linkers)")
    found = _find("llvm-embedded", tmp_path, tmp_path)
    assert found.tools == (f"clang {_CLANG_19}", "linker LLD 19.1.7 (compatible with GNU linkers)")
    assert found.libraries.archives == ()


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("family: gcc", "family: gnu", "family: 'gnu' is not allowed"),
        ("link_flags:", "linkflags:", "unknown key 'linkflags'; did you mean 'link_flags'?"),
        ("-O2, -g", "-O2 -g", "'-O2 -g' is not one word without spaces and '$'"),
        ('"12.2"', "12.2", "minimum_version: input should be text (put it in quotes)"),
        ("cortex-m85", "cortex-m86", "'cortex-m86' is not allowed; did you mean 'cortex-m85'?"),
    ],
)
def test_a_wrong_descriptor_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: str, bad: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "toolchains" / "gcc.yaml").read_text("utf-8")
    file = tmp_path / "toolchains" / "gcc.yaml"
    file.parent.mkdir()
    file.write_text(text.replace(good, bad, 1), "utf-8")
    with pytest.raises(EthosmithError, match=rf"gcc\.yaml:\d+:\d+: .*{re.escape(message)}"):
        Project(tmp_path).toolchain("gcc")
