# SPDX-License-Identifier: Apache-2.0
"""Start a program that cannot outlive this process, whatever ends either of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from open_board.errors import BoardError
from open_board.files import open_regular

# The shell leads a process group of its own. Its standard input is a pipe that only we
# hold open: when we close it, or die by whatever signal, the reader sees its end and kills
# the group. Descriptor 9 keeps the pipe, for background commands get /dev/null as input.
_GUARD = """
exec 9<&0 </dev/null
(read -r _ <&9; kill -KILL -$$) &
guard=$!
"$@" 9<&-
status=$?
kill -KILL "$guard"
exit "$status"
"""

FIRST_PASSED_FD = 10  # POSIX shells only redirect descriptors 0 to 9
_STOP_TIMEOUT_S = 10.0
_OUTPUT_TAIL_BYTES = 1 << 16
_SHELL_SIGNAL_BASE = 128


class SupervisedProcess:
    """A running program, killed with all its children at the latest when we end.

    Attributes:
        pid: Process group of the program.
    """

    def __init__(
        self,
        command: Sequence[str],
        pass_fds: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start ``command``.

        Args:
            command: Program and arguments.
            pass_fds: Descriptors that the program inherits, each `FIRST_PASSED_FD` or above.
            environment: Its environment; None: ours.
        """
        lifeline, self._lifeline = os.pipe()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "guard", *command],
                stdin=lifeline,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
                env=environment,
            )
        except BaseException:
            os.close(self._lifeline)
            self._output.close()
            raise
        finally:
            os.close(lifeline)
        self.pid = self._process.pid
        self._children: tuple[int, ...] | None = None

    def __enter__(self) -> SupervisedProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def poll(self) -> int | None:
        """Return the exit status if the program has ended: negative for a signal."""
        status = self._process.poll()
        if status is not None and status > _SHELL_SIGNAL_BASE:
            return _SHELL_SIGNAL_BASE - status
        return status

    def processor_s(self) -> float | None:
        """Return the processor time of the program and of this process, in seconds.

        None where the system does not tell, or when the program has ended.
        """
        try:
            if self._children is None:
                with open_regular(Path(f"/proc/{self.pid}/task/{self.pid}/children")) as file:
                    self._children = tuple(map(int, file.read().split()))
            # The number of a process's clock, as clock_getcpuclockid(3) makes it on Linux.
            clocks = [(~pid << 3) | 2 for pid in self._children]
            return time.process_time() + sum(map(time.clock_gettime, clocks))
        except (BoardError, OSError, ValueError):
            return None

    def wait(self, timeout_s: float | None) -> int | None:
        """Wait for the program's end; None if it runs on."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return self.poll()

    def interrupt(self) -> None:
        """Send the program what Ctrl-C sends."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGINT)

    def output(self) -> str:
        """Return the end of what the program wrote to its standard output and error."""
        end = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, end - _OUTPUT_TAIL_BYTES))
        return self._output.read().decode("utf-8", errors="replace")

    def close(self) -> None:
        """Kill what still runs and wait for its end."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
            self._process.wait(_STOP_TIMEOUT_S)
            self._output.close()
