# SPDX-License-Identifier: Apache-2.0
"""Executes Ethos-U85's NPU_OP_CONV and NPU_OP_DEPTHWISE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.blocks import Reading
from ethosu_model.command_words import Address, Length, Region
from ethosu_model.convolution import convolve, convolve_depthwise, exact_float
from ethosu_model.cycles import BlockKind
from ethosu_model.enums import OfmScaleMode
from ethosu_model.faults import AxiChannel, AxiPort, CommandFault
from ethosu_model.limits import MAX_ELEMENTS, check
from ethosu_model.operands import FeatureMap, Shape
from ethosu_model.spans import Spans, span
from ethosu_model.traffic import Traffic, block_counts
from ethosu_model.u85.channels import Channel
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.config import MICROBLOCK_DEPTHS
from ethosu_model.u85.enums import Sparsity, WeightFormat
from ethosu_model.u85.operands import IFM2, Operand
from ethosu_model.u85.operation import Operation
from ethosu_model.u85.scaling import scale_result
from ethosu_model.u85.weights import Traversal, WeightGeometry, decode_scales, decode_weights
from ethosu_model.weights import ChannelScales, WeightVolume
from ethosu_model.window import padded

_PLACES = (
    (Cmd1.NPU_SET_WEIGHT_BASE, Cmd1.NPU_SET_WEIGHT_LENGTH),
    (Cmd1.NPU_SET_WEIGHT1_BASE, Cmd1.NPU_SET_WEIGHT1_LENGTH),
    (Cmd1.NPU_SET_WEIGHT2_BASE, Cmd1.NPU_SET_WEIGHT2_LENGTH),
    (Cmd1.NPU_SET_WEIGHT3_BASE, Cmd1.NPU_SET_WEIGHT3_LENGTH),
)


@dataclass(frozen=True)
class _Stream:
    """Where weights or scales lie."""

    address: int
    size_bytes: int
    port: AxiPort
    channel: AxiChannel


class Convolution(Operation):
    """NPU_OP_CONV: every output channel sums over all input channels."""

    kind = BlockKind.CONVOLUTION
    depthwise = False

    @cached_property
    def inputs(self) -> tuple[Operand, ...]:
        """The IFM; and IFM2, if the weights are there.

        Raises:
            CommandFault: Its elements have more than 16 bits.
        """
        ifm = self.windowed(self._ifm_depth)
        if ifm.fm.dtype.itemsize > 2:
            raise CommandFault(
                f"{self.instruction.command.name}: NPU_SET_IFM_PRECISION of {ifm.fm.dtype}"
            )
        if not self._weights_are_ifm2:
            return (ifm,)
        window = self.window
        if (window.kernel.height, window.kernel.width, self.shape.height) != (1, 1, 1):
            raise CommandFault(
                "NPU_OP_CONV.weights_ifm2: a kernel, or an OFM of more rows than one,"
                " is not modelled"
            )
        shape = Shape(1, self.shape.depth, self._ifm_depth)
        check(shape.elements, MAX_ELEMENTS, "IFM2 elements")
        return (ifm, self.decoder.operand(IFM2, shape))

    @property
    def takes_scales(self) -> bool:
        """A scale stream may scale each channel, unless the weights are IFM2."""
        return not self._weights_are_ifm2

    @property
    def _weights_are_ifm2(self) -> bool:
        return not self.depthwise and self.instruction.get(Cmd0.NPU_OP_CONV.weights_ifm2)

    @property
    def _ifm_depth(self) -> int:
        return self.shape.depth if self.depthwise else self.decoder.ifm_depth()

    def spend(self) -> None:
        """Charge the work; a depthwise convolution goes element by element."""
        elements = self.shape.elements
        if self.depthwise:
            self.machine.budget.spend(0, elements + self._products)
        else:
            self.machine.budget.spend(self._products, elements)

    @property
    def _products(self) -> int:
        kernel = self.window.kernel
        channels = 1 if self.depthwise else self._ifm_depth
        return kernel.height * kernel.width * self.shape.elements * channels

    @property
    def ifm_block_depth(self) -> int:
        """Input channels that are taken at once."""
        return self.block.depth if self.depthwise else self._geometry.traversal.ifm_block

    @property
    def sparse(self) -> bool:
        """Whether the weights are 2:4 sparse."""
        sparsity = self.state.get(Cmd0.NPU_SET_WEIGHT_FORMAT.weight_sparsity)
        return sparsity is Sparsity.SPARSE_2_4 and not self._weights_are_ifm2

    def readings(self) -> Iterable[Reading]:
        """Return how blocks read the IFM; any may read all of weights that are IFM2."""
        depth = 0 if self.depthwise else self.ifm_block_depth
        ifm, *weights = self.inputs
        return [
            Reading(ifm.fm, self.window, depth),
            *(Reading(operand.fm, whole=True) for operand in weights),
        ]

    def compute(self) -> NDArray[Any]:
        """Return scaled results."""
        if self._weights_are_ifm2:
            values, weights_of_ifm2 = (self.read(operand) for operand in self.inputs)
            return self.scale_global(values @ weights_of_ifm2[0].T)
        weights = self._weights()
        scales = decode_scales(self._fetch(self._scale_stream), self.shape.depth, wide=self.wide)
        ifm = self.inputs[0]
        bound = weights.largest_sum * _largest_input(ifm.fm)
        values = self.read_window(ifm, exact_float(bound))
        window, shape = self.window, self.shape
        frame = padded(values, shape, window.kernel, window.padding, 0)
        function = convolve_depthwise if self.depthwise else convolve
        result = np.empty((shape.height, shape.width, shape.depth), np.int64)
        for top, bottom, sums in function(frame, weights, shape, window.kernel):
            result[top:bottom] = self._scale(sums.astype(np.int64) + scales.bias, scales)
        return result

    def _scale(self, accumulators: NDArray[Any], scales: ChannelScales) -> NDArray[Any]:
        if self.state.get(Cmd0.NPU_SET_OFM_PRECISION.scale_mode) is OfmScaleMode.GLOBAL:
            return self.scale_global(accumulators)
        return scale_result(accumulators, scales.multiplier, scales.shift, self.rounding)

    # -- streams -------------------------------------------------------------------------

    def _weights(self) -> WeightVolume:
        streams = tuple(self._fetch(stream) for stream in self._weight_streams)
        geometry = self._geometry
        return self.machine.cache.remember(
            streams, geometry, lambda: WeightVolume(decode_weights(streams, geometry))
        )

    def _fetch(self, stream: _Stream) -> bytes:
        return self.machine.bus.read(stream.address, stream.size_bytes, stream.port, stream.channel)

    @cached_property
    def _fast(self) -> bool:
        fast = self.state.get(Cmd0.NPU_SET_WEIGHT_FORMAT.weight_format) is WeightFormat.FWD
        if fast and self.depthwise:
            raise CommandFault("NPU_OP_DEPTHWISE: NPU_SET_WEIGHT_FORMAT.weight_format FWD")
        return fast

    @cached_property
    def _weight_streams(self) -> tuple[_Stream, ...]:
        count = 1 if self._fast else self.machine.accelerator.cores
        return tuple(
            self._stream(Cmd0.NPU_SET_WEIGHT_REGION, base, length, AxiChannel.WEIGHT)
            for base, length in _PLACES[:count]
        )

    @cached_property
    def _scale_stream(self) -> _Stream:
        return self._stream(
            Cmd0.NPU_SET_SCALE_REGION,
            Cmd1.NPU_SET_SCALE_BASE,
            Cmd1.NPU_SET_SCALE_LENGTH,
            AxiChannel.SCALE,
        )

    def _stream(
        self, region: Region, offset: Address, length: Length, channel: AxiChannel
    ) -> _Stream:
        base, port = self.decoder.region(region)
        return _Stream(
            self.decoder.bus_address(base, offset), self.decoder.length(length), port, channel
        )

    def stream_spans(self) -> Iterator[Spans]:
        """Return where weights and scales lie."""
        if not self._weights_are_ifm2:
            for stream in (*self._weight_streams, self._scale_stream):
                yield span(stream.address, stream.size_bytes)

    def stream_traffic(self) -> Iterator[tuple[Channel, Traffic]]:
        """Weights are read again for every OFM block in x and y, scales once."""
        if self._weights_are_ifm2:
            return
        counts = block_counts(self.shape, self.block)
        for stream in self._weight_streams:
            staged = self._fast and stream.port is AxiPort.AXI0
            channel = Channel.FAST_WEIGHT if staged else Channel.WEIGHT
            read = stream.size_bytes * counts.height * counts.width
            yield channel, Traffic(stream.port, read_bytes=read)
        scales = self._scale_stream
        yield Channel.SCALE, Traffic(scales.port, read_bytes=scales.size_bytes)

    # -- order of the weights ------------------------------------------------------------

    @cached_property
    def _geometry(self) -> WeightGeometry:
        kernel, get = self.window.kernel, self.state.get
        sparsity = get(Cmd0.NPU_SET_WEIGHT_FORMAT.weight_sparsity)
        channels = 1 if self.depthwise else self._ifm_depth
        traversal = Traversal.of(
            self.machine.accelerator.macs,
            self._unit_depth,
            8 * self.inputs[0].fm.dtype.itemsize,
            sparse=sparsity is Sparsity.SPARSE_2_4,
            depthwise=self.depthwise,
            part_kernel=kernel.part_kernel_first,
        )
        return WeightGeometry(
            shape=(self.shape.depth, kernel.height, kernel.width, channels),
            streams=self.machine.accelerator.cores,
            ofm_block_depth=self.block.depth,
            ofm_unit_depth=self._unit_depth,
            traversal=traversal,
            stride=(kernel.stride_y, kernel.stride_x) if traversal.by_phases else (1, 1),
            subkernel=(
                kernel.decomposition // kernel.dilation_y,
                kernel.decomposition // kernel.dilation_x,
            ),
            fast=self._fast,
        )

    @cached_property
    def _unit_depth(self) -> int:
        """Output channels of a microblock.

        Raises:
            CommandFault: The build has no such microblock, or a block has no whole number of them.
        """
        name, depths = self.machine.accelerator.name, MICROBLOCK_DEPTHS
        microblock = self.state.get(Cmd0.NPU_SET_ACC_FORMAT.microblock)
        if microblock not in depths[name]:
            raise CommandFault(f"NPU_SET_ACC_FORMAT.microblock {microblock.name} on {name}")
        depth = depths[name][microblock]
        if self.block.depth % depth:
            raise CommandFault(
                f"NPU_SET_OFM_BLK_DEPTH_M1: {self.block.depth} channels in microblocks of {depth}"
            )
        return depth


class DepthwiseConvolution(Convolution):
    """NPU_OP_DEPTHWISE: every output channel has one input channel."""

    kind = BlockKind.DEPTHWISE
    depthwise = True


def _largest_input(ifm: FeatureMap) -> int:
    """Return the largest magnitude that an element can have without its zero point."""
    limits = np.iinfo(ifm.dtype)
    return max(abs(int(limits.min) - ifm.zero_point), abs(int(limits.max) - ifm.zero_point))
