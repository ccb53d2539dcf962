# SPDX-License-Identifier: Apache-2.0
"""Boot an image on the open board with gdb attached."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress

from ethosmith.core.errors import EthosmithError
from ethosmith.environment.tools import find_program
from ethosmith.steps.step import Input, Step, Unsigned, step

_CONNECT_S = 60
_STOP_S = 10.0
_MAX_ERRORS_BYTES = 1 << 16


@step(verb="DEBUG", cacheable=False, owns_terminal=True)
class DebugImage(Step):
    """Boot an image on the open board and attach gdb to it, halted at reset.

    Attributes:
        axf: the image.
        npu: the board's NPU, such as ``ethos-u55-128``.
        board: which board the open board is, such as ``sse310``.
        gdb_commands: of the step write-gdb-commands.
        programs: names of debuggers; the first that is installed is taken.
        options: further options of gdb, such as ``-batch -ex COMMAND``.
    """

    axf: Input
    npu: str
    board: str | None = None
    gdb_commands: Input
    programs: tuple[str, ...] = ("gdb-multiarch", "arm-none-eabi-gdb")
    options: Unsigned[tuple[str, ...]] = ()

    def run(self) -> None:
        """Run gdb until it ends.

        Raises:
            EthosmithError: no debugger is installed, or it failed.
        """
        gdb = _first_installed(self.programs)
        port = _free_port()
        board = [sys.executable, "-m", "ethosmith", "board", "-a", str(self.axf)]
        board += ["--npu", self.npu, "--simulator", "open", "--gdb", str(port)]
        board += ["--board", self.board] if self.board else []
        # A session of its own: Ctrl-C is for gdb, which halts the program with it.
        with tempfile.TemporaryFile() as errors:
            with subprocess.Popen(
                board, stdin=subprocess.DEVNULL, stderr=errors, start_new_session=True
            ) as process:
                try:
                    code = _in_foreground([gdb, *self._arguments(port)])
                finally:
                    _stop(process)
            errors.seek(0)
            told = [line for line in errors.read(_MAX_ERRORS_BYTES).splitlines() if line.strip()]
        if code:
            last = f"; the board: {told[-1].decode('utf-8', 'replace')}" if told else ""
            raise EthosmithError(f"{gdb} ended with exit code {code}{last}")

    def _arguments(self, port: int) -> list[str]:
        commands = [
            "set confirm off",
            f"set tcp connect-timeout {_CONNECT_S}",
            f"target remote localhost:{port}",
            f"source {self.gdb_commands}",
        ]
        given = [word for command in commands for word in ("-ex", command)]
        return ["-q", "-nx", *given, *self.options, str(self.axf)]

    @property
    def title(self) -> str:
        """The image."""
        return self.axf.as_posix()


def _first_installed(programs: Sequence[str]) -> str:
    """Return the path of a debugger; EthosmithError with how to install it if there is none."""
    for name in programs:
        with suppress(EthosmithError):
            return str(find_program(name))
    return str(find_program(programs[0]))


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the board, and what it has started, as far as gdb has not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_S)
            return


def _in_foreground(command: Sequence[str]) -> int:
    """Run a command that Ctrl-C on this terminal is for, and nobody else; return its exit code."""
    if not sys.stdin.isatty():
        return subprocess.call(command)
    terminal = sys.stdin.fileno()
    own, ignored = os.tcgetpgrp(terminal), signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    process = subprocess.Popen(command, process_group=0)
    try:
        os.tcsetpgrp(terminal, process.pid)
        # It may have asked for the terminal before, and been stopped for that.
        os.killpg(process.pid, signal.SIGCONT)
        return process.wait()
    finally:
        os.tcsetpgrp(terminal, own)
        signal.signal(signal.SIGTTOU, ignored)
