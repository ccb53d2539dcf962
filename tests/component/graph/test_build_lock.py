# SPDX-License-Identifier: Apache-2.0
"""The build's lock: one build at a time, and nothing left of one that was killed."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build_lock import BuildLock, swept

_HOLDER = """
import subprocess, sys, time
from pathlib import Path
from ethosmith.graph.build_lock import BuildLock, swept
lock = BuildLock(Path(sys.argv[1]))
if sys.argv[2] != "0":
    subprocess.Popen([sys.executable, "-c", sys.argv[3]], close_fds=False)
print("held", flush=True)
time.sleep(60)
"""
_STEP = "import time, pathlib; time.sleep({seconds}); pathlib.Path({path!r}).write_text('late')"


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started = []

    def build(folder: Path, step: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(folder), str(len(step)), step],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield build
    for process in started:
        process.kill()
        process.wait()


def test_a_second_build_is_refused_while_the_first_runs(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    start(tmp_path)
    begin = time.monotonic()
    with pytest.raises(EthosmithError, match=r"^another build is running in .*; wait for it"):
        BuildLock(tmp_path)
    assert time.monotonic() - begin < 5


def test_the_last_step_of_a_killed_build_is_waited_for(
    tmp_path: Path,
    start: Callable[..., subprocess.Popen[str]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    late = tmp_path / "late.o"
    build = start(tmp_path, _STEP.format(seconds=1.0, path=str(late)))
    build.send_signal(signal.SIGKILL)
    build.wait()
    assert not late.exists()
    BuildLock(tmp_path).release()
    assert capfd.readouterr().err == "waiting for the last step of a killed build\n"
    # Whoever has the lock finds all that it will ever write.
    assert late.read_text() == "late"


def test_a_step_that_never_ends_is_not_waited_for_longer_than_steps_take(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    build = start(tmp_path, _STEP.format(seconds=5, path=str(tmp_path / "late.o")))
    build.send_signal(signal.SIGKILL)
    build.wait()
    with pytest.raises(EthosmithError, match="another build is running"):
        BuildLock(tmp_path, longest_step_s=0.2)


def test_what_a_killed_step_was_writing_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """As after a step that ran out of memory, in a build that then ended in order."""
    BuildLock(tmp_path).release()
    script = (
        "import os, pathlib, sys; from ethosmith.core.files import writing_beside\n"
        "with writing_beside(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    target = tmp_path / "fvp" / "kws.axf"
    target.parent.mkdir()
    target.write_text("the image of before")
    subprocess.run([sys.executable, "-c", script, str(target)], check=False)
    (tmp_path / "fvp" / ".unfinished.folder").mkdir()
    (tmp_path / "fvp" / ".unfinished.folder" / "member").touch()
    (tmp_path / "fvp" / ".ninja_log").touch()
    assert len(list(target.parent.iterdir())) == 4
    BuildLock(tmp_path).release()
    assert {path.name for path in target.parent.iterdir()} == {"kws.axf", ".ninja_log"}
    assert target.read_text() == "the image of before"


def test_what_somebody_is_making_is_not_swept_away(tmp_path: Path) -> None:
    begun = tmp_path / ".unfinished.begun"
    begun.mkdir()
    with swept(tmp_path):
        assert not begun.exists()
        begun.mkdir()
        with swept(tmp_path):
            assert begun.exists()
    with swept(tmp_path):
        assert not begun.exists()


def _lead_elsewhere(lock: Path) -> None:
    lock.symlink_to(lock.parent.parent / "precious")


def _pipe(lock: Path) -> None:
    os.mkfifo(lock)


@pytest.mark.parametrize("instead", [_lead_elsewhere, _pipe, Path.mkdir])
def test_what_is_no_lock_is_neither_followed_nor_emptied(
    instead: Callable[[Path], None], tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "build").mkdir()
    instead(tmp_path / "build" / ".lock")
    with pytest.raises(EthosmithError, match=r"\.lock: not a regular file"):
        BuildLock(tmp_path / "build")
    assert precious.read_text() == "mine"


def test_a_file_system_without_locks_is_not_another_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(EthosmithError, match=r"cannot be locked: No locks available") as caught:
        BuildLock(tmp_path / "build")
    assert "another build" not in str(caught.value)
