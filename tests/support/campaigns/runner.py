# SPDX-License-Identifier: Apache-2.0
"""Run a campaign in a process of its own, and note how each of its attacks ended.

The process is begun again behind an attack that ended it. An attack's processor time is limited
by SIGPROF, which ends native code too.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ethosmith.core.bounded_run import bounded_memory, max_memory_bytes
from tests.support.project_copy import ROOT

MAX_PROCESSOR_S = 20.0
MAX_GROWTH_BYTES = 500_000_000
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
# Of a reader that the isolated step ends itself; its parent says so in one line.
_ENDED = {-signal.SIGPROF: "ended after its time"}


@dataclass(frozen=True)
class Campaign:
    """One kind of attack.

    Attributes:
        prepare: makes the good files, given an empty folder; returns what ``attack`` takes.
        attack: makes one hostile file in the folder, given a number generator, reads it, and
            returns how that ended; any exception is a finding.
        count: attacks of the whole campaign.
        short: attacks of the daily tests.
        isolated: the reader runs in a process of its own in a build: its end by a signal is
            reported there, and counted here.
    """

    prepare: Callable[[Path], Any]
    attack: Callable[[Any, random.Random, Path], str]
    count: int
    short: int
    isolated: bool = False


@dataclass
class Tally:
    """What came of a campaign.

    Attributes:
        endings: how many ended in which way.
        findings: what must not be: exceptions, crashes, hangs, files outside.
        slowest_s: of processor time, of one attack.
        grown_bytes: by how much the process's resident size grew over that with the good files.
    """

    endings: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    grown_bytes: int = 0

    @property
    def total(self) -> int:
        """All attacks."""
        return self.endings.total() + len(self.findings)

    def __str__(self) -> str:
        ways = ", ".join(f"{count} {way}" for way, count in sorted(self.endings.items()))
        return (
            f"{self.total} attacks: {ways}; {len(self.findings)} findings; slowest"
            f" {self.slowest_s:.2f} s; grown by {self.grown_bytes / 1e6:.0f} MB"
        )


def run(name: str, campaign: Campaign, seed: int, count: int, folder: Path) -> Tally:
    """Run ``count`` attacks of a campaign that ``tests.support.campaigns.kinds`` has."""
    tally, first = Tally(), 0
    (folder / "home").mkdir(parents=True)
    (folder / "temporary").mkdir()
    environment = {
        **os.environ,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "temporary"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))),
    }
    while first < count:
        work = folder / f"work{first}"
        work.mkdir()
        words = [name, str(seed), str(first), str(count - first), str(work)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.campaigns.runner", *words],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        first = _note(tally, done, campaign, first)
        if campaign.isolated and done.returncode < 0:
            # As a build does with the folder that its steps have for such files.
            for path in folder.glob("temporary/*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    left = [path.name for path in (*folder.glob("home/*"), *folder.glob("temporary/*"))]
    tally.findings += [f"left behind: {name}" for name in left if not name.startswith(".")]
    return tally


def _note(
    tally: Tally, done: subprocess.CompletedProcess[bytes], campaign: Campaign, first: int
) -> int:
    """Add what a process reported; return the first attack that is still to be run."""
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        index, ending, seconds, grown = json.loads(line)
        first = index + 1
        if ending.startswith("!"):
            tally.findings.append(f"attack {index}: {ending[1:]}")
        else:
            tally.endings[ending] += 1
        tally.slowest_s = max(tally.slowest_s, seconds)
        tally.grown_bytes = max(tally.grown_bytes, grown)
    if done.returncode == 0:
        return first
    if campaign.isolated and done.returncode < 0:
        tally.endings[_ENDED.get(done.returncode, f"signal {-done.returncode}")] += 1
    else:
        tally.findings.append(f"attack {first}: the process ended with {done.returncode}")
    return first + 1


def _resident_bytes() -> int:
    usages = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in usages) * _RSS_UNIT


def _attempt(campaign: Campaign, state: Any, random_: random.Random, folder: Path) -> str:
    try:
        return campaign.attack(state, random_, folder)
    except Exception as error:  # noqa: BLE001 any exception is a finding
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        return f"!{type(error).__name__}: {str(error)[:300]} ({where})"


def _listing(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.name.startswith("hostile"))


def _work(name: str, seed: int, first: int, count: int, folder: Path) -> None:
    from tests.support.campaigns.kinds import CAMPAIGNS

    campaign = CAMPAIGNS[name]
    state = campaign.prepare(folder)
    os.chdir(folder)
    before, size_bytes = _listing(folder), _resident_bytes()
    for index in range(first, first + count):
        random_ = random.Random(f"{name} {seed} {index}")  # noqa: S311 a fixed seed, no secret
        signal.setitimer(signal.ITIMER_PROF, MAX_PROCESSOR_S)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        start = time.process_time()
        ending = _attempt(campaign, state, random_, folder)
        seconds = time.process_time() - start
        signal.setitimer(signal.ITIMER_PROF, 0)
        if (index % 50 == 0 or index == first + count - 1) and _listing(folder) != before:
            ending = f"!wrote {sorted(set(_listing(folder)) - set(before))}"
        report = [index, ending, seconds, _resident_bytes() - size_bytes]
        sys.__stdout__.write(json.dumps(report) + "\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]


if __name__ == "__main__":
    _name, *_numbers, _folder = sys.argv[1:]
    with bounded_memory(max_memory_bytes()):  # as the process of a step that may be ended
        _work(_name, int(_numbers[0]), int(_numbers[1]), int(_numbers[2]), Path(_folder))
