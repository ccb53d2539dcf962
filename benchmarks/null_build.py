# SPDX-License-Identifier: Apache-2.0
"""Measure ``./scons`` when nothing has changed, beside Python's own start and SCons's.

    python -m benchmarks.null_build [usecase=NAME ...]

All three run in turns, so that a busy machine slows all of them; the ratios say more than the
times. The project is built first.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 30
# Of Python's start without site-packages, which is the least that an answer can take.
MAX_RATIO = 5.0


def elapsed_s(command: Sequence[str]) -> float:
    """Return the wall time of one run of ``command``."""
    begun_s = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun_s


def main() -> int:
    """Print the medians; the exit code is 1 if the answer takes too long, or is none."""
    words = sys.argv[1:] or ["usecase=kws", "target=fvp"]
    python, scons = f"{ROOT}/.venv/bin/python", f"{ROOT}/.venv/bin/scons"
    wrapper = [f"{ROOT}/scons", *words]
    for _ in range(2):
        elapsed_s(wrapper)
    commands = {
        "python -I -S": [python, "-I", "-S", "-c", "pass"],
        "./scons": wrapper,
        "scons --version": [python, scons, "--version"],
    }
    rows = [[elapsed_s(command) for command in commands.values()] for _ in range(ROUNDS)]
    medians_s = [statistics.median(column) for column in zip(*rows, strict=True)]
    for name, median_s in zip(commands, medians_s, strict=True):
        print(f"{name:<20}{median_s * 1000:>8.1f} ms")
    ratio = statistics.median(row[1] / row[0] for row in rows)
    print(f"{'./scons / python':<20}{ratio:>8.1f}     at most {MAX_RATIO:g}")
    print(f"load average of the last minute {os.getloadavg()[0]:.1f}")
    return 0 if ratio <= MAX_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
