# SPDX-License-Identifier: Apache-2.0
"""An estimate of the cycles that operations take; no figure of the hardware.

Throughput of the MAC array and of the output stage follows Vela's npu_performance and
architecture_features; memory is taken as ideal: one beat per port and cycle, no latency.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from math import ceil

from ethosu_model.config import AcceleratorConfig
from ethosu_model.operands import Kernel, Shape


class OutputKind(Enum):
    """What the output stage does for an element; its cost differs (Vela's perf index)."""

    WIDE_BINARY = auto()
    WIDE_UNARY = auto()
    WIDE_MULTIPLY = auto()
    MULTIPLY = auto()
    ADD_SIMPLE = auto()
    ADD = auto()
    MAXIMUM = auto()
    OTHER = auto()


class BlockKind(Enum):
    """How the MAC array works through a block."""

    CONVOLUTION = auto()
    DEPTHWISE = auto()
    POOLING = auto()
    REDUCE_SUM = auto()
    ELEMENTWISE = auto()


@dataclass(frozen=True)
class Workload:
    """What the estimate depends on.

    Attributes:
        kind: Kind of operation.
        output: Kind of output work.
        ofm: Shape of the OFM.
        block: OFM block.
        kernel: The kernel.
        ifm_depth: Depth of the IFM.
        ifm_bits: Element size of the IFM.
        looks_up: The activation uses a table, sigmoid or tanh.
        port_bytes: Bytes over the busier port.
    """

    kind: BlockKind
    output: OutputKind
    ofm: Shape
    block: Shape
    kernel: Kernel
    ifm_depth: int
    ifm_bits: int
    looks_up: bool
    port_bytes: int


@dataclass(frozen=True)
class Cycles:
    """Estimated cycles of an operation: all, and those in which the MAC array works."""

    total: int
    mac_active: int


_OUTPUT_CYCLES = {
    "ethos-u55-32": (2.0, 3.0, 3.0, 3.0, 4.0, 6.0, 1.0, 2.0),
    "ethos-u55-64": (1.0, 1.5, 1.5, 1.5, 2.0, 3.0, 0.5, 1.0),
    "ethos-u55-128": (0.75, 1.25, 0.75, 0.75, 1.0, 1.5, 0.25, 0.5),
    "ethos-u55-256": (0.625, 1.125, 0.5, 0.375, 0.5, 0.75, 0.125, 0.25),
    "ethos-u65-256": (0.625, 1.125, 0.5, 0.375, 0.5, 0.75, 0.125, 0.25),
    "ethos-u65-512": (0.3125, 0.5625, 0.25, 0.1875, 0.25, 0.375, 0.0625, 0.125),
}
_LOOKUP_CYCLES = {"ethos-u65-512": 0.5}


def estimate(accelerator: AcceleratorConfig, work: Workload) -> Cycles:
    """Return the estimated cycles of one operation."""
    block = Shape(
        min(work.block.height, work.ofm.height),
        min(work.block.width, work.ofm.width),
        min(work.block.depth, work.ofm.depth),
    )
    blocks = (
        ceil(work.ofm.height / block.height)
        * ceil(work.ofm.width / block.width)
        * ceil(work.ofm.depth / block.depth)
    )
    mac = _mac_cycles(accelerator, work, block) / accelerator.cores
    output = block.elements * _output_cycles(accelerator, work)
    compute = max(mac, output) * blocks + min(mac, output)
    memory = work.port_bytes / accelerator.axi_bytes
    return Cycles(total=ceil(max(compute, memory)), mac_active=ceil(mac * blocks))


def _output_cycles(accelerator: AcceleratorConfig, work: Workload) -> float:
    per_element = _OUTPUT_CYCLES[accelerator.name][list(OutputKind).index(work.output)]
    if work.looks_up:
        return max(per_element, _LOOKUP_CYCLES.get(accelerator.name, 1.0))
    return per_element


def _mac_cycles(accelerator: AcceleratorConfig, work: Workload, block: Shape) -> float:
    """Return the MAC array's cycles for one OFM block, all subkernels and IFM blocks."""
    if work.kind is BlockKind.ELEMENTWISE:
        return 0.0
    unit = accelerator.ofm_microblock
    spatial = ceil(block.height / unit.height) * ceil(block.width / unit.width)
    depth = ceil(block.depth / unit.depth)
    busy = max(32 * unit.depth // 8, 4 * spatial) * depth
    elements = work.kernel.height * work.kernel.width
    if work.kind is BlockKind.POOLING:
        return float(max(4, elements) * spatial * depth * (2 if work.ifm_bits == 16 else 1))
    if work.kind is BlockKind.DEPTHWISE:
        return float(busy * ceil(elements / 4) * (2 if work.ifm_bits == 16 else 1))
    if work.kernel.part_kernel_first and work.kind is BlockKind.CONVOLUTION:
        steps = ceil(elements / (2 if work.ifm_bits == 16 else 4))
        return float(busy * steps * ceil(work.ifm_depth / 8))
    return float(busy * elements * ceil(work.ifm_depth / (32 if work.ifm_bits == 8 else 16)))


# More operations than the hardware lets be outstanding (Vela: 3 kernels, 2 transfers).
_KEPT_ENDS = 8


class Timeline:
    """Two units that run side by side, kernels and DMA, held apart by the wait commands."""

    def __init__(self) -> None:
        self._kernels: deque[int] = deque([0], maxlen=_KEPT_ENDS)
        self._transfers: deque[int] = deque([0], maxlen=_KEPT_ENDS)
        self._kernel_after = 0
        self._transfer_after = 0

    @property
    def end(self) -> int:
        """Cycle at which all work so far is done."""
        return max(self._kernels[-1], self._transfers[-1])

    def kernel(self, cycles: int) -> None:
        """Append an operation; it starts after the one before it."""
        start = max(self._kernels[-1], self._kernel_after)
        self._transfer_after = max(self._transfer_after, self._kernels[-1])
        self._kernels.append(start + cycles)

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
