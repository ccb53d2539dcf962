# SPDX-License-Identifier: Apache-2.0
"""The program that compilers are started through: one that remembers, or one that distributes.

It changes when and where a file is compiled, not what the device runs. So it is no part of any
step's signature, and none of the commands that a build shows or hands to editors.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from ethosmith.core.errors import EthosmithError

AUTO, NONE, CCACHE = "auto", "none", "ccache"
_DISTRIBUTING = ("distcc", "icecc")
NAMES = (AUTO, NONE, CCACHE, *_DISTRIBUTING)
# Neither links nor archives go through it: there is nothing to remember or to send away.
_COMPILES = "-c"


@dataclass(frozen=True)
class Launcher:
    """How a compiler is started.

    Attributes:
        program: ccache, distcc or icecc; empty: the compiler starts by itself.
    """

    program: str = ""

    @property
    def sends_preprocessed(self) -> bool:
        """Whether the compiler sees no macros: its debug information names other lines for them.

        What such a compiler makes stays apart in the build cache.
        """
        return self.program in _DISTRIBUTING

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command that does what ``arguments`` say."""
        if self.program and _COMPILES in arguments:
            return [self.program, *arguments]
        return list(arguments)


def find_launcher(option: str, search_path: str | None) -> Launcher:
    """Return the launcher of ``launcher=``: for ``auto``, ccache if it is there.

    Args:
        option: one of `NAMES`.
        search_path: ``PATH`` of the build.

    Raises:
        EthosmithError: it is asked for by name, and missing.
    """
    if option == NONE:
        return Launcher()
    name = CCACHE if option == AUTO else option
    if shutil.which(name, path=search_path):
        return Launcher(name)
    if option == AUTO:
        return Launcher()
    raise EthosmithError(
        f"launcher={name}: {name} was not found on the PATH; install it, or give launcher={NONE}"
    )
