# SPDX-License-Identifier: Apache-2.0
"""Ask a compiler what it is, and which headers and archives it borrows from another."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError
from ethosmith.environment.tools import program_version

GCC = "gcc"
CLANG = "clang"
APPLE_CLANG = "apple-clang"

# "Debian clang version 19.1.7 (3~deb12u1)"; Apple counts its own versions.
_CLANG = re.compile(r"(Apple )?(?:clang|LLVM) version (\d+(?:\.\d+)*)")
# "arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205": the number behind the packager's words.
_GCC = re.compile(r"\)\s+(\d+(?:\.\d+)+)")


class Compiler(NamedTuple):
    """What a compiler is.

    Attributes:
        family: `GCC`, `CLANG` or `APPLE_CLANG`.
        version: such as (12, 2, 1).
        line: what it says of itself, a distribution's revision included.
    """

    family: str
    version: tuple[int, ...]
    line: str

    @property
    def version_text(self) -> str:
        """The version with dots."""
        return ".".join(map(str, self.version))

    def is_older_than(self, version: str) -> bool:
        """Compare with a version such as ``12.2``."""
        return self.version < version_numbers(version)


def version_numbers(text: str) -> tuple[int, ...]:
    """Return ``12.2`` as (12, 2)."""
    return tuple(int(number) for number in text.split("."))


def identify(program: Path) -> Compiler:
    """Return what the compiler ``program`` is.

    Raises:
        EthosmithError: it does not run, or is neither GCC nor Clang.
    """
    line = program_version(program)
    clang = _CLANG.search(line)
    if clang:
        return Compiler(APPLE_CLANG if clang[1] else CLANG, version_numbers(clang[2]), line)
    gcc = _GCC.search(line)
    if gcc:
        return Compiler(GCC, version_numbers(gcc[1]), line)
    raise EthosmithError(f"{program}: '{line}' is neither GCC nor Clang")


_LIMIT_S = 20
_LIST_BEGIN = "#include <...> search starts here:"
_LIST_END = "End of search list."


class SystemLibraries(NamedTuple):
    """Headers and archives of the C and C++ library.

    Attributes:
        include_dirs: for C and C++, in this order.
        cxx_include_dirs: for C++ alone, before the others.
        archives: in link order.
    """

    include_dirs: tuple[Path, ...] = ()
    cxx_include_dirs: tuple[Path, ...] = ()
    archives: tuple[Path, ...] = ()


def borrowed(compiler: Path, flags: Sequence[str], archives: Sequence[str]) -> SystemLibraries:
    """Return the libraries that the GCC ``compiler`` would use under ``flags``.

    Raises:
        EthosmithError: it has no such variant, or an archive of it is missing.
    """
    found = _include_dirs(compiler, tuple(flags))
    cxx = tuple(folder for folder in found if "c++" in folder.parts)
    return SystemLibraries(
        include_dirs=tuple(folder for folder in found if folder not in cxx),
        cxx_include_dirs=cxx,
        archives=tuple(_archive(compiler, flags, name) for name in archives),
    )


def _include_dirs(compiler: Path, flags: tuple[str, ...]) -> list[Path]:
    """Return its search path, less the folders of headers that are the compiler's own."""
    told = _ask(compiler, *flags, "-E", "-v", "-x", "c++", "/dev/null")
    _, _, listing = told.partition(_LIST_BEGIN)
    lines, found, _ = listing.partition(_LIST_END)
    if not found:
        raise EthosmithError(f"{compiler} does not say where its headers are")
    own = Path(_ask(compiler, *flags, "-print-file-name=include").strip()).resolve()
    folders = [Path(line.strip()).resolve() for line in lines.splitlines() if line.strip()]
    return [folder for folder in folders if folder not in (own, own.with_name("include-fixed"))]


def _archive(compiler: Path, flags: Sequence[str], name: str) -> Path:
    path = Path(_ask(compiler, *flags, f"-print-file-name={name}").strip())
    # The compiler answers with the bare name for what it does not find.
    if not path.is_absolute():
        raise EthosmithError(
            f"{name} is missing: {compiler} has none for {' '.join(flags)}; install its C and C++"
            " library"
        )
    return path.resolve()


@functools.cache
def _ask(compiler: Path, *arguments: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    done = run_within([compiler, *arguments], _LIMIT_S, environment=environment)
    output, messages = os.fsdecode(done.stdout), os.fsdecode(done.stderr)
    if done.returncode:
        reason = [*messages.strip().splitlines(), f"ended with status {done.returncode}"][0]
        raise EthosmithError(f"{compiler}: {reason}")
    return output + messages
