# SPDX-License-Identifier: Apache-2.0
"""What the program did behind earlier stops: it does the same where all that it depends on is so.

A driver does the same for each job. What it depends on are the registers and the bytes of memory,
its code among them, that are read before they are written, and what the NPU's registers read. These
are compared before, and while, a path is repeated; nothing is assumed to have stayed as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from open_board.emulation import Stopped
from open_board.gdb_client import PC, CoreRegisters
from open_board.guest_lines import GuestLines, NotedLine
from open_board.instruction import Access
from open_board.served import NpuAccess

_MAX_PATHS = 4  # behind one stop
_MAX_STOPS = 256
_MAX_STEPS = 1 << 14  # of all paths: some 20 MiB
_MAX_MISSES = 16  # in a row at one stop, until it is left alone


class NotedRegisters(list[int]):
    """R0 to R15, which note what is read before it is written.

    Attributes:
        read: A bit for each register.
        written: As well.
    """

    def __init__(self, general: Sequence[int], read: int = 0, written: int = 0) -> None:
        super().__init__(general)
        self.read = read
        self.written = written

    def __getitem__(self, number: Any) -> Any:
        """Return a register's value."""
        self.read |= 1 << number & ~self.written
        return super().__getitem__(number)

    def __setitem__(self, number: Any, value: Any) -> None:
        """Set a register."""
        self.written |= 1 << number
        super().__setitem__(number, value)


