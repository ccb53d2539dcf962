# SPDX-License-Identifier: Apache-2.0
"""Compile a set of files into an archive with ninja, which tracks the headers that they include."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ethosmith.core.files import update_text
from ethosmith.libraries.select import SourceFile
from ethosmith.libraries.spec import LibrarySpec

_HEAD = """\
ninja_required_version = 1.7
builddir = {builddir}

rule cc
  command = {cc} -MD -MF $out.d $flags -c -o $out $in
  depfile = $out.d
  deps = gcc
  description = CC $out

rule cxx
  command = {cxx} -MD -MF $out.d $flags -c -o $out $in
  depfile = $out.d
  deps = gcc
  description = CXX $out

rule ar
  command = rm -f $out && {ar} $out @$out.rsp
  rspfile = $out.rsp
  rspfile_content = $in_newline
  description = AR $out
"""


def write_ninja_file(
    spec: LibrarySpec,
    files: Sequence[SourceFile],
    unsigned: Mapping[str, Sequence[str]],
    root: Path,
    folder: Path,
) -> Path:
    """Write ``folder``/build.ninja, for a run in the project's folder; return the archive's path.

    Args:
        spec: the library.
        files: what to compile.
        unsigned: further ``flags`` and ``cxxflags``, and the compilers' ``launcher``.
        root: the project's folder.
        folder: of everything that is made, relative to it.
    """
    archive = folder / f"lib{spec.name}.a"
    text = "\n".join([_head(spec, unsigned, folder), *_builds(spec, files, folder, archive), ""])
    update_text(root / folder / "build.ninja", text)
    return archive


def _head(spec: LibrarySpec, unsigned: Mapping[str, Sequence[str]], folder: Path) -> str:
    compilers, launcher = spec.compilers, unsigned.get("launcher", ())
    common = [
        *compilers.flags,
        *unsigned.get("flags", ()),
        *(f"-D{name}" for name in spec.defines),
        *(f"-I{path}" for path in spec.include_dirs),
    ]
    return _HEAD.format(
        builddir=_path(folder),
        cc=_command([*launcher, *compilers.cc, *compilers.cflags, *common]),
        cxx=_command([*compilers.cxx, *compilers.cxxflags, *unsigned.get("cxxflags", ()), *common]),
        ar=_command([*compilers.ar, *compilers.arflags]),
    )


def _builds(
    spec: LibrarySpec, files: Sequence[SourceFile], folder: Path, archive: Path
) -> Iterator[str]:
    objects = []
    for file in files:
        source, target = Path(spec.link) / file.path, folder / "obj" / f"{file.path}.o"
        rule = "cxx" if file.is_cxx else "cc"
        yield f"build {_path(target)}: {rule} {_path(source)}\n  flags = {_command(file.cflags)}"
        objects.append(_path(target))
    yield f"build {_path(archive)}: ar {' '.join(objects)}\ndefault {_path(archive)}"


def _command(words: Sequence[str]) -> str:
    """Return ``words`` for ninja, which gives commands to a shell."""
    return shlex.join(words).replace("$", "$$")


def _path(path: Path) -> str:
    text = path.as_posix().replace("$", "$$")
    return text.replace(" ", "$ ").replace(":", "$:")
