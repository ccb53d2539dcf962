# SPDX-License-Identifier: Apache-2.0
"""Ask a compiler what it is: GCC or Clang, and which version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.environment.tools import program_version

GCC = "gcc"
CLANG = "clang"
APPLE_CLANG = "apple-clang"

# "Debian clang version 19.1.7 (3~deb12u1)"; Apple counts its own versions.
_CLANG = re.compile(r"(Apple )?(?:clang|LLVM) version (\d+(?:\.\d+)*)")
# "arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205": the number behind the packager's words.
_GCC = re.compile(r"\)\s+(\d+(?:\.\d+)+)")


@dataclass(frozen=True)
class Compiler:
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