class Write(NamedTuple):
    """What was written to memory."""

    address: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction whose accesses were served.

    Attributes:
        stopped: The instruction, and the registers before it.
        written: Numbers of the registers that the path has written before it.
        writes: What the path has written to memory since the step before.
        passed: Instructions that it has carried out since then.
        accesses: The instruction's transfers.
        places: Where in the NPU's page they are.
        loaded: What its loads found, as the registers take it.
        ended: A job or an interrupt began or ended: the last step.
    """

    stopped: Stopped
    written: tuple[int, ...]
    writes: tuple[Write, ...]
    passed: int
    accesses: tuple[Access, ...]
    places: tuple[NpuAccess, ...]
    loaded: tuple[int, ...]
    ended: bool

    def registers(self, before: CoreRegisters) -> CoreRegisters:
        """Return the registers before this step of a path that begins with ``before``."""
        mine = self.stopped.registers
        return overlaid(before, mine, self.written)


def overlaid(
    before: CoreRegisters, after: CoreRegisters, numbers: Collection[int]
) -> CoreRegisters:
    """Return ``before`` with PC, xPSR and some registers of ``after``."""
    general = list(before.general)
    for number in (*numbers, PC):
        general[number] = after.general[number]
    return CoreRegisters(tuple(general), after.xpsr)


@dataclass(frozen=True, slots=True)
class Path:
    """What was done behind one stop.

    Attributes:
        registers: Number and value of the registers that it depends on.
        xpsr: Flags and exception number at the stop.
        memory: The bytes that it depends on.
        breakpoints: Where the CPU had to stop.
        steps: What was served.
        after: The registers at its end.
        written: Numbers of those that it has written.
    """

    registers: tuple[tuple[int, int], ...]
    xpsr: int
    memory: tuple[NotedLine, ...]
    breakpoints: frozenset[int]
    steps: tuple[Step, ...]
    after: CoreRegisters
    written: tuple[int, ...]

    def holds(
        self, registers: CoreRegisters, lines: GuestLines, breakpoints: Collection[int]
    ) -> bool:
        """Tell whether all that it depends on is as it was."""
        general = registers.general
        return (
            registers.xpsr == self.xpsr
            and all(general[number] == value for number, value in self.registers)
            and self.breakpoints == breakpoints
            and all(lines.holds(noted) for noted in self.memory)
        )


class Recording:
    """Notes a path while it is gone for the first time.

    Attributes:
        registers: What it has read and written of the registers so far.
        complete: It may be kept: another time it would end in the same place.
    """

    def __init__(self, at_stop: Stopped, lines: GuestLines, breakpoints: Collection[int]) -> None:
        """Begin where the CPU has stopped; ``lines`` hold its code."""
        self._begin = at_stop.registers
        self._lines = lines
        self._breakpoints = frozenset(breakpoints)
        self._steps: list[Step] = []
        self._passed = 0
        self.registers = NotedRegisters(at_stop.registers.general)
        self.complete = True
        lines.note()
        if lines.read(at_stop.registers.pc, at_stop.instruction.size_bytes) is None:
            self.complete = False

    def begin(self, registers: CoreRegisters) -> NotedRegisters:
        """Return registers that note what is done with them until the next access."""
        noted = self.registers
        return NotedRegisters(registers.general, noted.read, noted.written)

    def followed(self, general: Sequence[int], passed: int, *, found: bool) -> None:
        """Note what has been done with them.

        Args:
            general: The registers.
            passed: Instructions carried out; without an access 0 if it may be found another time.
            found: An access was found; else all that was done has no effect.
        """
        if isinstance(general, NotedRegisters):
            self.registers.read = general.read
            self.registers.written = general.written if found else self.registers.written
        self._passed = passed
        self.complete &= bool(found or passed)

    def step(
        self,
        stopped: Stopped,
        places: Sequence[NpuAccess],
        changes: Collection[int],
        *,
        ended: bool,
        after: CoreRegisters,
    ) -> None:
        """Note an instruction that has been served.

        Args:
            stopped: The instruction, and the registers before it.
            places: Where in the NPU's page its accesses are.
            changes: Numbers of the registers that it has written.
            ended: A job or an interrupt began or ended.
            after: The registers behind it.
        """
        instruction, noted = stopped.instruction, self.registers
        accesses = tuple(instruction.accesses(stopped.registers.general))
        index = () if instruction.index is None else (instruction.index,)
        stored = [access.register for access in accesses if not access.is_load]
        written = _numbers(noted.written)
        for number in (instruction.base, *index, *stored):
            _ = noted[number]
        for number in changes:
            if number <= PC:
                noted[number] = after.general[number]
        self._steps.append(
            Step(
                stopped,
                written,
                tuple(Write(*each) for each in self._lines.written()),
                self._passed,
                accesses,
                tuple(places),
                tuple(after.general[access.register] for access in accesses if access.is_load),
                ended,
            )
        )

    def path(self, after: CoreRegisters) -> Path | None:
        """Return the path, which has ended with ``after``; None if it is not to be kept."""
        memory = self._lines.noted()
        if not self.complete:
            return None
        return Path(
            registers=tuple((n, self._begin.general[n]) for n in _numbers(self.registers.read)),
            xpsr=self._begin.xpsr,
            memory=memory,
            breakpoints=self._breakpoints,
            steps=tuple(self._steps),
            after=after,
            written=_numbers(self.registers.written),
        )


def _numbers(bits: int) -> tuple[int, ...]:
    return tuple(number for number in range(PC + 1) if bits >> number & 1)


class Paths:
    """The paths that are remembered, by the stop at which they begin.

    Attributes:
        repeated: How often one was found that holds.
        steps: How many the remembered paths have together.
    """

    def __init__(self) -> None:
        self.repeated = self.steps = 0
        self._by_stop: dict[int, list[Path]] = {}
        self._misses: dict[int, int] = {}

    def find(
        self, registers: CoreRegisters, lines: GuestLines, breakpoints: Collection[int]
    ) -> Path | None:
        """Return a path that holds for the stopped CPU."""
        pc = registers.pc
        for path in self._by_stop.get(pc, ()):
            if path.holds(registers, lines, breakpoints):
                self._misses[pc] = 0
                self.repeated += 1
                return path
        return None

    def wanted(self, pc: int) -> bool:
        """Tell whether what is done behind a stop is worth noting: some do it never again."""
        if pc not in self._misses and len(self._misses) >= _MAX_STOPS:
            return False
        self._misses[pc] = self._misses.get(pc, 0) + 1
        return self._misses[pc] <= _MAX_MISSES

    def keep(self, pc: int, path: Path) -> None:
        """Remember a path behind a stop, and forget the oldest there; all, if they are too many."""
        before = self._by_stop.get(pc, [])
        forgotten = before[_MAX_PATHS - 1 :]
        self.steps += len(path.steps) - sum(len(each.steps) for each in forgotten)
        if self.steps > _MAX_STEPS:
            self._by_stop.clear()
            self.steps, before = len(path.steps), []
        self._by_stop[pc] = [path, *before[: _MAX_PATHS - 1]]
