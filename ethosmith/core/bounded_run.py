# SPDX-License-Identifier: Apache-2.0
"""Run a program to its end within a limit that a busy machine does not use up.

What counts is the processor time of the program and its children. While none of them computes
or is ready to, as one that waits for input for ever, the clock counts.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_start

_INTERVAL_S = 1.0
# Of one interval, whatever the clock says: this process may have been stopped, or suspended.
_MAX_INTERVAL_S = 5.0
# How much slower a busy machine may be, where all that is known is the time: without /proc, or
# of processes that compute now and then, and wait at the moment.
_SLACK = 10.0
_MAX_STAT_BYTES = 4096
# No program that is asked here says as much; one that never stops must not fill the memory.
_MAX_OUTPUT_BYTES = 256 << 20
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_LEAST_MEMORY_BYTES = 3 << 30
_PIECE_BYTES = 64 << 10
_MAX_PROCESSES = 1000

Look = Callable[[int], tuple[float, bool] | None]


def run_within(
    command: Sequence[str | Path],
    limit_s: float,
    *,
    given: bytes = b"",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program and return its status, output and messages.

    Args:
        command: the program and its arguments.
        limit_s: seconds that it may compute, or wait for something without computing.
        given: its standard input.
        folder: it runs in; None: the present one.
        environment: its environment; None: this process's.

    Raises:
        EthosmithError: it cannot be started, does not end, or writes more than 256 MiB.
    """
    name = str(command[0])
    with _as_input(given) as source:
        try:
            process = subprocess.Popen(
                list(map(str, command)),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=environment,
            )
        except (OSError, ValueError) as error:
            raise EthosmithError(f"{name}: cannot be run: {error}") from None
        with process:
            output, messages = _communicate(process, name, limit_s)
    return subprocess.CompletedProcess(process.args, process.returncode, output, messages)


