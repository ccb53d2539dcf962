# SPDX-License-Identifier: Apache-2.0
"""When operations and transfers of a job begin and end, as its waits and BLOCKDEP say."""

from __future__ import annotations

from collections import deque

from ethosu_model.cycles import Cycles

# More operations than the hardware lets be outstanding (Vela: 3 kernels, 2 transfers).
_KEPT_ENDS = 8


class Timeline:
    """Two units that run side by side, kernels and DMA, held apart by the wait commands."""

    def __init__(self) -> None:
        self._kernels: deque[int] = deque([0], maxlen=_KEPT_ENDS)
        self._transfers: deque[int] = deque([0], maxlen=_KEPT_ENDS)
        self._kernel_after = 0
        self._transfer_after = 0
        self._tail = 0

    @property
    def end(self) -> int:
        """Cycle at which all work so far is done."""
        return max(self._kernels[-1], self._transfers[-1])

    def kernel(self, cycles: Cycles, *, overlaps: bool = False) -> None:
        """Append an operation.

        Args:
            cycles: What it takes.
            overlaps: It fetches its first block while the one before it finishes its last.
        """
        before = self._kernels[-1]
        shared = min(cycles.head, self._tail) if overlaps else 0
        start = max(before - shared, self._kernel_after)
        self._transfer_after = max(self._transfer_after, before)
        self._kernels.append(max(before, start + cycles.total))
        self._tail = cycles.tail

    def join(self, cycles: Cycles) -> None:
        """Append an operation that is chained to the one before it: both are one for the waits."""
        self._kernels[-1] += cycles.total
        self._tail = cycles.tail

    def transfer(self, cycles: int) -> None:
        """Append a DMA transfer; it starts no earlier than the operation before it."""
        start = max(self._transfers[-1], self._transfer_after)
        self._transfers.append(start + cycles)

    def wait_for_kernels(self, outstanding: int) -> None:
        """NPU_OP_KERNEL_WAIT: all but the last ``outstanding`` operations are done."""
        done = self._kernels[max(0, len(self._kernels) - 1 - outstanding)]
        self._transfer_after = max(self._transfer_after, done)

    def wait_for_transfers(self, outstanding: int) -> None:
        """NPU_OP_DMA_WAIT: all but the last ``outstanding`` transfers are done."""
        done = self._transfers[max(0, len(self._transfers) - 1 - outstanding)]
        self._kernel_after = max(self._kernel_after, done)
