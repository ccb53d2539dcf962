# SPDX-License-Identifier: Apache-2.0
"""Which machine of QEMU a board runs on: the first of those that suit it that this QEMU has."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from open_board.machine import QemuMachine

_LIMIT_S = 20.0


def choose_machine(program: Path, machines: Sequence[QemuMachine]) -> QemuMachine:
    """Return the first of ``machines`` that ``program`` lists, or the last if it lists none.

    Args:
        program: QEMU; asked only where there is a choice.
        machines: what suits the board, the best first.
    """
    for machine in machines[:-1]:
        if machine.name in _listed(program):
            return machine
    return machines[-1]


@cache
def _listed(program: Path) -> frozenset[str]:
    """Return the names of the machines of ``program``; none if it does not say.

    What is wrong with it shows, with a message of its own, when it is started as a board.
    """
    try:
        done = subprocess.run(
            [str(program), "-machine", "help"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_LIMIT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return frozenset(line.split()[0] for line in lines if line.strip())
