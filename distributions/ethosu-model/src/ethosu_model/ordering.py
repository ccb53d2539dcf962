# SPDX-License-Identifier: Apache-2.0
"""Finds accesses to memory that a wait should have put in order, and did not.

Kernels and transfers run side by side. A transfer begins while kernels before it may still be at
work, unless NPU_OP_KERNEL_WAIT stood between, and a kernel while transfers are, unless
NPU_OP_DMA_WAIT did. How many of each may be outstanding is Vela's architecture_features: two
kernels, and one transfer on Ethos-U55, two on U65, four on U85. Kernels among themselves overlap by
as many jobs as NPU_SET_BLOCKDEP lets them (`blocks`); transfers are taken to be in order. A chain
of Ethos-U85 is one kernel, which is how Vela's C++ core counts it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ethosu_model.blocks import BlockWork, blockdep_fault
from ethosu_model.enums import Product
from ethosu_model.faults import CommandFault
from ethosu_model.overwriting import overwritten
from ethosu_model.spans import Spans, meeting, span, union

_OUTSTANDING_KERNELS = 2
_OUTSTANDING_TRANSFERS = {Product.U55: 1, Product.U65: 2, Product.U85: 4}
_SHRAM = 1 << 56  # beyond all bus addresses


def shram_span(offset: int, size_bytes: int) -> Spans:
    """Return a range of SHRAM."""
    return span(_SHRAM + offset, size_bytes)


@dataclass(frozen=True)
class Accesses:
    """What one operation reads and writes.

    Attributes:
        name: Command and offset in the stream, for messages.
    """

    name: str
    reads: Spans
    writes: Spans


class Ordering:
    """The operations of a job that may be outstanding."""

    def __init__(self, product: Product) -> None:
        self._kernels: deque[Accesses] = deque(maxlen=_OUTSTANDING_KERNELS)
        self._transfers: deque[Accesses] = deque(maxlen=_OUTSTANDING_TRANSFERS[product])
        self._previous: BlockWork | None = None
        self._before: BlockWork | None = None  # the operation before the previous one

    def kernel(self, accesses: Accesses, work: BlockWork, *, joins: bool) -> None:
        """Begin a block operation.

        Args:
            accesses: What it reads and writes.
            work: The same, block by block.
            joins: It is chained to the operation before it.

        Raises:
            CommandFault: It meets a transfer that may not have ended, blocks of the operation
                before it that may not, or later blocks of its own.
        """
        for transfer in self._transfers:
            _check(accesses, transfer, "NPU_OP_DMA_WAIT")
        name = work.name
        if joins and self._previous is not None:
            work = self._previous.with_part(work)
            if self._kernels:
                accesses = _both(self._kernels.pop(), accesses)
        else:
            self._before = self._previous
        if self._before is not None:
            fault = blockdep_fault(self._before, work)
            if fault is not None:
                raise CommandFault(f"ordering: {name} {fault}")
        address = overwritten(work)
        if address is not None:
            raise CommandFault(
                f"ordering: {name} overwrites what a later block of its own reads, at 0x{address:x}"
            )
        self._kernels.append(accesses)
        self._previous = work

    def transfer(self, accesses: Accesses) -> None:
        """Begin a transfer.

        Raises:
            CommandFault: It meets a block operation that may not have ended.
        """
        for kernel in self._kernels:
            _check(accesses, kernel, "NPU_OP_KERNEL_WAIT")
        self._transfers.append(accesses)

    def wait_for_kernels(self, outstanding: int) -> None:
        """NPU_OP_KERNEL_WAIT."""
        _keep(self._kernels, outstanding)
        if not outstanding:
            self._previous = self._before = None

    def wait_for_transfers(self, outstanding: int) -> None:
        """NPU_OP_DMA_WAIT."""
        _keep(self._transfers, outstanding)


def _both(first: Accesses, second: Accesses) -> Accesses:
    return Accesses(
        second.name, union([first.reads, second.reads]), union([first.writes, second.writes])
    )


def _keep(outstanding: deque[Accesses], count: int) -> None:
    while len(outstanding) > count:
        outstanding.popleft()


def _check(late: Accesses, early: Accesses, wait: str) -> None:
    for first, second, what in (
        (late.reads, early.writes, "reads what {} may not have written"),
        (late.writes, early.reads, "overwrites what {} may not have read"),
        (late.writes, early.writes, "overwrites what {} may still write"),
    ):
        address = meeting(first, second)
        if address is not None:
            where = f"SHRAM 0x{address - _SHRAM:x}" if address >= _SHRAM else f"0x{address:x}"
            raise CommandFault(
                f"ordering: {late.name} {what.format(early.name)}, at {where}: {wait} is missing"
            )
