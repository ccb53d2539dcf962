# SPDX-License-Identifier: Apache-2.0
"""The NPU as the board sees it: a page of registers and an interrupt line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from open_board.job import Outcome, RunError

if TYPE_CHECKING:
    from ethosu_model.events import EventTotals

_CMD = 0x08
_CMD_RUN = 1 << 0


def starts_job(offset: int, value: int) -> bool:
    """Tell whether a register write starts a command stream: CMD with its run bit."""
    return offset == _CMD and bool(value & _CMD_RUN)


class NpuRegisters(Protocol):
    """The NPU as the CPU sees it."""

    @property
    def irq(self) -> bool:
        """Level of the interrupt line."""

    @property
    def last_fault(self) -> Exception | None:
        """What stopped the last job, or None."""

    @property
    def totals(self) -> EventTotals:
        """What all jobs have cost."""

    def read_register(self, offset: int) -> int:
        """Return the word at ``offset`` of the page."""

    def write_register(self, offset: int, value: int) -> None:
        """Write the word at ``offset`` of the page."""


class NpuWrapper:
    """An NPU that hands everything on to another; subclasses change some of it."""

    def __init__(self, inner: NpuRegisters) -> None:
        self._inner = inner

    @property
    def irq(self) -> bool:
        """Level of the interrupt line."""
        return self._inner.irq

    @property
    def last_fault(self) -> Exception | None:
        """What stopped the last job, or None."""
        return self._inner.last_fault

    @property
    def totals(self) -> EventTotals:
        """What all jobs have cost."""
        return self._inner.totals

    def read_register(self, offset: int) -> int:
        """Read a word."""
        return self._inner.read_register(offset)

    def write_register(self, offset: int, value: int) -> None:
        """Write a word."""
        self._inner.write_register(offset, value)


class AnnouncedJobs(NpuWrapper):
    """An NPU that tells of each job before it starts."""

    def __init__(self, inner: NpuRegisters, announce: Callable[[], None]) -> None:
        super().__init__(inner)
        self._announce = announce

    def write_register(self, offset: int, value: int) -> None:
        """Write a word."""
        if starts_job(offset, value):
            self._announce()
        super().write_register(offset, value)


class GuardedNpu(NpuWrapper):
    """An NPU whose own failure ends the run with a reason instead of a traceback."""

    def write_register(self, offset: int, value: int) -> None:
        """Write a word.

        Raises:
            RunError: the model failed, which it never should.
        """
        try:
            super().write_register(offset, value)
        except RunError:
            raise
        except Exception as error:  # whatever it is, it is a fault of the model
            raise RunError(
                Outcome.SIMULATOR_FAILED,
                f"the NPU model failed: {type(error).__name__}: {error}; please report it with"
                " the command stream",
            ) from error
