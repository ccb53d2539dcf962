# SPDX-License-Identifier: Apache-2.0
"""Compare the open board's speed with that of another checkout, run in turn.

    python -m benchmarks.board_ratio --axf FILE [--rounds N] CHECKOUT

A machine's pace changes from minute to minute, with what else it does: only the ratio of runs side
by side means something. Both run the same image, made for ethos-u55-128, on one processor where
the system can be told so. The best of N runs counts, by processor time and by the clock.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError
from tests.support.project_copy import ROOT

_RUN = (
    "import sys; from pathlib import Path; from benchmarks.board import inferences;"
    " print(*inferences(Path(sys.argv[1])))"
)
_LINE = re.compile(r"([\d.]+) .*, (\d+) a second of processor time; .*")


class Run(NamedTuple):
    """One run.

    Attributes:
        by_clock: Inferences per second.
        worked: Inferences per second of processor time.
        line: What `inferences` tells of it.
    """

    by_clock: float
    worked: float
    line: str


def measure(checkout: Path, axf: Path) -> Run:
    """Run an image once on a checkout's open board."""
    sources = (checkout / "distributions" / name / "src" for name in ("open-board", "ethosu-model"))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [checkout, *sources]))}
    pinned = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    done = subprocess.run(
        [*pinned, sys.executable, "-P", "-c", _RUN, str(axf)],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = _LINE.fullmatch(done.stdout.strip())
    if done.returncode or found is None:
        raise EthosmithError(f"{checkout}: the run failed: {(done.stderr or done.stdout)[-200:]}")
    return Run(float(found[1]), float(found[2]), done.stdout.partition(" ")[2].strip())


def main(argv: Sequence[str]) -> int:
    """Print each checkout's best run and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="what to compare with")
    parser.add_argument("--axf", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)
    checkouts = {"before": options.checkout.resolve(), "now": ROOT}
    runs: dict[str, list[Run]] = {name: [] for name in checkouts}
    for _ in range(options.rounds):
        for name, checkout in checkouts.items():
            runs[name].append(measure(checkout, options.axf.resolve()))
    for name in checkouts:
        sys.stdout.write(f"{name}: {max(runs[name]).line}\n")
    before, now = runs["before"], runs["now"]
    worked = max(run.worked for run in now) / max(run.worked for run in before)
    by_clock = max(run.by_clock for run in now) / max(run.by_clock for run in before)
    sys.stdout.write(
        f"now to before: {worked:.2f} of processor time, {by_clock:.2f} by the clock\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
