# SPDX-License-Identifier: Apache-2.0
"""What all operations that produce an OFM share: operands, the IFM, the OFM, the cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.accounting import OperationCost, operation_cost
from ethosu_model.blocks import BlockWork, Reading
from ethosu_model.checks import check_kernel
from ethosu_model.command_stream import CommandState, Instruction
from ethosu_model.commands import Cmd0
from ethosu_model.convolution import Band
from ethosu_model.cycles import BlockKind, OutputKind, Workload, ifm_block_depth
from ethosu_model.enums import AccFormat, ActivationFunction, Upscale
from ethosu_model.faults import AxiChannel
from ethosu_model.feature_map import read_feature_map, write_feature_map
from ethosu_model.job import Job
from ethosu_model.limits import MAX_ELEMENTS, MAX_KERNEL_ELEMENTS, check
from ethosu_model.lookup import LUT_REGION_BYTES
from ethosu_model.machine import Machine
from ethosu_model.operands import (
    Activation,
    FeatureMap,
    OfmScaling,
    OperandDecoder,
    Shape,
)
from ethosu_model.ordering import Accesses, shram_span
from ethosu_model.output import OutputStage
from ethosu_model.rounding import scale_and_round
from ethosu_model.spans import Spans, spans_of, union
from ethosu_model.traffic import (
    Traffic,
    Window,
    block_counts,
    elementwise_traffic,
    ifm_block,
    ifm_traffic,
    ofm_traffic,
    stored_depth,
    whole_blocks,
)
from ethosu_model.window import frame_shape, ifm_shape, upscaled

Array = NDArray[Any]


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
    """One operation; ``run`` executes it.

    Operands are resolved on first use and kept, for a network's job is run again and again.
    """

    joins = False  # chains are of Ethos-U85

    def __init__(
        self, machine: Machine, state: CommandState, job: Job, instruction: Instruction
    ) -> None:
        """Make an operation.

        Args:
            machine: What it runs on.
            state: The command registers; not to change afterwards.
            job: Regions and ports.
            instruction: The NPU_OP command.
        """
        self.machine = machine
        self.state = state
        self.instruction = instruction
        self.decoder = OperandDecoder(machine.accelerator, state, job)

    @abstractmethod
    def run(self) -> OperationReport:
        """Execute the operation.

        Raises:
            NpuFault: It cannot be executed, or met a bus fault.
        """

    def again(self) -> None:
        """Execute the operation, of which nobody wants to know more than its OFM; as `run`."""
        self.run()

    def resolve(self) -> None:
        """Resolve all operands, so that none of them fails later.

        Raises:
            CommandFault: One of them is not legal.
        """
        _ = self.scaling, self.activation, self.cost
        if self.machine.checks.excluded:
            self.check_excluded()

    def check_excluded(self) -> None:
        """Raise CommandFault for a form that the manual excludes."""
        check_kernel(self.inputs.window.kernel)

    def accesses(self, name: str) -> Accesses:
        """Return what the operation reads and writes."""
        inputs = self.inputs
        maps = [inputs.ifm] if inputs.ifm2 is None else [inputs.ifm, inputs.ifm2]
        reads = [*map(spans_of, maps), *self.stream_spans()]
        if self.activation.function >= ActivationFunction.TABLE_0:
            table = len(self.machine.shram) - LUT_REGION_BYTES
            reads.append(shram_span(table, LUT_REGION_BYTES))
        return Accesses(name, union(reads), spans_of(self.ofm))

    def blocks(self, name: str) -> BlockWork:
        """Return what the operation's blocks read and write."""
        inputs = self.inputs
        window = None if inputs.kind is BlockKind.ELEMENTWISE else inputs.window
        summed = 0
        if inputs.kind in (BlockKind.CONVOLUTION, BlockKind.REDUCE_SUM):
            bits = 8 * inputs.ifm.dtype.itemsize
            summed = ifm_block_depth(inputs.ifm.shape.depth, bits, inputs.window.kernel)
        readings = [Reading(inputs.ifm, window, summed)]
        if inputs.ifm2 is not None:
            readings.append(Reading(inputs.ifm2))
        return BlockWork(
            name=name,
            blockdep=self.state.get(Cmd0.NPU_SET_BLOCKDEP.blockdep),
            shape=self.ofm.shape,
            block=self.block,
            written=self.ofm,
            readings=tuple(readings),
            table=self.activation.function >= ActivationFunction.TABLE_0,
            spares_table=self.machine.accelerator.keeps_tables,
        )

    def stream_spans(self) -> Iterable[Spans]:
        """Return where weights and scales lie."""
        return ()

    @cached_property
    @abstractmethod
    def inputs(self) -> Inputs:
        """What the operation reads.

        Raises:
            CommandFault: An operand is not legal.
        """

    @cached_property
    def ofm(self) -> FeatureMap:
        """The OFM.

        Raises:
            CommandFault: It is not legal, or beyond the model's limit.
        """
        ofm = self.decoder.ofm()
        check(ofm.shape.elements, MAX_ELEMENTS, "OFM elements")
        return ofm

    @cached_property
    def scaling(self) -> OfmScaling:
        """Rounding and scaling of the OFM."""
        return self.decoder.ofm_scaling()

    @cached_property
    def activation(self) -> Activation:
        """The activation."""
        return self.decoder.activation(self.ofm.dtype)

    @cached_property
    def output(self) -> OutputStage:
        """What finishes scaled accumulators."""
        return OutputStage(self.ofm, self.activation, self.machine)

    @cached_property
    def window(self) -> Window:
        """Kernel, padding and upscaling, checked against the model's limits."""
        kernel = self.decoder.kernel()
        check(kernel.height * kernel.width, MAX_KERNEL_ELEMENTS, "kernel elements")
        return Window(kernel, self.decoder.padding(), self.decoder.upscale())

    def windowed_ifm(self, depth: int) -> FeatureMap:
        """Return the IFM of an operation with a kernel.

        Raises:
            CommandFault: Its size, or that with padding, is beyond the model's limit.
        """
        window, ofm = self.window, self.ofm.shape
        shape = ifm_shape(ofm, window.kernel, window.padding, window.upscale, depth)
        check(frame_shape(ofm, window.kernel, depth).elements, MAX_ELEMENTS, "IFM elements")
        check(shape.elements, MAX_ELEMENTS, "IFM elements")
        return self.decoder.ifm(shape)

    def read(self, fm: FeatureMap, dtype: type | None = None) -> Array:
        """Return a feature map without its zero point.

        Args:
            fm: The feature map.
            dtype: Element type of the result; by default int32, or int64 for 32-bit elements.
        """
        values = read_feature_map(self.machine.bus, fm, AxiChannel.IFM)
        default = np.int64 if fm.dtype.itemsize == 4 else np.int32
        return np.subtract(values, fm.zero_point, dtype=dtype or default)

    def read_window(self, ifm: FeatureMap, dtype: type | None = None) -> Array:
        """Read an IFM and upscale it."""
        return upscaled(self.read(ifm, dtype), self.window.upscale)

    def read_padded(self, ifm: FeatureMap, dtype: type) -> Array:
        """Read an IFM that is not upscaled into its padding; see `window.padded`."""
        values = read_feature_map(self.machine.bus, ifm, AxiChannel.IFM)
        window, ofm = self.window, self.ofm.shape
        frame = frame_shape(ofm, window.kernel, ifm.shape.depth)
        padding = window.padding
        inside = values[: frame.height - padding.top, : frame.width - padding.left]
        rows, columns, _ = inside.shape
        if (rows, columns) == (frame.height, frame.width):
            return np.subtract(inside, ifm.zero_point, dtype=dtype, order="C")
        result: Array = np.zeros((frame.height, frame.width, frame.depth), dtype=dtype)
        place = result[padding.top : padding.top + rows, padding.left : padding.left + columns]
        np.subtract(inside, ifm.zero_point, out=place, dtype=dtype)
        return result

    def scale_global(self, values: Array) -> Array:
        """Scale accumulators with OFM_SCALE."""
        scaling = self.scaling
        return scale_and_round(values, scaling.multiplier, scaling.shift, scaling.rounding)

    def mac_output_kind(self) -> OutputKind:
        """Return the output stage's work behind accumulators; 40-bit ones cost more."""
        wide = self.state.get(Cmd0.NPU_SET_ACC_FORMAT.acc_format) is AccFormat.I40
        return OutputKind.MULTIPLY if wide else OutputKind.OTHER

    @cached_property
    def block(self) -> Shape:
        """The OFM block."""
        return Shape(
            self.state.get(Cmd0.NPU_SET_OFM_BLK_HEIGHT_M1.height_m1) + 1,
            self.state.get(Cmd0.NPU_SET_OFM_BLK_WIDTH_M1.width_m1) + 1,
            self.state.get(Cmd0.NPU_SET_OFM_BLK_DEPTH_M1.depth_m1) + 1,
        )

    @cached_property
    def block_counts(self) -> Shape:
        """The number of blocks along each axis of the OFM."""
        return block_counts(self.ofm.shape, self.block)

    def store(self, bands: Iterable[Band]) -> OperationReport:
        """Finish scaled bands of rows and write the OFM."""
        shape = self.ofm.shape
        size = shape.height, shape.width, shape.depth
        result: Array | None = None
        for top, bottom, scaled in bands:
            finished = self.output.finish(scaled)
            if finished.shape == size:
                result = finished
            else:
                result = np.empty(size, dtype=self.ofm.dtype) if result is None else result
                result[top:bottom] = finished
        if result is None:
            result = np.empty(size, dtype=self.ofm.dtype)
        write_feature_map(self.machine.bus, self.ofm, result, AxiChannel.OFM)
        return OperationReport(self._describe, self.ofm, result, self.cost)

    @cached_property
    def cost(self) -> OperationCost:
        """What running the operation costs."""
        inputs, accelerator = self.inputs, self.machine.accelerator
        traffic = [ofm_traffic(self.ofm, self.block, accelerator.cores), *self._input_traffic()]
        taken = self._ifm_block
        workload = Workload(
            kind=inputs.kind,
            output=inputs.output,
            ofm=self.ofm.shape,
            block=self.block,
            kernel=inputs.window.kernel,
            ifm=inputs.ifm.shape,
            ifm_block=taken,
            ifm_bits=8 * inputs.ifm.dtype.itemsize,
            looks_up=self.activation.function is not ActivationFunction.NONE,
            ofm_bits=8 * self.ofm.dtype.itemsize,
            stored_depth=stored_depth(self.ofm),
            traffic=self._counted(traffic, taken),
        )
        overlaps = self.state.get(Cmd0.NPU_SET_BLOCKDEP.blockdep) > 0
        return operation_cost(accelerator, workload, traffic, overlaps=overlaps)

    @property
    def _passes(self) -> int:
        """How often the whole IFM is read."""
        return self.block_counts.depth if self.inputs.kind is BlockKind.CONVOLUTION else 1

    @property
    def _ifm_block(self) -> Shape:
        inputs = self.inputs
        if inputs.kind is BlockKind.ELEMENTWISE:
            return self.block
        depth = self.block.depth
        if inputs.kind in (BlockKind.CONVOLUTION, BlockKind.REDUCE_SUM):
            bits = 8 * inputs.ifm.dtype.itemsize
            depth = ifm_block_depth(inputs.ifm.shape.depth, bits, inputs.window.kernel)
        unit = self.machine.accelerator.ifm_microblock
        return ifm_block(self.block, inputs.window, (unit.height, unit.width), depth)

    def _counted(self, traffic: list[Traffic], taken: Shape) -> tuple[Traffic, ...]:
        """Return the traffic as the estimate counts it: whole IFM blocks."""
        inputs = self.inputs
        if inputs.kind is BlockKind.ELEMENTWISE:
            return tuple(traffic)
        counts = self.block_counts
        blocks = counts.height * counts.width * self._passes
        ofm, ifm, *weights = traffic
        whole = whole_blocks(ifm, inputs.ifm, taken, inputs.window.kernel, blocks)
        return (ofm, whole, *weights)

    def _input_traffic(self) -> list[Traffic]:
        inputs = self.inputs
        if inputs.kind is BlockKind.ELEMENTWISE:
            operands = [inputs.ifm] if inputs.ifm2 is None else [inputs.ifm, inputs.ifm2]
            return [elementwise_traffic(fm, self.block) for fm in operands]
        taken = self._ifm_block
        ifm = ifm_traffic(
            inputs.ifm,
            self.ofm.shape,
            self.block,
            inputs.window,
            taken=taken,
            depth_passes=self._passes,
        )
        return [ifm, *inputs.weights]

    def _describe(self) -> str:
        inputs = self.inputs
        parts = [f"ifm {inputs.ifm}"]
        if inputs.ifm2 is not None:
            parts.append(f"ifm2 {inputs.ifm2}")
        parts.append(f"ofm {self.ofm}")
        if inputs.kind is not BlockKind.ELEMENTWISE:
            window = inputs.window
            parts += [f"kernel {window.kernel}", f"padding {window.padding}"]
            if window.upscale is not Upscale.NONE:
                parts.append(f"upscale {window.upscale.name}")
        parts += [f"{self.scaling}", f"{self.activation}"]
        return ", ".join(parts)
