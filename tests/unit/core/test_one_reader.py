# SPDX-License-Identifier: Apache-2.0
"""Files are read by the bounded readers alone: nothing else in a package opens one to read it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project_copy import ROOT

# Where each package keeps its readers: a folder, or a module.
READERS = {
    ROOT / "ethosmith": ROOT / "ethosmith/core",
    ROOT / "site_scons": ROOT / "ethosmith/core",
    ROOT / "distributions/open-board/src/open_board": (
        ROOT / "distributions/open-board/src/open_board/files.py"
    ),
    ROOT / "distributions/ethosu-model/src/ethosu_model": (
        ROOT / "distributions/ethosu-model/src/ethosu_model/files.py"
    ),
}
_READ_MODE = re.compile(r"[rbt]+")
_METHODS = {"read_text", "read_bytes"}
# Of libraries that open a file by its name: the function has to check the file itself.
_OPENERS = {"load", "fromfile", "ZipFile", "TarFile", "File", "SoundFile", "open"}
_LIBRARIES = {"np", "zipfile", "tarfile", "h5py", "soundfile", "Image", "gzip", "bz2", "lzma"}
_CHECKS = {"open_regular", "check_readable", "read_bytes"}
# What lets os.open write, wait for nothing, or open a folder.
_HARMLESS = re.compile(r"O_(NONBLOCK|DIRECTORY|WRONLY|RDWR)|\bflags\b|os\.devnull")


def _mode(call: ast.Call, position: int) -> str | None:
    """Return the mode of a call of ``open``; None if it is no mode."""
    given = [word.value for word in call.keywords if word.arg == "mode"]
    given += call.args[position : position + 1]
    if not given:
        return "r"
    value = given[0].value if isinstance(given[0], ast.Constant) else None
    return value if isinstance(value, str) else None


def _name(node: ast.AST) -> str:
    """Return a dotted name; empty for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _name(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def _reads(call: ast.Call) -> bool:
    """Say whether a call opens or reads a file by its name."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id == "open" and _READ_MODE.fullmatch(_mode(call, 1) or "") is not None
    if not isinstance(function, ast.Attribute):
        return False
    owner = _name(function.value)
    if owner == "os":
        return function.attr == "open" and _HARMLESS.search(ast.unparse(call)) is None
    if function.attr in _METHODS:
        return owner != "files"
    named = function.attr == "open" and owner not in _LIBRARIES
    return named and _READ_MODE.fullmatch(_mode(call, 0) or "") is not None


def _libraries_read(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """Yield the calls by which a library opens a path that the function did not check."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    paths = {
        one.arg for one in arguments if one.annotation and "Path" in ast.unparse(one.annotation)
    }
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    if {_name(call.func) for call in calls} & _CHECKS:
        return
    for call in calls:
        owner, _, name = _name(call.func).rpartition(".")
        given = _name(call.args[0]) if call.args else ""
        if owner in _LIBRARIES and name in _OPENERS and given.removeprefix("self.") in paths:
            yield call


def direct_reads(path: Path) -> list[str]:
    """Return the places where a module reads a file past the readers."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    calls = [node for node in nodes if isinstance(node, ast.Call) and _reads(node)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    calls += [call for function in functions for call in _libraries_read(function)]
    return [f"{path}:{call.lineno}: {ast.unparse(call)}" for call in calls]


@pytest.mark.parametrize("package", READERS, ids=lambda path: path.name)
def test_nothing_but_the_readers_opens_a_file_to_read_it(package: Path) -> None:
    readers = READERS[package]
    modules = [path for path in package.rglob("*.py") if not path.is_relative_to(readers)]
    assert modules
    assert sorted(place for path in modules for place in direct_reads(path)) == []


_FORMS = """
path.read_text("utf-8")
Path(name).read_bytes()
open(name)
open(name, "rb")
path.open()
path.open("rb")
path.open(encoding="utf-8", newline="")
os.open(path, os.O_RDONLY)
def f(path: Path): return np.load(path)
def f(path: Path): return zipfile.ZipFile(path)
def f(path: Path): return Image.open(path)
def f(path: Path): return h5py.File(path, "r")
"""
_OTHERS = """
path.open("wb")
open(name, "a")
read_text(path)
files.read_bytes(path)
archive.open("config.json")
os.open(path, os.O_RDWR)
def f(path: Path): check_readable(path); return np.load(path)
def f(file: BinaryIO): return zipfile.ZipFile(file)
"""


def test_the_search_finds_each_form(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    for forms, expected in ((_FORMS, 1), (_OTHERS, 0)):
        for form in forms.split("\n")[1:-1]:
            module.write_text(f"{form}\n")
            assert len(direct_reads(module)) == expected, form
