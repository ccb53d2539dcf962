# SPDX-License-Identifier: Apache-2.0
"""Measure how a build without changes grows with the project: time and peak memory of SCons.

    python -m benchmarks.growth [--built 10,40] [--folders 10,100,500] [--rounds N]

``--built``: so many use cases, all built, then built again without changes. ``--folders``: one of
so many use cases is asked for. The use cases are copies of kws_micro, so the build cache gives
their outputs; the graph that SCons walks is as large as if each were another.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.project_copy import ProjectCopy

_ORIGINAL = "kws_micro"
_OTHERS = ("kws_micro", "inference_runner", "img_class", "vww", "ad", "asr")


@dataclass(frozen=True)
class Cost:
    """What one call of SCons took."""

    seconds: float
    peak_mib: float


def project_of(folder: Path, count: int) -> ProjectCopy:
    """Return a project of kws and ``count`` copies of one use case."""
    project = ProjectCopy.fresh(folder / f"{count} use cases")
    original = project.root / "usecases" / _ORIGINAL
    text = (original / "usecase.yaml").read_text("utf-8")
    for number in range(count):
        name = f"copy{number:03d}"
        shutil.copytree(original, original.with_name(name))
        own = re.sub(rf"^name: {_ORIGINAL}$", f"name: {name}", text, flags=re.MULTILINE)
        (original.with_name(name) / "usecase.yaml").write_text(own, "utf-8")
    for name in _OTHERS:
        shutil.rmtree(project.root / "usecases" / name)
    return ProjectCopy(project.root, {"ETHOSMITH_BUILD_CACHE": str(folder / "cache")})


def cost(project: ProjectCopy, *words: str) -> Cost:
    """Run scons, which has to succeed; its peak memory is the largest of its processes."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        project.command(*words),
        cwd=project.root,
        env=project.process_environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"scons {' '.join(words)} failed in {project.root}")
    per_mib = 1 << (20 if sys.platform == "darwin" else 10)
    return Cost(time.perf_counter() - begun, usage.ru_maxrss / per_mib)


def null_build(project: ProjectCopy, rounds: int, *words: str) -> Cost:
    """Return the median cost of builds without changes."""
    project.build(*words)
    costs = [cost(project, *words) for _ in range(rounds)]
    return Cost(statistics.median(c.seconds for c in costs), max(c.peak_mib for c in costs))


def show(title: str, costs: dict[int, Cost]) -> None:
    """Print a line for each size, and the growth per use case between the ends."""
    sys.stdout.write(f"{title}\n")
    for count, found in costs.items():
        sys.stdout.write(
            f"  {count:>4} use cases  {found.seconds:7.2f} s  {found.peak_mib:6.0f} MiB\n"
        )
    if len(costs) > 1:
        (few, least), *_, (many, most) = costs.items()
        more = many - few
        sys.stdout.write(
            f"  each use case more: {(most.seconds - least.seconds) / more * 1000:.1f} ms,"
            f" {(most.peak_mib - least.peak_mib) / more:.2f} MiB\n"
        )


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--built", default="10,40")
    parser.add_argument("--folders", default="10,100,500")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ethosmith-growth-") as temporary:
        folder = Path(temporary)
        one = {
            count: null_build(project_of(folder / "one", count), given.rounds, "usecase=kws")
            for count in map(int, given.folders.split(","))
        }
        show("One of so many, nothing changed", one)
        built = {
            count: null_build(project_of(folder / "all", count), given.rounds, "usecase=all")
            for count in map(int, given.built.split(","))
        }
        show("All of them, nothing changed", built)
    return 0


if __name__ == "__main__":
    sys.exit(main())
