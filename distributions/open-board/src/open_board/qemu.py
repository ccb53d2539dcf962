# SPDX-License-Identifier: Apache-2.0
"""Start QEMU as a board, halted at reset, with all channels connected."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from open_board import machine
from open_board.board import Board
from open_board.channel import Channel, ChannelClosedError
from open_board.deadline import Deadline
from open_board.fill import Span, fill, fill_ddr, pattern, ram_gaps, unloaded
from open_board.gdb_client import GdbClient
from open_board.guest_memory import BoardMemory, SharedDdr
from open_board.job import BoardJob, DataFile, Outcome, RunError
from open_board.loaded import Segment
from open_board.qemu_machine import choose_machine
from open_board.qmp_client import QmpClient
from open_board.qtest_client import QtestClient
from open_board.supervisor import FIRST_PASSED_FD, SupervisedProcess

QEMU_PROGRAM = "qemu-system-arm"
OLDEST_QEMU = (7, 0, 0)

_EXIT_TIMEOUT_S = 5.0
_CHANNELS = ("gdb", "qtest", "uart", "qmp")
_INSTRUCTION_TIME_LOG2_NS = 5
INSTRUCTION_NS = 1 << _INSTRUCTION_TIME_LOG2_NS
_TRANSLATOR_CACHE_MIB = 32  # the default, a quarter of guest RAM, costs start-up time


def find_qemu() -> Path:
    """Return the path of QEMU.

    Raises:
        RunError: It is not on PATH.
    """
    found = shutil.which(QEMU_PROGRAM)
    if found is None:
        raise RunError(
            Outcome.SIMULATOR_FAILED,
            f"{QEMU_PROGRAM} is not on PATH; install it (Debian: apt install qemu-system-arm, "
            "macOS: brew install qemu)",
        )
    return Path(found)


def qemu_command(
    program: Path,
    board: Board,
    job: BoardJob,
    ddr_fd: int,
    fds: Mapping[str, int],
    patterns: Sequence[tuple[int, int]] = (),
) -> list[str]:
    """Return the command line that starts QEMU for ``job``.

    Args:
        program: QEMU.
        board: What QEMU is made to look like.
        job: What to load.
        ddr_fd: Descriptor of the DDR's memory.
        fds: Descriptors of the channels by name.
        patterns: Descriptor and address of each part of RAM that begins with other than zeros.
    """
    chosen = choose_machine(program, board.qemu_machines)
    command = [
        str(program),
        *("-machine", f"{chosen.name},memory-backend=ddr"),
        *("-object", f"memory-backend-file,id=ddr,size={machine.DDR.size_bytes},share=on,"
          f"mem-path=/dev/fd/{ddr_fd}"),
        *("-accel", f"tcg,tb-size={_TRANSLATOR_CACHE_MIB}"),
        # One instruction takes 2**5 ns of the board's time, as on its 32 MHz CPU, whatever the
        # host does meanwhile: programs that read clocks print the same at every run.
        *("-icount", f"shift={_INSTRUCTION_TIME_LOG2_NS},sleep=off"),
        *("-display", "none", "-nodefaults", "-no-reboot", "-S"),
    ]  # fmt: skip
    if board.cpu_midr is not None:
        command += ["-global", f"{chosen.cpu_type}.midr=0x{board.cpu_midr:x}"]
    for name in _CHANNELS:
        command += ["-chardev", f"socket,id={name},fd={fds[name]}"]
    command += ["-gdb", "chardev:gdb", "-serial", "chardev:uart"]
    command += ["-object", "qtest,id=qtest0,chardev=qtest,log=none"]
    command += ["-mon", "chardev=qmp,mode=control"]
    if job.axf is not None:
        command += ["-kernel", str(job.axf)]
    for image in job.images:
        command += ["-device", _loader(image)]
    for fd, address in patterns:
        command += ["-device", _loader(DataFile(Path(f"/dev/fd/{fd}"), address))]
    return command


def _loader(image: DataFile) -> str:
    path = str(image.path).replace(",", ",,")  # QEMU's escape in option lists
    return f"loader,file={path},addr=0x{image.address:x},force-raw=on"


class Qemu:
    """A running QEMU; leaving the context ends it.

    Attributes:
        version: QEMU's version, such as ``7.2.22``.
        gdb: The CPU, halted at reset.
        qmp: State of the running CPU.
        qtest: Physical memory and interrupt lines.
        uart: Bytes of UART0.
        ddr: The board's DDR.
    """

    def __init__(
        self,
        program: Path,
        board: Board,
        job: BoardJob,
        deadline: Deadline,
        segments: Sequence[Segment] | None = None,
    ) -> None:
        """Start ``program`` with what ``job`` loads; its answers are due as ``deadline`` says.

        Args:
            program: QEMU.
            board: What it is made to look like.
            job: What to load.
            deadline: When to give up.
            segments: What is loaded; all other RAM then begins with a pattern, not with zeros.

        Raises:
            RunError: QEMU does not start, or is too old.
        """
        with ExitStack() as stack:
            self.ddr = SharedDdr(_new_memory(stack, "ddr", machine.DDR.size_bytes))
            stack.callback(self.ddr.close)
            channels = _new_channels(stack)
            with ExitStack() as patterns:
                gaps = ram_gaps(segments) if segments else ()
                files = [(_pattern_file(patterns, gap), gap[0]) for gap in gaps]
                process = _start(program, board, job, self.ddr, channels, files)
                self._process = stack.enter_context(process)
            if segments:
                fill_ddr(self.ddr, segments)
            self.uart = channels["uart"]
            self.gdb = GdbClient(channels["gdb"], deadline)
            self.qtest = QtestClient(channels["qtest"], deadline)
            try:
                self.qmp = QmpClient(channels["qmp"], deadline)
                self.version = _check_version(self.qmp.version)
                self.gdb.read_description()
                self._boot_from(board.vectors)
                deadline.watch(self._process.processor_s)
                self._fill_unloaded(segments or ())
            except ChannelClosedError as cause:
                raise self.death() from cause
            self._stack = stack.pop_all()

    def _boot_from(self, vectors: int) -> None:
        """Let the CPU come out of a reset with its vector table where the board has it.

        QEMU's machine has it at 0; a board's own address is an input of the subsystem, which the
        system control block drives.
        """
        if vectors:
            self.qtest.write_word(machine.INITSVTOR0, vectors)
            self.qmp.reset()

    def _fill_unloaded(self, segments: Sequence[Segment]) -> None:
        """Fill what belongs to the program and is not loaded; QEMU has put zeros there."""
        memory = BoardMemory(self.ddr, self.qtest)
        for span in unloaded(segments):
            if machine.is_memory(span[0], span[1] - span[0]):
                fill(memory, span)

    def __enter__(self) -> Qemu:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def death(self) -> RunError:
        """Return why QEMU has closed its channels."""
        status = self._process.wait(_EXIT_TIMEOUT_S)
        return explain_end(status, self._process.output())


def _new_channels(stack: ExitStack) -> dict[str, Channel]:
    channels = {name: Channel(name) for name in _CHANNELS}
    for channel in channels.values():
        stack.callback(channel.close)
    return channels


def _start(
    program: Path,
    board: Board,
    job: BoardJob,
    ddr: SharedDdr,
    channels: Mapping[str, Channel],
    patterns: Sequence[tuple[int, int]],
) -> SupervisedProcess:
    fds = {name: channel.child_fd for name, channel in channels.items()}
    command = qemu_command(program, board, job, ddr.fd, fds, patterns)
    process = SupervisedProcess(command, [*fds.values(), ddr.fd, *(fd for fd, _ in patterns)])
    for channel in channels.values():
        channel.release_child_end()
    return process


def explain_end(status: int | None, output: str) -> RunError:
    """Say why QEMU ended, from its exit status and its own words."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    words = next((line for line in lines if "qemu" in line.lower()), lines[-1] if lines else "")
    if "Lockup" in output:
        return RunError(
            Outcome.LOCK_UP,
            "the CPU locked up: a fault in a fault handler, or no valid vector table "
            f"({words.removeprefix('qemu: fatal: ')})",
        )
    if "unsupported machine type" in output:
        oldest = ".".join(map(str, OLDEST_QEMU))
        return _failed(f"QEMU has no machine {machine.AN547.name}; QEMU {oldest} or newer has")
    if status == 0:
        return RunError(Outcome.RESET, "the program reset the board or switched it off")
    if status is not None and status < 0:
        return _failed(f"QEMU was ended by signal {-status}" + (f": {words}" if words else ""))
    return _failed(f"QEMU ended with status {status}" + (f": {words}" if words else ""))


def _failed(reason: str) -> RunError:
    return RunError(Outcome.SIMULATOR_FAILED, reason)


def _check_version(version: tuple[int, int, int]) -> str:
    """Return the version as text, or fail if it is too old."""
    text = ".".join(map(str, version))
    if version < OLDEST_QEMU:
        oldest = ".".join(map(str, OLDEST_QEMU))
        raise _failed(f"QEMU {text} is too old; version {oldest} or newer is needed")
    return text


def _pattern_file(stack: ExitStack, span: Span) -> int:
    """Return the descriptor of a nameless file with the pattern of a span of RAM."""
    start, end = span
    fd = _new_memory(stack, "pattern", end - start)
    os.pwrite(fd, pattern(start, end - start), 0)
    return fd


def _new_memory(stack: ExitStack, name: str, size_bytes: int) -> int:
    """Return the descriptor of a nameless file; its pages cost when they are touched."""
    if hasattr(os, "memfd_create"):
        low = os.memfd_create(name)
        stack.callback(os.close, low)
    else:
        file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - stack closes it
        low = file.fileno()
    os.ftruncate(low, size_bytes)
    fd = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, FIRST_PASSED_FD)
    stack.callback(os.close, fd)
    return fd
