# SPDX-License-Identifier: Apache-2.0
"""Run the program on a halted board until it ends, serving stops as they come."""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from pathlib import Path

from open_board.bridge import NpuBridge
from open_board.call_meter import CallMeter
from open_board.channel import Channel
from open_board.cpu_fault import FAULT_EXCEPTIONS, describe_fault, exception_name
from open_board.deadline import Deadline
from open_board.debugger import Debugger
from open_board.functions import place
from open_board.gdb_client import (
    EXCEPTION_MASK,
    SIGNAL_INTERRUPT,
    CoreRegisters,
    GdbClient,
    Stop,
)
from open_board.job import Outcome, RunError
from open_board.job_end import JobEnd
from open_board.pause import Pauses
from open_board.qmp_client import QmpClient
from open_board.strict import StrictBoard
from open_board.uart import UartWatch

_SAMPLE_INTERVAL_S = 0.4
_UART_REST_S = 0.001
_SILENT_SAMPLES = 2  # one might be a busy host
_EXIT_CODE_TIMEOUT_S = 2.0
_RECEIVE_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class _Progress:
    """What a CPU has done that can be seen without asking QEMU."""

    uart_bytes: int
    register_reads: int
    register_writes: int


class Session:
    """One program from reset to its end."""

    def __init__(
        self,
        *,
        gdb: GdbClient,
        qmp: QmpClient,
        uart_channel: Channel,
        uart: UartWatch,
        bridge: NpuBridge,
        deadline: Deadline,
        job_end: JobEnd,
        axf: Path | None = None,
        debugger: Debugger | None = None,
        meter: CallMeter | None = None,
        strict: StrictBoard | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        """Prepare to run the halted CPU behind ``gdb``.

        Args:
            gdb: The CPU.
            qmp: Its state while it runs.
            uart_channel: Bytes of the UART.
            uart: Told of these bytes; says when the program has ended.
            bridge: Serves the NPU's registers.
            deadline: When to give up.
            job_end: Ends the NPU's jobs.
            axf: Names functions in messages.
            debugger: Starts, stops and steps the CPU, if given.
            meter: Counts instructions, if given; not together with a debugger.
            strict: Checks the program, if given; not together with a debugger.
            pauses: Where the program exchanges data with a caller, if given.
        """
        self._gdb = gdb
        self._qmp = qmp
        self._uart_channel = uart_channel
        self._uart = uart
        self._bridge = bridge
        self._deadline = deadline
        self._job_end = job_end
        self._axf = axf
        self._debugger = debugger
        self._meter = meter
        self._strict = strict
        self._pauses = pauses
        self._uart_rests = False  # its bytes come one by one: some at once cost less
        self._last_progress: _Progress | None = None
        self._silent_samples = 0
        self._next_sample = 0.0
        self._sample_time = 0.0
        self._eot_time: float | None = None

    def run(self) -> int:
        """Run until EOT and exit code have come, and halt the CPU.

        Returns:
            The program's exit code.

        Raises:
            RunError: The program ended otherwise.
        """
        for address, size_bytes in self._bridge.board.served:
            self._gdb.watch(address, size_bytes)
        if self._strict is not None:
            self._strict.start()
        if self._debugger is None:
            self._gdb.resume()
        self._bridge.prepare()  # while the CPU boots
        self._plan_sample()
        while self._uart.exit_code is None:
            self._turn()
        self._gdb.halt()
        debugger = self._attached_debugger()
        if debugger is not None:
            debugger.exited(self._uart.exit_code)
        return self._uart.exit_code

    def _turn(self) -> None:
        """Handle one event, or the lack of any."""
        debugger = self._attached_debugger()
        sources = [self._gdb.fileno()]
        if not self._uart_rests:
            sources.append(self._uart_channel.fileno())
        if debugger is not None:
            sources.append(debugger.fileno())
        readable = select.select(sources, [], [], self._patience_s())[0]
        self._uart_rests = self._uart_channel.fileno() in readable
        if self._uart_rests:
            self._uart.feed(self._uart_channel.receive(_RECEIVE_TIMEOUT_S))
        self._handle_stop()
        if debugger is not None and debugger.fileno() in readable:
            debugger.receive()
        self._check_times()

    def _attached_debugger(self) -> Debugger | None:
        return self._debugger if self._debugger is not None and self._debugger.attached else None

    def _patience_s(self) -> float:
        if self._gdb.has_received:
            return 0.0
        until_sample = self._next_sample - time.monotonic()
        if self._uart_rests:
            until_sample = min(until_sample, _UART_REST_S)
        return max(0.0, min(until_sample, self._deadline.left_s, self._job_end.left_s))

    def _handle_stop(self) -> None:
        stop = self._gdb.poll_stop()
        if stop is None:
            return
        debugger = self._attached_debugger()
        if self._bridge.is_served(stop.watch_address):
            self._serve_npu(debugger)
        elif (packets := self._packets_after(stop)) is not None:
            self._gdb.resume(packets)
        elif debugger is not None:
            if stop.signal == SIGNAL_INTERRUPT:
                self._finish_npu_access()
            debugger.stopped(stop)
        elif self._meter is None or not self._meter.serve():
            raise self._unasked_stop(stop)

    def _packets_after(self, stop: Stop) -> list[bytes] | None:
        """Handle a stop of the board's own; return what to tell gdb before the CPU goes on."""
        packets = self._job_end.stopped(stop)
        if packets is None and self._strict is not None:
            packets = self._strict.stopped(stop)
        if packets is None and self._pauses is not None:
            packets = self._pauses.stopped(stop)
        return packets

    def _serve_npu(self, debugger: Debugger | None) -> None:
        if debugger is not None:
            debugger.npu_served(self._bridge.serve(alone=True))
            return
        changes, resumption = self._bridge.serve().resumption
        stale = self._strict.packets() if self._strict is not None else []
        self._gdb.resume([*changes, *self._job_end.packets(), *stale], resumption)

    def _finish_npu_access(self) -> None:
        """Carry out an access to the NPU before which a debugger's interrupt stopped the CPU.

        QEMU may have seen the watchpoint and the interrupt at once. It then lets the next
        watched access pass, unless it has reported a stop in between: hence the step.
        """
        interrupted = False
        while self._bridge.is_at_npu():
            self._gdb.change(self._bridge.serve(alone=True).packets)
            interrupted = True
        if interrupted:
            self._gdb.step()

    def _unasked_stop(self, stop: Stop) -> RunError:
        registers = self._gdb.read_registers()
        return RunError(
            Outcome.SIMULATOR_FAILED,
            f"QEMU stopped the CPU unasked at {self._place(registers)}: {stop.packet!r}",
        )

    def _check_times(self) -> None:
        self._job_end.check_time()
        if self._deadline.left_s < 0:
            raise self._time_limit()
        if self._uart.ended:
            used_s = self._deadline.used_s
            self._eot_time = used_s if self._eot_time is None else self._eot_time
            if used_s > self._eot_time + _EXIT_CODE_TIMEOUT_S:
                raise RunError(
                    Outcome.NO_EXIT_CODE,
                    "the program sent EOT but no exit code after it; send one byte, 0 for success",
                )
        if time.monotonic() >= self._next_sample:
            self._plan_sample()
            if self._attached_debugger() is None:
                self._look_at_cpu()

    def _plan_sample(self) -> None:
        self._next_sample = time.monotonic() + _SAMPLE_INTERVAL_S

    def _look_at_cpu(self) -> None:
        """Fail if the CPU has sat silently in a fault handler for some looks."""
        bridge = self._bridge
        progress = _Progress(len(self._uart.output), bridge.register_reads, bridge.register_writes)
        if progress != self._last_progress:
            self._last_progress = progress
            self._silent_samples = 0
            return
        exception = self._qmp.cpu_state().get("XPSR", 0) & EXCEPTION_MASK
        # On a busy machine it may not have had its turn.
        if self._deadline.used_s < self._sample_time + _SAMPLE_INTERVAL_S / 2:
            return
        self._sample_time = self._deadline.used_s
        is_silent = exception in FAULT_EXCEPTIONS
        self._silent_samples = self._silent_samples + 1 if is_silent else 0
        if self._silent_samples >= _SILENT_SAMPLES:
            raise self._fault()

    def _fault(self) -> RunError:
        self._gdb.halt()
        registers = self._gdb.read_registers()
        return RunError(
            Outcome.FAULT,
            f"{exception_name(registers)}: {describe_fault(self._gdb)}; "
            f"the handler hangs at {self._place(registers)}",
        )

    def _time_limit(self) -> RunError:
        self._gdb.halt()
        registers = self._gdb.read_registers()
        return RunError(
            Outcome.TIME_LIMIT,
            f"no end within the limit of {self._deadline.limit_s:g} s; the CPU was in "
            f"{exception_name(registers)} at {self._place(registers)}",
        )

    def _place(self, registers: CoreRegisters) -> str:
        return place(self._axf, registers.pc)
