# SPDX-License-Identifier: Apache-2.0
"""What a simulator is asked to run, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from ethosu_model.config import AcceleratorConfig
from open_board.errors import BoardError

DEFAULT_TIME_LIMIT_S = 60.0

UartSink = Callable[[bytes], None]


class Outcome(Enum):
    """How a run ended. Only `EXITED` is an end that the program itself chose."""

    EXITED = "exited"
    NO_EXIT_CODE = "no exit code"
    TIME_LIMIT = "time limit"
    FAULT = "fault"
    LOCK_UP = "lock-up"
    BAD_ACCESS = "bad access"
    RESET = "reset"
    SIMULATOR_FAILED = "simulator failed"
    STOPPED = "stopped"
    REFUSED = "refused"
    TOO_MUCH_OUTPUT = "too much output"


class RunError(BoardError):
    """A run that ended otherwise than by its program's exit code.

    Attributes:
        outcome: Which kind of failure this is.
    """

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


@dataclass(frozen=True)
class DataFile:
    """A file whose bytes lie at ``address`` when the program starts."""

    path: Path
    address: int


@dataclass(frozen=True)
class Dump:
    """Memory that is written to ``path`` when the program has exited."""

    path: Path
    address: int
    size_bytes: int


@dataclass(frozen=True)
class BoardJob:
    """One run of a program on the board.

    Attributes:
        accelerator: The NPU on the board.
        axf: The program as an ELF file; None if ``images`` hold it.
        images: Raw images placed before reset; one holds the vector table at address 0.
        data: Files placed in memory before the program starts.
        dumps: Memory to save after it has exited.
        counted_function: A function, by its symbol, whose calls' instructions are counted where
            the simulator can.
        time_limit_s: Seconds of processor time of the host, and of idling, after which the run
            has failed; None for no limit.
        fast: The NPU of an FVP takes no simulated time, and no count of it means anything.
    """

    accelerator: AcceleratorConfig
    axf: Path | None = None
    images: tuple[DataFile, ...] = ()
    data: tuple[DataFile, ...] = ()
    dumps: tuple[Dump, ...] = ()
    counted_function: str | None = None
    time_limit_s: float | None = DEFAULT_TIME_LIMIT_S
    fast: bool = False


@dataclass(frozen=True)
class NpuStatistics:
    """What the NPU model counted in one run.

    Attributes:
        jobs: Command streams started.
        register_reads: Words read from the register page by the CPU.
        register_writes: Words written to it.
        cycles: Cycles of all jobs, by the model's estimate.
        axi0_read_beats: Data beats over port AXI0, towards the NPU.
        axi0_written_beats: Data beats over port AXI0, towards memory.
        axi1_read_beats: Data beats over port AXI1, towards the NPU.
        axi1_written_beats: Data beats over port AXI1, towards memory.
        faults: Why jobs ended badly, in the order they did.
    """

    jobs: int = 0
    cycles: int = 0
    axi0_read_beats: int = 0
    axi0_written_beats: int = 0
    axi1_read_beats: int = 0
    axi1_written_beats: int = 0
    register_reads: int = 0
    register_writes: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class BoardResult:
    """How a run ended.

    Attributes:
        outcome: The kind of end.
        reason: One line that says why, for every outcome but `Outcome.EXITED`.
        exit_code: The byte after EOT, if there was one.
        uart: Everything UART0 sent before EOT.
        simulator: Name of the simulator, such as ``open board``.
        version: Its version.
        wall_time_s: Host time from start to end; not reproducible.
        npu: Counters of the NPU model; None where the simulator does not tell.
        call_instructions: Instructions of each call of the job's counted function, in order;
            None where none is counted.
        timing_adapters: What the program has set of each timing adapter, in words.
    """

    outcome: Outcome
    simulator: str
    reason: str = ""
    exit_code: int | None = None
    uart: bytes = b""
    version: str = ""
    wall_time_s: float = 0.0
    npu: NpuStatistics | None = None
    call_instructions: tuple[int, ...] | None = None
    timing_adapters: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """The program sent EOT and then exit code 0. Nothing else is a pass."""
        return self.outcome is Outcome.EXITED and self.exit_code == 0

    @property
    def text(self) -> str:
        """The UART's text; bytes that are not UTF-8 are replaced."""
        return self.uart.decode("utf-8", errors="replace")


def discard(_data: bytes) -> None:
    """Take UART output that nobody watches."""


class Simulator(Protocol):
    """A board that runs a program to its end."""

    @property
    def name(self) -> str:
        """The simulator's name."""

    def run(self, job: BoardJob, uart_sink: UartSink = discard) -> BoardResult:
        """Run ``job`` to its end and say how it ended.

        Raises:
            BoardError: The job cannot be started: a file is missing or does not fit.
        """
