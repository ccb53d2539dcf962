# SPDX-License-Identifier: Apache-2.0
"""What all operations that produce an OFM share: operands, the IFM, the OFM, the cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import acc_format, activation, cmd0
from numpy.typing import NDArray

from ethosmith.npu.accounting import OperationCost, busiest_port_bytes
from ethosmith.npu.bus import Bus
from ethosmith.npu.command_stream import CommandState
from ethosmith.npu.config import AcceleratorConfig
from ethosmith.npu.convolution import Band
from ethosmith.npu.cycles import BlockKind, OutputKind, Workload
from ethosmith.npu.faults import AxiChannel
from ethosmith.npu.feature_map import read_feature_map, write_feature_map
from ethosmith.npu.job import Job
from ethosmith.npu.limits import MAX_ELEMENTS, MAX_KERNEL_ELEMENTS, Budget, check
from ethosmith.npu.operands import (
    FeatureMap,
    Kernel,
    OperandDecoder,
    Padding,
    Shape,
    Upscale,
)
from ethosmith.npu.output import OutputStage
from ethosmith.npu.rounding import scale_and_round
from ethosmith.npu.traffic import (
    Traffic,
    Window,
    block_counts,
    elementwise_traffic,
    ifm_traffic,
    ofm_traffic,
)
from ethosmith.npu.weights import WeightCache
from ethosmith.npu.window import frame_shape, ifm_shape, upscaled

Array = NDArray[Any]


@dataclass(frozen=True)
class OperationContext:
    """What an operation runs on.

    Attributes:
        accelerator: Which NPU.
        bus: Its AXI ports.
        state: The command registers.
        job: Regions and ports.
        table: The LUT region of SHRAM.
        cache: Decoded weights.
        budget: Work left to the job.
    """

    accelerator: AcceleratorConfig
    bus: Bus
    state: CommandState
    job: Job
    table: bytes
    cache: WeightCache
    budget: Budget


@dataclass(frozen=True)
class Inputs:
    """What an operation read, as far as its trace and cost depend on it."""

    kind: BlockKind
    output: OutputKind
    ifm: FeatureMap
    ifm2: FeatureMap | None
    window: Window
    weights: tuple[Traffic, ...] = ()


@dataclass(frozen=True)
class OperationReport:
    """What an operation did.

    Attributes:
        describe: Makes a line of its operands, for a trace.
        ofm: The OFM it wrote.
        result: Its elements [height, width, depth].
        cost: What it cost.
    """

    describe: Callable[[], str]
    ofm: FeatureMap
    result: Array
    cost: OperationCost


class BlockOperation(ABC):
    """One operation; ``run`` executes it."""

    def __init__(self, context: OperationContext) -> None:
        """Resolve the operands common to all operations.

        Raises:
            CommandFault: One of them is not legal.
        """
        self.context = context
        self.decoder = OperandDecoder(context.accelerator, context.state, context.job)
        self.ofm = self.decoder.ofm()
        self.scaling = self.decoder.ofm_scaling()
        self._activation = self.decoder.activation(self.ofm.dtype)
        self._output = OutputStage(self.ofm, self._activation, context.table)
        check(self.ofm.shape.elements, MAX_ELEMENTS, "OFM elements")

    @abstractmethod
    def run(self, parameter: int) -> OperationReport:
        """Execute the operation; ``parameter`` is that of its command.

        Raises:
            NpuFault: It cannot be executed, or met a bus fault.
        """

    def kernel(self) -> Kernel:
        """Return the kernel, checked against the model's limits."""
        kernel = self.decoder.kernel()
        check(kernel.height * kernel.width, MAX_KERNEL_ELEMENTS, "kernel elements")
        return kernel

    def read(self, fm: FeatureMap, dtype: type | None = None) -> Array:
        """Return a feature map without its zero point.

        Args:
            fm: The feature map.
            dtype: Element type of the result; by default int32, or int64 for 32-bit elements.
        """
        values = read_feature_map(self.context.bus, fm, AxiChannel.IFM)
        default = np.int64 if fm.dtype.itemsize == 4 else np.int32
        return np.subtract(values, fm.zero_point, dtype=dtype or default)

    def windowed_ifm(self, window: Window, depth: int) -> FeatureMap:
        """Return the IFM of an operation with a kernel.

        Raises:
            CommandFault: Its size, or that with padding, is beyond the model's limit.
        """
        kernel, padding = window.kernel, window.padding
        shape = ifm_shape(self.ofm.shape, kernel, padding, window.upscale, depth)
        frame = frame_shape(self.ofm.shape, kernel, depth)
        check(frame.elements, MAX_ELEMENTS, "IFM elements")
        check(shape.elements * 4, 4 * MAX_ELEMENTS, "IFM elements")
        return self.decoder.ifm(shape)

    def window(self, kernel: Kernel, padding: Padding) -> Window:
        """Return kernel, padding and upscaling together."""
        return Window(kernel, padding, self.decoder.upscale())

    def read_window(self, ifm: FeatureMap, window: Window, dtype: type | None = None) -> Array:
        """Read an IFM and upscale it."""
        return upscaled(self.read(ifm, dtype), window.upscale)

    def scale_global(self, values: Array) -> Array:
        """Scale accumulators with OFM_SCALE."""
        scaling = self.scaling
        return scale_and_round(values, scaling.multiplier, scaling.shift, scaling.rounding)

    def mac_output_kind(self) -> OutputKind:
        """Return the output stage's work behind accumulators; 40-bit ones cost more."""
        wide = self.context.state.value(cmd0.NPU_SET_ACC_FORMAT) == acc_format.INT_40BIT.value
        return OutputKind.MULTIPLY if wide else OutputKind.OTHER

    def block(self) -> Shape:
        """Return the OFM block."""
        state = self.context.state
        return Shape(
            state.value(cmd0.NPU_SET_OFM_BLK_HEIGHT_M1) + 1,
            state.value(cmd0.NPU_SET_OFM_BLK_WIDTH_M1) + 1,
            state.value(cmd0.NPU_SET_OFM_BLK_DEPTH_M1) + 1,
        )

    def block_counts(self) -> Shape:
        """Return the number of blocks along each axis of the OFM."""
        return block_counts(self.ofm.shape, self.block())

    def store(self, bands: Iterable[Band], inputs: Inputs) -> OperationReport:
        """Finish scaled bands of rows and write the OFM."""
        shape = self.ofm.shape
        result = np.empty((shape.height, shape.width, shape.depth), dtype=self.ofm.dtype)
        for top, bottom, scaled in bands:
            result[top:bottom] = self._output.finish(scaled)
        write_feature_map(self.context.bus, self.ofm, result, AxiChannel.OFM)
        return OperationReport(lambda: self._describe(inputs), self.ofm, result, self._cost(inputs))

    def _cost(self, inputs: Inputs) -> OperationCost:
        traffic = [ofm_traffic(self.ofm), *self._input_traffic(inputs)]
        workload = Workload(
            kind=inputs.kind,
            output=inputs.output,
            ofm=self.ofm.shape,
            block=self.block(),
            kernel=inputs.window.kernel,
            ifm_depth=inputs.ifm.shape.depth,
            ifm_bits=8 * inputs.ifm.dtype.itemsize,
            looks_up=self._activation.function != activation.NONE.value,
            port_bytes=busiest_port_bytes(traffic),
        )
        return OperationCost(workload, traffic)

    def _input_traffic(self, inputs: Inputs) -> list[Traffic]:
        if inputs.kind is BlockKind.ELEMENTWISE:
            operands = [inputs.ifm] if inputs.ifm2 is None else [inputs.ifm, inputs.ifm2]
            return [elementwise_traffic(fm) for fm in operands]
        passes = self.block_counts().depth if inputs.kind is BlockKind.CONVOLUTION else 1
        ifm = ifm_traffic(
            inputs.ifm, self.ofm.shape, self.block(), inputs.window, depth_passes=passes
        )
        return [ifm, *inputs.weights]

    def _describe(self, inputs: Inputs) -> str:
        parts = [f"ifm {inputs.ifm}"]
        if inputs.ifm2 is not None:
            parts.append(f"ifm2 {inputs.ifm2}")
        parts.append(f"ofm {self.ofm}")
        if inputs.kind is not BlockKind.ELEMENTWISE:
            window = inputs.window
            parts += [f"kernel {window.kernel}", f"padding {window.padding}"]
            if window.upscale is not Upscale.NONE:
                parts.append(f"upscale {window.upscale.name}")
        parts += [f"{self.scaling}", f"{self._activation}"]
        return ", ".join(parts)
