# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.support.kills [--kills N] [--seed N]``: kill commands, then build.

Each command runs in a project of its own, with a build cache, a card, a downloads cache and
ccache with a Redis server. It is killed at a random moment, by a random signal, in one of its
processes or in all. A third of the times, all files' times are moved first, as after the clock was
set. Then no process may be left; and from time to time, and at the end, a build has to give the
bytes of a clean one and leave nothing behind.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ethosmith.core.files import unfinished_below
from tests.support.project_copy import ProjectCopy

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
VICTIMS = ("scons", "group", "child", "leaf")
_KWS = "usecase=kws"
_BUILD = (_KWS, "-j2")
_CACHING = (_KWS, "-j2", "--cache-force")
COMMANDS: Mapping[str, Sequence[str]] = {
    "build": _BUILD,
    "cache": _CACHING,
    "flash": (_KWS, "target=mps3", "flash"),
    "sweep": (_KWS, "npu=ethos-u55-64,ethos-u55-128", "sweep"),
    "deps": ("deps", _KWS),
    "new": ("new", "usecase=fruit", "template=vector"),
    "accuracy": (_KWS, "accuracy"),
    "clean": ("-c", _KWS),
}
# Of the processes that a guard of the board, ccache and Redis leave for an instant.
_END_S = 60.0
_LONGEST_S = 8.0
_BUILDS_EVERY = 10
_DAY_S = 86400.0


@dataclass
class Report:
    """What was done, and what must not be."""

    done: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    builds: int = 0


@dataclass(frozen=True)
class Place:
    """A project with all that its commands write to."""

    project: ProjectCopy
    card: Path
    cache: Path
    temporary: Path
    clean: Mapping[str, bytes]
    on_card: Mapping[str, bytes]

    def words(self, name: str) -> list[str]:
        """Return the words of a command."""
        card = [f"card={self.card}"] if name == "flash" else []
        return [*COMMANDS[name], *card]


def descendants(pid: int) -> list[int]:
    """Return a process's descendants, children first."""
    found = []
    for child in _children(pid):
        found += [child, *descendants(child)]
    return found


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
        return [int(word) for word in text.split()]
    return []


