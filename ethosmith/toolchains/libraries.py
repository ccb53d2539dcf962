# SPDX-License-Identifier: Apache-2.0
"""Find the headers and archives that one compiler borrows from another: newlib's, by its GCC."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError

_TIMEOUT_S = 20
_LIST_BEGIN = "#include <...> search starts here:"
_LIST_END = "End of search list."


@dataclass(frozen=True)
class SystemLibraries:
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
    try:
        done = subprocess.run(
            [compiler, *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        raise EthosmithError(f"{compiler}: {reason.strip().splitlines()[0]}") from None
    return done.stdout + done.stderr
