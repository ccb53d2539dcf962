# SPDX-License-Identifier: Apache-2.0
"""The open board: QEMU's Cortex-M55 and peripherals with our model of the Ethos-U."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ethosu_model.config import AcceleratorConfig
from ethosu_model.memory import Memory
from open_board import files, machine
from open_board.board import Board, find_board
from open_board.bridge import NpuBridge
from open_board.caches import CachedMemory
from open_board.call_meter import CallMeter
from open_board.channel import ChannelClosedError
from open_board.deadline import Deadline
from open_board.debugger import Debugger, DebugPort
from open_board.errors import BoardError
from open_board.functions import data_place, entry_of, place
from open_board.guest_memory import BoardMemory, NpuMemory
from open_board.job import (
    BoardJob,
    BoardResult,
    NpuStatistics,
    Outcome,
    RunError,
    UartSink,
    discard,
)
from open_board.job_end import JobEnd
from open_board.load import check_job, put_data
from open_board.loaded import Segment, read_only_spans, segments_of, sleep_instructions
from open_board.npu_registers import NpuRegisters
from open_board.pause import Pause, Pauses
from open_board.preload import preload
from open_board.qemu import INSTRUCTION_NS, Qemu, find_qemu
from open_board.realism import USUAL, Realism
from open_board.session import Session
from open_board.strict import StrictBoard
from open_board.uart import UartWatch

NAME = "open board"

_SLOW_MODULES = ("ethosu_model.device", "capstone")

MakeNpu = Callable[[AcceleratorConfig, Memory], NpuRegisters]


def functional_npu(accelerator: AcceleratorConfig, memory: Memory) -> NpuRegisters:
    """Return the functional model of the NPU."""
    from ethosu_model.device import NpuDevice  # noqa: PLC0415 - see preload

    return NpuDevice(accelerator, memory)


@dataclass
class _Run:
    """What is known of a run so far."""

    uart: UartWatch
    version: str = ""
    bridge: NpuBridge | None = None
    meter: CallMeter | None = None

    @property
    def statistics(self) -> NpuStatistics:
        return self.bridge.statistics if self.bridge is not None else NpuStatistics()

    @property
    def call_instructions(self) -> tuple[int, ...] | None:
        return tuple(self.meter.counts) if self.meter is not None else None


class OpenBoard:
    """Runs programs on QEMU, with the NPU served from a model in this process."""

    def __init__(
        self,
        qemu: Path | None = None,
        make_npu: MakeNpu = functional_npu,
        debug_port: DebugPort | None = None,
        realism: Realism = USUAL,
        pause: Pause | None = None,
        board: Board | None = None,
    ) -> None:
        """Make a simulator.

        Args:
            qemu: QEMU's program; None takes the one on PATH.
            make_npu: Makes the NPU of each run.
            debug_port: Where a debugger connects before the program starts, if given.
            realism: How closely it follows the hardware. Under a debugger, jobs take no time.
            pause: Where each program stands still to exchange data with the caller, if given.
            board: Which board it is; None: the Corstone-300.
        """
        self._qemu = qemu
        self._make_npu = make_npu
        self._debug_port = debug_port
        if debug_port is not None:
            realism = replace(realism, npu_time=False, caches=False)
        self._realism = realism
        self._pause = pause
        self._board = board or find_board()

    @property
    def name(self) -> str:
        """The simulator's name."""
        return NAME

    def run(self, job: BoardJob, uart_sink: UartSink = discard) -> BoardResult:
        """Run ``job``; see Simulator."""
        check_job(job, self._board)
        counted = _counted_entry(job, self._debug_port)
        start = time.monotonic()
        run = _Run(UartWatch(uart_sink))
        try:
            exit_code = self._run(job, run, counted)
            result = BoardResult(Outcome.EXITED, NAME, exit_code=exit_code)
        except RunError as failure:
            result = BoardResult(failure.outcome, NAME, reason=str(failure))
        return replace(
            result,
            uart=bytes(run.uart.output),
            version=run.version,
            wall_time_s=time.monotonic() - start,
            npu=run.statistics,
            timing_adapters=run.bridge.adapters.settings if run.bridge is not None else (),
            call_instructions=run.call_instructions,
        )

    def _run(self, job: BoardJob, run: _Run, counted: int | None) -> int:
        deadline = Deadline(job.time_limit_s)
        preload(_SLOW_MODULES)
        segments = segments_of(job)
        found = segments if self._realism.memory_pattern else None
        with (
            Qemu(self._qemu or find_qemu(), self._board, job, deadline, found) as qemu,
            _explained(qemu, run.uart),
            contextlib.ExitStack() as stack,
        ):
            run.version = qemu.version
            memory = BoardMemory(qemu.ddr, qemu.qtest)
            for item in job.data:
                put_data(memory, item)
            npu_memory = stack.enter_context(self._npu_memory(qemu, deadline))
            run.bridge = bridge = self._bridge(
                job.accelerator, qemu, npu_memory, run.uart, segments
            )
            strict = self._strict(job, qemu, npu_memory, bridge, run.uart)
            if counted is not None:
                run.meter = CallMeter(
                    qemu.gdb, counted, INSTRUCTION_NS, lambda: bridge.instructions
                )
            pauses = self._pauses(job, qemu, memory, run.uart, deadline)
            with self._debugger(qemu, run.bridge, deadline) as debugger:
                exit_code = Session(
                    gdb=qemu.gdb,
                    qmp=qemu.qmp,
                    uart_channel=qemu.uart,
                    uart=run.uart,
                    bridge=run.bridge,
                    deadline=deadline,
                    job_end=JobEnd(
                        qemu.gdb,
                        run.bridge,
                        sleep_instructions(segments),
                        self._realism.job_sleeps,
                        deadline.processor_s,
                    ),
                    axf=job.axf,
                    debugger=debugger,
                    meter=run.meter,
                    strict=strict,
                    pauses=pauses,
                ).run()
            read = npu_memory.dump if isinstance(npu_memory, CachedMemory) else memory.read
            for dump in job.dumps:
                files.write_bytes(dump.path, read(dump.address, dump.size_bytes))
            return exit_code

    def _pauses(
        self, job: BoardJob, qemu: Qemu, memory: Memory, uart: UartWatch, deadline: Deadline
    ) -> Pauses | None:
        if self._pause is None:
            return None
        if job.axf is None:
            raise BoardError("a function to pause at is one of an ELF file")
        return Pauses(
            self._pause,
            entry_of(job.axf, self._pause.function),
            gdb=qemu.gdb,
            memory=memory,
            channel=qemu.uart,
            uart=uart,
            deadline=deadline,
        )

    @contextlib.contextmanager
    def _npu_memory(self, qemu: Qemu, deadline: Deadline) -> Iterator[NpuMemory]:
        if not self._realism.caches:
            yield NpuMemory(qemu.ddr, qemu.qtest, deadline.check)
            return
        memory = CachedMemory(qemu.ddr, qemu.qtest, deadline.check, self._realism)
        with contextlib.closing(memory):
            yield memory

    def _strict(
        self,
        job: BoardJob,
        qemu: Qemu,
        memory: NpuMemory,
        bridge: NpuBridge,
        uart: UartWatch,
    ) -> StrictBoard | None:
        if not isinstance(memory, CachedMemory):
            return None
        memory.describe = partial(data_place, job.axf)
        return StrictBoard(
            qemu.gdb,
            memory,
            self._realism,
            lambda: bridge.running,
            partial(place, job.axf),
            uart.feed,
        )

    def _bridge(
        self,
        accelerator: AcceleratorConfig,
        qemu: Qemu,
        npu_memory: NpuMemory,
        uart: UartWatch,
        segments: list[Segment],
    ) -> NpuBridge:
        def set_interrupt(level: bool) -> None:
            qemu.qtest.set_interrupt(
                machine.QEMU_CPU, machine.QEMU_CPU_LINES, self._board.npu_irq, level
            )

        return NpuBridge(
            self._board,
            qemu.gdb,
            lambda: self._make_npu(accelerator, npu_memory),
            npu_memory,
            set_interrupt,
            self._realism,
            uart.feed,
            read_only_spans(segments),
            follows=not self._realism.caches,
        )

    @contextlib.contextmanager
    def _debugger(
        self, qemu: Qemu, bridge: NpuBridge, deadline: Deadline
    ) -> Iterator[Debugger | None]:
        if self._debug_port is None:
            yield None
            return
        connection = self._debug_port.accept(None if deadline.limit_s is None else deadline.left_s)
        debugger = Debugger(connection, qemu.gdb, self._board, bridge.peek)
        with contextlib.closing(debugger):
            yield debugger


def _counted_entry(job: BoardJob, debug_port: DebugPort | None) -> int | None:
    if job.counted_function is None:
        return None
    if job.axf is None or debug_port is not None:
        raise BoardError("a function's calls are counted of an ELF file, without a debugger")
    return entry_of(job.axf, job.counted_function)


@contextlib.contextmanager
def _explained(qemu: Qemu, uart: UartWatch) -> Iterator[None]:
    """Turn a closed channel into the reason why QEMU ended; keep what the UART still holds."""
    try:
        yield
    except ChannelClosedError as cause:
        with contextlib.suppress(RunError):
            while qemu.uart.readable(0):
                uart.feed(qemu.uart.receive(0))
        raise qemu.death() from cause
