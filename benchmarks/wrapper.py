# SPDX-License-Identifier: Apache-2.0
"""Measure what ./scons adds to SCons' own time once .venv is there (wanted: below 50 ms)."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 40
ALLOWED_MS = 50.0


def elapsed_ms(command: Sequence[str]) -> float:
    """Return the wall time of one run of ``command``."""
    begun_s = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun_s) * 1000


def main() -> int:
    """Run both in turns, so that a busy machine slows both, and compare the medians."""
    scons = ROOT / ".venv" / "bin"
    direct = [f"{scons}/python", f"{scons}/scons", "--version"]
    wrapped = [f"{ROOT}/scons", "--version"]
    elapsed_ms(wrapped)
    pairs = [(elapsed_ms(direct), elapsed_ms(wrapped)) for _ in range(ROUNDS)]
    direct_ms, wrapped_ms = (statistics.median(column) for column in zip(*pairs, strict=True))
    added_ms = statistics.median(after - before for before, after in pairs)
    print(f"scons {direct_ms:.1f} ms, ./scons {wrapped_ms:.1f} ms, added {added_ms:.1f} ms")
    return 0 if added_ms < ALLOWED_MS else 1


if __name__ == "__main__":
    sys.exit(main())
