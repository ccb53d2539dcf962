# SPDX-License-Identifier: Apache-2.0
"""Bounds on what the model works on, so that no command stream hangs it or eats memory.

The hardware has most of these bounds too, as field widths, memory sizes or patience. What
goes beyond ends with a parse error.
"""

from __future__ import annotations

from ethosu_model.faults import CommandFault

MAX_STREAM_BYTES = 1 << 24  # Vela: "hardware limit of 16 MiB"
MAX_ELEMENTS = 1 << 25  # of a feature map, padding included
MAX_KERNEL_ELEMENTS = 1 << 16  # Vela's largest pooling kernel is 256x256
MAX_WEIGHTS = 1 << 26  # of one operation, padding included
MAX_WEIGHT_PIECE = 1 << 22  # of one subkernel of one IFM and OFM block
MAX_DMA_ROWS = 1 << 16
MAX_DMA_BYTES = 1 << 28
# Work of a job, in multiply-accumulates; other work is charged as so many of them.
MAX_JOB_WORK = 1 << 38
_WORK_PER_ELEMENT = 64
_WORK_PER_OPERATION = 1 << 18


def check(value: int, limit: int, what: str) -> None:
    """Raise CommandFault if ``value`` is above ``limit``."""
    if value > limit:
        raise CommandFault(f"{value} {what}, the model's limit is {limit}")


class Budget:
    """The work that a job may still do."""

    def __init__(self) -> None:
        self._left = MAX_JOB_WORK

    def spend(self, macs: int, elements: int) -> None:
        """Take an operation's work off.

        Args:
            macs: Multiply-accumulates by matrix multiplication.
            elements: Elements gone through one by one, or bytes copied.

        Raises:
            CommandFault: The job has done more than it may.
        """
        self._left -= macs + elements * _WORK_PER_ELEMENT + _WORK_PER_OPERATION
        if self._left < 0:
            raise CommandFault("the job's work is beyond the model's limit")
