# SPDX-License-Identifier: Apache-2.0
"""Executes the operations that produce an OFM: convolution, pooling, element-wise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import (
    acc_format,
    activation,
    cmd0,
    cmd1,
    elementwise_mode,
    pooling_mode,
)
from numpy.typing import NDArray

from ethosmith.npu.accounting import OperationCost, busiest_port_bytes
from ethosmith.npu.bus import Bus
from ethosmith.npu.command_stream import CommandState
from ethosmith.npu.config import AcceleratorConfig
from ethosmith.npu.convolution import convolve, convolve_depthwise
from ethosmith.npu.cycles import BlockKind, OutputKind, Workload
from ethosmith.npu.elementwise import (
    UNARY,
    OperandScaling,
    add_operands,
    combine,
    count_leading_zeros,
    leaky_relu,
    scale_wide_product,
    shift_left,
    shift_right,
)
from ethosmith.npu.faults import AxiChannel, AxiPort, CommandFault
from ethosmith.npu.feature_map import read_feature_map, write_feature_map
from ethosmith.npu.job import Job
from ethosmith.npu.operands import (
    FeatureMap,
    Kernel,
    OfmScaling,
    OperandDecoder,
    Padding,
    ScaleMode,
    Shape,
    Upscale,
)
from ethosmith.npu.output import OutputStage
from ethosmith.npu.pooling import (
    average_scale,
    count_elements,
    pool_maximum,
    pool_sum,
    reduce_sum,
)
from ethosmith.npu.rounding import scale_and_round
from ethosmith.npu.traffic import (
    Traffic,
    Window,
    block_counts,
    elementwise_traffic,
    ifm_traffic,
    ofm_traffic,
)
from ethosmith.npu.weights import ChannelScales, WeightCache, WeightGeometry, decode_scales
from ethosmith.npu.window import ifm_shape, padded, upscaled

Int64Array = NDArray[np.int64]

# The model's own limits: the hardware would work on for minutes, or its memory could not
# be that large. Jobs beyond them end with a parse error.
MAX_ELEMENTS = 1 << 27
MAX_MACS = 1 << 37


@dataclass(frozen=True)
class OperationReport:
    """What an operation did, for the trace and the performance counters."""

    operands: str
    ofm: FeatureMap
    result: NDArray[Any]
    cost: OperationCost


@dataclass(frozen=True)
class _Inputs:
    """What an operation read, as far as its cost depends on it."""

    kind: BlockKind
    output: OutputKind
    ifm: FeatureMap
    ifm2: FeatureMap | None
    window: Window
    weights: tuple[Traffic, ...] = ()


class BlockOperation:
    """One operation with its operands resolved; ``run`` executes it."""

    def __init__(
        self,
        accelerator: AcceleratorConfig,
        bus: Bus,
        state: CommandState,
        job: Job,
        table: bytes,
        cache: WeightCache,
    ) -> None:
        """Resolve the operands common to all operations.

        Raises:
            CommandFault: One of them is not legal.
        """
        self._accelerator = accelerator
        self._bus = bus
        self._state = state
        self._decoder = OperandDecoder(accelerator, state, job)
        self._cache = cache
        self._ofm = self._decoder.ofm()
        self._scaling = self._decoder.ofm_scaling()
        self._activation = self._decoder.activation(self._ofm.dtype)
        self._output = OutputStage(self._ofm, self._activation, table)
        _check_size(self._ofm.shape.elements)

    # -- convolution ---------------------------------------------------------------------

    def convolution(self, *, depthwise: bool) -> OperationReport:
        """Execute NPU_OP_CONV or NPU_OP_DEPTHWISE."""
        kernel, padding = self._decoder.kernel(), self._decoder.padding()
        ofm = self._ofm.shape
        depth = ofm.depth if depthwise else self._decoder.ifm_depth()
        macs = ofm.elements * kernel.height * kernel.width * (1 if depthwise else depth)
        _check_work(macs)
        ifm, values = self._windowed_ifm(kernel, padding, depth)
        weights, weight_traffic = self._weights(kernel, depth, ifm, depthwise=depthwise)
        scales, scale_traffic = self._scales()
        frame = padded(values, ofm, kernel, padding, 0)
        function = convolve_depthwise if depthwise else convolve
        bands = (
            (top, bottom, self._scale_channels(sums, scales))
            for top, bottom, sums in function(frame, weights, ofm, kernel)
        )
        inputs = _Inputs(
            kind=BlockKind.DEPTHWISE if depthwise else BlockKind.CONVOLUTION,
            output=self._mac_output_kind(),
            ifm=ifm,
            ifm2=None,
            window=self._window(kernel, padding),
            weights=(*weight_traffic, *scale_traffic),
        )
        return self._store(bands, inputs)

    def _window(self, kernel: Kernel, padding: Padding) -> Window:
        return Window(kernel, padding, self._decoder.upscale())

    def _mac_output_kind(self) -> OutputKind:
        """Return the output stage's work behind accumulators; 40-bit ones cost more."""
        wide = self._state.value(cmd0.NPU_SET_ACC_FORMAT) == acc_format.INT_40BIT.value
        return OutputKind.MULTIPLY if wide else OutputKind.OTHER

    def _windowed_ifm(
        self, kernel: Kernel, padding: Padding, depth: int
    ) -> tuple[FeatureMap, NDArray[np.int32]]:
        """Read the IFM, take off its zero point and upscale it."""
        upscale = self._decoder.upscale()
        shape = ifm_shape(self._ofm.shape, kernel, padding, upscale, depth)
        _check_size(shape.elements * (1 if upscale is Upscale.NONE else 4))
        ifm = self._decoder.ifm(shape)
        return ifm, upscaled(self._read(ifm), upscale)

    def _read(self, fm: FeatureMap) -> NDArray[Any]:
        """Read a feature map without its zero point; int32, or int64 for 32-bit elements."""
        values = read_feature_map(self._bus, fm, AxiChannel.IFM)
        wide = np.dtype(np.int64 if fm.dtype.itemsize == 4 else np.int32)
        return np.subtract(values, fm.zero_point, dtype=wide)

    def _weights(
        self, kernel: Kernel, ifm_depth: int, ifm: FeatureMap, *, depthwise: bool
    ) -> tuple[NDArray[np.int16], list[Traffic]]:
        """Decode the weight stream of each core and interleave their channels."""
        if ifm.dtype.itemsize > 2:
            raise CommandFault("convolution of a 32-bit IFM")
        depth = self._ofm.shape.depth
        result = np.zeros(
            (depth, kernel.height, kernel.width, 1 if depthwise else ifm_depth), dtype=np.int16
        )
        cores = self._cores()
        blocks = self._block_counts()
        traffic = []
        for core in range(min(cores, depth)):
            stream, port = self._stream("WEIGHT", core)
            traffic.append(Traffic(port, len(stream) * blocks.height * blocks.width))
            geometry = self._geometry(kernel, result[core::cores].shape, ifm, core, depthwise)
            result[core::cores] = self._cache.get(stream, geometry)
        return result, traffic

    def _cores(self) -> int:
        cores = self._state.value(cmd0.NPU_SET_PARALLEL_MODE) + 1
        if cores > self._accelerator.cores:
            raise CommandFault(f"PARALLEL_MODE for {cores} cores on {self._accelerator.name}")
        return cores

    def _geometry(
        self, kernel: Kernel, shape: tuple[int, ...], ifm: FeatureMap, core: int, depthwise: bool
    ) -> WeightGeometry:
        block = self._state.value(cmd0.NPU_SET_OFM_BLK_DEPTH_M1) + 1
        cores = self._cores()
        return WeightGeometry(
            ofm_depth=shape[0],
            kernel_height=kernel.height,
            kernel_width=kernel.width,
            ifm_depth=shape[3],
            ofm_block_depth=max(1, (block + cores - 1 - core) // cores),
            ofm_microblock_depth=self._accelerator.ofm_microblock.depth,
            ifm_microblock_depth=self._accelerator.ifm_microblock.depth,
            ifm_bits=8 * ifm.dtype.itemsize,
            depthwise=depthwise,
            part_kernel_first=kernel.part_kernel_first and not depthwise,
            subkernel_height=kernel.decomposition // kernel.dilation_y,
            subkernel_width=kernel.decomposition // kernel.dilation_x,
        )

    def _stream(self, name: str, core: int) -> tuple[bytes, AxiPort]:
        """Read the weight or scale stream of a core."""
        suffix = "1" if core else ""
        base, port = self._decoder.region(cmd0[f"NPU_SET_{name}_REGION"])
        address = self._decoder.bus_address(base, cmd1[f"NPU_SET_{name}{suffix}_BASE"])
        length = self._decoder.length(cmd1[f"NPU_SET_{name}{suffix}_LENGTH"])
        return self._bus.read(address, length, port, AxiChannel[name]), port

    def _scales(self) -> tuple[ChannelScales, list[Traffic]]:
        """Decode the scale stream of each core and interleave their channels."""
        depth, cores = self._ofm.shape.depth, self._cores()
        fields = [np.zeros(depth, dtype=np.int64) for _ in range(3)]
        traffic = []
        for core in range(min(cores, depth)):
            stream, port = self._stream("SCALE", core)
            traffic.append(Traffic(port, len(stream)))
            part = decode_scales(stream, len(fields[0][core::cores]))
            for target, source in zip(
                fields, (part.bias, part.multiplier, part.shift), strict=True
            ):
                target[core::cores] = source
        return ChannelScales(*fields), traffic

    def _scale_channels(self, sums: Int64Array, scales: ChannelScales) -> Int64Array:
        return scale_and_round(
            sums + scales.bias, scales.multiplier, scales.shift, self._scaling.rounding
        )

    # -- pooling -------------------------------------------------------------------------

    def pooling(self, mode: int) -> OperationReport:
        """Execute NPU_OP_POOL.

        Raises:
            CommandFault: The mode is reserved.
        """
        kernel, padding = self._decoder.kernel(), self._decoder.padding()
        ofm = self._ofm.shape
        reduces = mode == pooling_mode.REDUCE_SUM.value
        depth = self._decoder.ifm_depth() if reduces else ofm.depth
        _check_work(ofm.elements * kernel.height * kernel.width)
        ifm, values = self._windowed_ifm(kernel, padding, depth)
        if mode == pooling_mode.MAX.value:
            result = pool_maximum(values, ofm, kernel, padding)
        elif mode == pooling_mode.AVERAGE.value:
            shape = Shape(values.shape[0], values.shape[1], depth)
            result = self._average(values, shape, kernel, padding)
        elif reduces:
            result = self._scale_global(reduce_sum(values))
        else:
            raise CommandFault(f"reserved pooling mode {mode}")
        inputs = _Inputs(
            kind=BlockKind.REDUCE_SUM if reduces else BlockKind.POOLING,
            output=self._pooling_output_kind(mode),
            ifm=ifm,
            ifm2=None,
            window=self._window(kernel, padding),
        )
        return self._store([(0, ofm.height, result)], inputs)

    def _pooling_output_kind(self, mode: int) -> OutputKind:
        return OutputKind.MAXIMUM if mode == pooling_mode.MAX.value else self._mac_output_kind()

    def _average(
        self, values: NDArray[np.int32], shape: Shape, kernel: Kernel, padding: Padding
    ) -> Int64Array:
        """Average: OFM_SCALE holds 1/elements, but with padding the NPU counts itself.

        Vela relies on that: generate_pooling_op gives no global scale with padding, and
        regor's RescalePooling leaves it at 1 >> 0.
        """
        sums = pool_sum(values, self._ofm.shape, kernel, padding)
        if self._scaling.use_global and padding == Padding(0, 0, 0, 0):
            return self._scale_global(sums)
        counts = count_elements(shape, self._ofm.shape, kernel, padding)
        multiplier, shift = average_scale(counts)
        return scale_and_round(sums, multiplier, shift, self._scaling.rounding)

    def _scale_global(self, values: Int64Array) -> Int64Array:
        scaling = self._scaling
        return scale_and_round(values, scaling.multiplier, scaling.shift, scaling.rounding)

    # -- element-wise --------------------------------------------------------------------

    def elementwise(self, mode_number: int) -> OperationReport:
        """Execute NPU_OP_ELEMENTWISE.

        Raises:
            CommandFault: The mode is reserved.
        """
        if mode_number not in _ELEMENTWISE_MODES:
            raise CommandFault(f"reserved element-wise mode {mode_number}")
        mode = elementwise_mode(mode_number)
        ofm = self._ofm.shape
        ifm = self._decoder.ifm(ofm)
        values = self._read(ifm).astype(np.int64)
        if mode in UNARY:
            ifm2 = None
            result = self._unary(mode, values)
        else:
            ifm2, values2 = self._second_operand(ofm)
            result = self._binary(mode, ifm, values, values2)
        inputs = _Inputs(
            kind=BlockKind.ELEMENTWISE,
            output=self._elementwise_output_kind(mode, ifm),
            ifm=ifm,
            ifm2=ifm2,
            window=Window(_UNIT_KERNEL, Padding(0, 0, 0, 0), Upscale.NONE),
        )
        return self._store([(0, ofm.height, result)], inputs)

    def _elementwise_output_kind(self, mode: elementwise_mode, ifm: FeatureMap) -> OutputKind:
        """Return the output stage's work (Vela: _estimate_output_cycles_per_element)."""
        if ifm.dtype.itemsize == 4:
            return OutputKind.WIDE_UNARY if mode in UNARY else OutputKind.WIDE_BINARY
        if mode is elementwise_mode.MUL:
            wide = self._ofm.dtype.itemsize == 4
            return OutputKind.WIDE_MULTIPLY if wide else OutputKind.MULTIPLY
        if mode in (elementwise_mode.ADD, elementwise_mode.SUB):
            simple = self._decoder.ifm_scale_mode()[0] is ScaleMode.OPA_OPB_16
            return OutputKind.ADD_SIMPLE if simple else OutputKind.ADD
        return OutputKind.OTHER

    def _unary(self, mode: elementwise_mode, values: Int64Array) -> Int64Array:
        if mode is elementwise_mode.LRELU:
            return leaky_relu(values, self._scaling)
        if mode is elementwise_mode.ABS:
            return self._scale_global(np.abs(values))
        return count_leading_zeros(values)

    def _second_operand(self, ofm: Shape) -> tuple[FeatureMap | None, Int64Array]:
        """Read IFM2, or take its scalar; broadcast axes have length 1."""
        broadcast = self._state.value(cmd0.NPU_SET_IFM2_BROADCAST)
        shape = Shape(
            1 if broadcast & 1 else ofm.height,
            1 if broadcast & 2 else ofm.width,
            1 if broadcast & 4 else ofm.depth,
        )
        ifm2 = self._decoder.ifm2(shape)
        if not broadcast & 0x80:
            return ifm2, self._read(ifm2).astype(np.int64)
        bits = np.array([self._state.value(cmd0.NPU_SET_IFM2_SCALAR)], dtype=np.uint16)
        signed = ifm2.dtype.kind == "i"
        scalar = int(bits.view(np.int16)[0] if signed else bits[0])
        return None, np.array(scalar - ifm2.zero_point, dtype=np.int64).reshape(1, 1, 1)

    def _binary(
        self, mode: elementwise_mode, ifm: FeatureMap, values: Int64Array, values2: Int64Array
    ) -> Int64Array:
        reversed_order = bool(self._state.value(cmd0.NPU_SET_IFM2_BROADCAST) & 0x40)
        if mode in (elementwise_mode.ADD, elementwise_mode.SUB):
            values, values2 = add_operands(
                values, values2, self._operand_scaling(ifm, reversed_order)
            )
        first, second = (values2, values) if reversed_order else (values, values2)
        if mode is elementwise_mode.SHL:
            return shift_left(first, second)
        if mode is elementwise_mode.SHR:
            return shift_right(first, second, self._scaling.rounding)
        result = combine(mode, first, second)
        if mode in (elementwise_mode.MIN, elementwise_mode.MAX):
            return result
        if mode is elementwise_mode.MUL and ifm.dtype.itemsize == 4:
            return scale_wide_product(result, self._scaling)
        return self._scale_global(result)

    def _operand_scaling(self, ifm: FeatureMap, reversed_order: bool) -> OperandScaling:
        scale_mode, rounding = self._decoder.ifm_scale_mode()
        return OperandScaling(
            scale_mode=scale_mode,
            rounding=rounding,
            opa=self._state.scale(cmd1.NPU_SET_OPA_SCALE),
            opb_multiplier=self._state.scale(cmd1.NPU_SET_OPB_SCALE)[0],
            ifm_bits=8 * ifm.dtype.itemsize,
            reversed_order=reversed_order,
        )

    # -- output --------------------------------------------------------------------------

    def _store(
        self,
        bands: Iterator[tuple[int, int, Int64Array]] | list[tuple[int, int, Int64Array]],
        inputs: _Inputs,
    ) -> OperationReport:
        """Finish scaled bands of rows and write the OFM."""
        shape = self._ofm.shape
        result = np.empty((shape.height, shape.width, shape.depth), dtype=self._ofm.dtype)
        for top, bottom, scaled in bands:
            result[top:bottom] = self._output.finish(scaled)
        write_feature_map(self._bus, self._ofm, result, AxiChannel.OFM)
        return OperationReport(self._describe(inputs), self._ofm, result, self._cost(inputs))

    def _block(self) -> Shape:
        return Shape(
            self._state.value(cmd0.NPU_SET_OFM_BLK_HEIGHT_M1) + 1,
            self._state.value(cmd0.NPU_SET_OFM_BLK_WIDTH_M1) + 1,
            self._state.value(cmd0.NPU_SET_OFM_BLK_DEPTH_M1) + 1,
        )

    def _block_counts(self) -> Shape:
        return block_counts(self._ofm.shape, self._block())

    def _cost(self, inputs: _Inputs) -> OperationCost:
        traffic = [ofm_traffic(self._ofm), *self._input_traffic(inputs)]
        workload = Workload(
            kind=inputs.kind,
            output=inputs.output,
            ofm=self._ofm.shape,
            block=self._block(),
            kernel=inputs.window.kernel,
            ifm_depth=inputs.ifm.shape.depth,
            ifm_bits=8 * inputs.ifm.dtype.itemsize,
            looks_up=self._activation.function != activation.NONE.value,
            port_bytes=busiest_port_bytes(traffic),
        )
        return OperationCost(workload, traffic)

    def _input_traffic(self, inputs: _Inputs) -> list[Traffic]:
        if inputs.kind is BlockKind.ELEMENTWISE:
            operands = [inputs.ifm] if inputs.ifm2 is None else [inputs.ifm, inputs.ifm2]
            return [elementwise_traffic(fm) for fm in operands]
        passes = self._block_counts().depth if inputs.kind is BlockKind.CONVOLUTION else 1
        ifm = ifm_traffic(
            inputs.ifm, self._ofm.shape, self._block(), inputs.window, depth_passes=passes
        )
        return [ifm, *inputs.weights]

    def _describe(self, inputs: _Inputs) -> str:
        parts = [f"ifm {inputs.ifm}"]
        if inputs.ifm2 is not None:
            parts.append(f"ifm2 {inputs.ifm2}")
        parts.append(f"ofm {self._ofm}")
        if inputs.kind is not BlockKind.ELEMENTWISE:
            parts.append(f"kernel {inputs.window.kernel}")
        parts.append(_describe_scaling(self._scaling))
        return ", ".join(parts)


_UNIT_KERNEL = Kernel(1, 1, 1, 1, 1, 1, part_kernel_first=False, decomposition=8)
_ELEMENTWISE_MODES = frozenset(mode.value for mode in elementwise_mode)
Runner = Callable[[BlockOperation, int], OperationReport]

RUNNERS: dict[cmd0, Runner] = {
    cmd0.NPU_OP_CONV: lambda operation, _: operation.convolution(depthwise=False),
    cmd0.NPU_OP_DEPTHWISE: lambda operation, _: operation.convolution(depthwise=True),
    cmd0.NPU_OP_POOL: BlockOperation.pooling,
    cmd0.NPU_OP_ELEMENTWISE: BlockOperation.elementwise,
}


def _describe_scaling(scaling: OfmScaling) -> str:
    if not scaling.use_global:
        return f"rounding {scaling.rounding.name}"
    return f"scale {scaling.multiplier}>>{scaling.shift} rounding {scaling.rounding.name}"


def _check_size(elements: int) -> None:
    if elements > MAX_ELEMENTS:
        raise CommandFault(f"feature map of {elements} elements is beyond the model's limit")


def _check_work(macs: int) -> None:
    if macs > MAX_MACS:
        raise CommandFault(f"operation of {macs} MACs is beyond the model's limit")