def _processes_in(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def _kill(process: subprocess.Popen[bytes], number: signal.Signals, victim: str) -> None:
    """Send a signal to SCons, its group, one of its children or a process without any."""
    with contextlib.suppress(ProcessLookupError):
        if victim == "group":
            os.killpg(process.pid, number)
            return
        chosen = process.pid
        if victim == "child":
            chosen = next(iter(_children(process.pid)), chosen)
        elif victim == "leaf":
            chosen = next((pid for pid in descendants(chosen)[::-1] if not _children(pid)), chosen)
        os.kill(chosen, number)


def _killed(place: Place, name: str, random_: random.Random) -> str:
    """Run a command and kill it; return what was done to it."""
    number, victim = random_.choice(SIGNALS), random_.choice(VICTIMS)
    process = subprocess.Popen(
        place.project.command(*place.words(name)),
        cwd=place.project.root,
        env=place.project.process_environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(random_.uniform(0.3, random_.choice((1.5, 3.0, _LONGEST_S))))
        return f"{name} ended"
    _kill(process, number, victim)
    if victim in {"child", "leaf"} or number != signal.SIGKILL:
        # SCons may end in order, or not mind: then it is ended as a whole.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(random_.uniform(0.5, 3.0))
        process.kill()
    process.wait()
    return f"{name} {number.name} {victim}"


def kill_at_first_note(project: ProjectCopy, *words: str) -> None:
    """Start a long run, and kill all of it as soon as a first step is noted as finished."""
    process = subprocess.Popen(
        project.command(*words),
        cwd=project.root,
        env=project.process_environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    finished = project.root / "build/.ethosmith/finished/steps"
    while not any(finished.glob(f"??/{'[0-9a-f]' * 64}")):
        assert process.poll() is None, "the run ended before a step was noted"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _move_times(root: Path, random_: random.Random) -> None:
    """Move the times of all files, as if the clock had been set since."""
    by_s = random_.choice((-1, 1)) * random_.uniform(1, 400 * _DAY_S)
    for path in root.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                at_s = path.stat().st_mtime + by_s
                os.utime(path, (at_s, at_s))


def _wait_until_alone(folder: Path) -> list[str]:
    end_s = time.monotonic() + _END_S
    while (running := _processes_in(folder)) and time.monotonic() < end_s:
        time.sleep(0.05)
    return running


def _forget_some(place: Place, random_: random.Random) -> None:
    """Remove some outputs, so that there is something to make again."""
    build = place.project.root / "build"
    outputs = place.project.built_paths() if build.is_dir() else []
    for path in random_.sample(outputs, len(outputs) // 4):
        path.unlink()
    shutil.rmtree(place.project.root / "usecases" / "fruit", ignore_errors=True)


def _check(place: Place, report: Report) -> None:
    """Build, flash, and compare with a clean build."""
    report.builds += 1
    outcome = place.project.scons(*_BUILD)
    if outcome.exit_code != 0:
        report.findings.append(f"the build failed: {outcome.text[-800:]}")
        return
    got = place.project.built_files()
    wrong = [name for name, data in place.clean.items() if got.get(name) != data]
    if wrong:
        report.findings.append(f"other bytes: {wrong[:5]}")
    flashed = place.project.scons(*place.words("flash"))
    if flashed.exit_code != 0 or _loaded(place.card) != place.on_card:
        report.findings.append(f"the card: {flashed.text[-400:]}")
    left = [
        *unfinished_below(place.project.root),
        *place.temporary.iterdir(),
        *place.card.rglob("*.new"),
    ]
    if left:
        report.findings.append(f"left over: {sorted(map(str, left))[:8]}")


def _loaded(card: Path) -> dict[str, bytes]:
    """Return what the list on the card loads, by the image's address."""
    text = next(card.glob("MB/*/AN552/images.txt")).read_text("ascii", "replace")
    files = re.findall(r"^IMAGE(\d+)FILE: \\SOFTWARE\\(\S+)", text, re.MULTILINE)
    return {number: (card / "SOFTWARE" / name).read_bytes() for number, name in files}


def _card(root: Path) -> Path:
    (root / "SOFTWARE").mkdir(parents=True)
    board = root / "MB" / "HBI0309C"
    (board / "AN552").mkdir(parents=True)
    (board / "board.txt").write_bytes(b"BOARD: HBI0309\r\nAPPFILE: AN552\\an_v1.txt\r\n")
    return root


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Redis server, where there is one with ccache; yield what ccache has to know."""
    from tests.build.rebuild.test_launchers import free_port, server

    redis = shutil.which("redis-server")
    if redis is None or shutil.which("ccache") is None:
        yield {"CCACHE_DISABLE": "1"}
        return
    port = free_port()
    command = (redis, "--port", str(port), "--save", "", "--dir", str(folder))
    with server(*command, port=port, log=folder / "redis.log"):
        yield {
            "CCACHE_DIR": str(folder / "ccache"),
            "CCACHE_CONFIGPATH": os.devnull,
            "CCACHE_REMOTE_STORAGE": f"redis://127.0.0.1:{port}",
        }


def _prepared(folder: Path, variables: Mapping[str, str]) -> Place:
    temporary = folder / "temporary"
    temporary.mkdir()
    base = ProjectCopy.fresh(folder / "a project")
    # By the user's own build cache, whose bytes other tests compare.
    first = ProjectCopy(base.root, {"CCACHE_DISABLE": "1"})
    first.build(*_BUILD)
    files = first.built_files()
    card = _card(folder / "card")
    first.build(*COMMANDS["flash"], f"card={card}")
    cache = folder / "cache"
    project = ProjectCopy(base.root, {**variables, "ETHOSMITH_BUILD_CACHE": str(cache)})
    project.build(*_CACHING)
    return Place(project, card, cache, temporary, files, _loaded(card))


def kill_and_build(kills: int, seed: int, folder: Path, limit_s: float = float("inf")) -> Report:
    """Kill commands, and build now and then; end early after ``limit_s``."""
    report, random_, end_s = Report(), random.Random(seed), time.monotonic() + limit_s  # noqa: S311
    os.environ.pop("CCACHE_DISABLE", None)
    with _redis(folder) as variables:
        place = _prepared(folder, variables)
        names = list(COMMANDS)
        for number in range(kills):
            _forget_some(place, random_)
            if random_.random() < 1 / 3:
                _move_times(place.project.root, random_)
                report.done["clock moved"] += 1
            report.done[_killed(place, names[number % len(names)], random_)] += 1
            running = _wait_until_alone(place.project.root)
            if running:
                report.findings.append(f"still running: {running[:3]}")
            if number % _BUILDS_EVERY == _BUILDS_EVERY - 1:
                _check(place, report)
            if time.monotonic() > end_s:
                break
        _check(place, report)
    return report


def main() -> int:
    """Kill, report, and return 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        report = kill_and_build(options.kills, options.seed, Path(folder), 60 * options.minutes)
    kills = sum(count for what, count in report.done.items() if len(what.split()) == 3)
    for what, count in sorted(report.done.items()):
        sys.stdout.write(f"{count:4} {what}\n")
    sys.stdout.write(f"{kills} kills, {report.builds} builds, {len(report.findings)} findings\n")
    sys.stdout.write("".join(f"{finding}\n" for finding in report.findings))
    return int(bool(report.findings))


if __name__ == "__main__":
    sys.exit(main())