@contextlib.contextmanager
def bounded_time(limit_s: float) -> Iterator[None]:
    """End this process by SIGPROF if the block computes for longer than ``limit_s``.

    No exception would reach native code that loops: the parent of an isolated step tells the user.
    """
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    # Processor time: a busy machine or a slow disk says nothing of the file.
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def max_memory_bytes() -> int:
    """Return what one process may hold: half of this machine's, or container's; 3 GiB at least."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with contextlib.suppress(EthosmithError, ValueError):
        found.append(int(read_start(_CONTAINER_LIMIT, _MAX_STAT_BYTES)))
    return max(min(found) // 2, _LEAST_MEMORY_BYTES)


@contextlib.contextmanager
def bounded_memory(limit_bytes: int) -> Iterator[None]:
    """Let this process hold no more than that in the block: what asks for more gets none.

    A network may say sizes for which a library takes all memory there is; the system then ends
    any process of the machine. Where it does not count the limit (macOS), nothing is bounded.
    """
    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    if before != resource.RLIM_INFINITY and before < limit_bytes:
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, most))


@contextlib.contextmanager
def _as_input(given: bytes) -> Iterator[IO[bytes] | int]:
    """Yield what a program is given as its standard input.

    A file: Python forgets what a pipe has not taken when it looks at the clock in between.
    """
    if not given:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(given)
        file.seek(0)
        yield file


def _communicate(
    process: subprocess.Popen[bytes], name: str, limit_s: float
) -> tuple[bytes, bytes]:
    meter = Meter(process.pid)
    readers = [_Reader(stream) for stream in (process.stdout, process.stderr) if stream]
    try:
        is_over = False
        while not is_over:
            is_over = _is_over(process, readers, min(_INTERVAL_S, limit_s))
            if any(reader.is_full for reader in readers):
                raise EthosmithError(
                    f"{name}: writes more than {_MAX_OUTPUT_BYTES >> 20} MiB; stopped"
                )
            if not is_over and meter.used_s() >= limit_s:
                raise EthosmithError(f"{name}: no end after {limit_s:g} s of computing or waiting")
    except BaseException:
        _end(process)
        for reader in readers:
            # A file that is closed while it is read may be another's a moment later.
            reader.join(_INTERVAL_S)
        raise
    output, messages = (reader.content for reader in readers)
    return output, messages


def _is_over(
    process: subprocess.Popen[bytes], readers: Sequence[_Reader], patience_s: float
) -> bool:
    """Wait a while; say whether all is read and the program, which may go on behind that, ended."""
    for reader in readers:
        reader.join(patience_s / len(readers))
    if any(reader.is_alive() for reader in readers):
        return False
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=patience_s)
    return process.returncode is not None


class _Reader(threading.Thread):
    """Reads what a program writes, up to a limit."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._pieces: list[bytes] = []
        self._size_bytes = 0
        self.start()

    def run(self) -> None:
        """Read until the end, or the limit."""
        with contextlib.suppress(OSError, ValueError):
            while not self.is_full and (piece := os.read(self._stream.fileno(), _PIECE_BYTES)):
                self._pieces.append(piece)
                self._size_bytes += len(piece)

    @property
    def is_full(self) -> bool:
        """Whether more was written than the limit."""
        return self._size_bytes > _MAX_OUTPUT_BYTES

    @property
    def content(self) -> bytes:
        """What was written."""
        return b"".join(self._pieces)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all below it."""
    for pid in _below(process.pid):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    process.kill()


class Meter:
    """What a process and its children have used of their limit."""

    def __init__(
        self,
        pid: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        look: Look | None = None,
    ) -> None:
        """Begin to count.

        Args:
            pid: of the process.
            clock: returns the time in seconds.
            look: returns the processor time of the processes in seconds, and whether one is
                ready to compute; None: the system does not tell.
        """
        self._pid = pid
        self._clock = clock
        self._look = look or computing
        self._used_s = 0.0
        self._last_s = clock()
        self._last_computed_s = 0.0

    def used_s(self) -> float:
        """Return the seconds used until now."""
        now_s = self._clock()
        passed_s = min(now_s - self._last_s, _MAX_INTERVAL_S)
        found = self._look(self._pid)
        if found is None:
            self._used_s += passed_s / _SLACK
        else:
            computed_s, ready = found
            # A child that ended may take its time with it.
            worked_s = max(0.0, computed_s - self._last_computed_s)
            if ready:
                self._used_s += worked_s
            elif worked_s > 0:
                self._used_s += max(worked_s, passed_s / _SLACK)
            else:
                self._used_s += passed_s
            self._last_computed_s = computed_s
        self._last_s = now_s
        return self._used_s


def computing(pid: int) -> tuple[float, bool] | None:
    """Return the processor time of a process and all below it, and if one is ready to compute.

    The time of children that ended is in it. None: the system does not tell.
    """
    own = _computing(pid)
    if own is None:
        return None
    found = [own, *filter(None, map(_computing, _below(pid)))]
    ticks = sum(one for one, _ in found)
    return ticks / os.sysconf("SC_CLK_TCK"), any(ready for _, ready in found)


def _computing(pid: int) -> tuple[int, bool] | None:
    """Return the clock ticks of a process, and if it is ready, or waits for a disk."""
    try:
        # The name in parentheses may hold anything, spaces and parentheses included.
        words = read_start(Path(f"/proc/{pid}/stat"), _MAX_STAT_BYTES).rpartition(b")")[2].split()
        return sum(map(int, words[11:15])), words[0] in {b"R", b"D"}
    except (EthosmithError, IndexError, ValueError):
        return None


def _below(pid: int) -> list[int]:
    """Return the children of a process, theirs, and so on."""
    found: list[int] = []
    waiting = [pid]
    while waiting and len(found) < _MAX_PROCESSES:
        one = waiting.pop()
        with contextlib.suppress(EthosmithError, OSError, ValueError):
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, read_start(task / "children", _MAX_STAT_BYTES).split())
        found.append(one)
    return found[1:]
