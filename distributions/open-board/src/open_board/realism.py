# SPDX-License-Identifier: Apache-2.0
"""How closely the board follows the hardware where QEMU alone forgives."""

from __future__ import annotations

from dataclasses import dataclass, replace

from open_board.job import Outcome, RunError


@dataclass(frozen=True)
class Realism:
    """What the board does as the hardware does.

    Attributes:
        memory_pattern: RAM begins with the Fast Models' pattern, not with zeros.
        npu_time: Jobs and resets of the NPU last; its registers go with its power.
        npu_security: The NPU's security level decides which alias it reaches.
        caches: The NPU sees memory, the CPU its data cache; maintenance moves lines between them.
        refuses: What a board would not forgive ends the run with its reason.
        job_reads: How many reads of registers find a job running; 0: it is over at once.
        job_sleeps: At which WFI or WFE of the program a job is over.
    """

    memory_pattern: bool = True
    npu_time: bool = True
    npu_security: bool = True
    caches: bool = False
    refuses: bool = False
    job_reads: int = 3
    job_sleeps: int = 1

    def refuse(self, reason: str) -> None:
        """End the run because of what the program did, if that is asked for.

        Raises:
            RunError: `refuses` is set.
        """
        if self.refuses:
            raise RunError(Outcome.REFUSED, reason)

    def with_early_interrupt(self) -> Realism:
        """Return the same with jobs that are over before the CPU's next instruction."""
        return replace(self, job_reads=0)

    def with_late_interrupt(self) -> Realism:
        """Return the same with jobs during which a timer has to wake the program some times."""
        return replace(self, job_reads=30, job_sleeps=4)


USUAL = Realism()
STRICT = Realism(caches=True, refuses=True)
# QEMU and the NPU model alone: what a simulator lets pass that nobody made strict.
FORGIVING = Realism(memory_pattern=False, npu_time=False, npu_security=False)
