# SPDX-License-Identifier: Apache-2.0
"""Executes NPU_OP_CONV and NPU_OP_DEPTHWISE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.command_words import Address, Length, Region
from ethosu_model.commands import Cmd0, Cmd1
from ethosu_model.convolution import Band, convolve, convolve_depthwise, exact_float
from ethosu_model.cycles import BlockKind
from ethosu_model.enums import Rounding, Upscale
from ethosu_model.faults import AxiChannel, AxiPort, CommandFault
from ethosu_model.operands import FeatureMap
from ethosu_model.operation import BlockOperation, Inputs, OperationReport
from ethosu_model.output import limits_of
from ethosu_model.rounding import scale_and_round
from ethosu_model.spans import Spans, span
from ethosu_model.traffic import Traffic
from ethosu_model.weights import ChannelScales, WeightGeometry, WeightVolume, decode_scales
from ethosu_model.window import padded


@dataclass(frozen=True)
class _Stream:
    """Where a core's weights or scales lie."""

    address: int
    size_bytes: int
    port: AxiPort
    channel: AxiChannel


@dataclass(frozen=True)
class _StreamCommands:
    """The commands that tell where the streams of all cores lie.

    Attributes:
        places: Base and length, by core.
    """

    channel: AxiChannel
    region: Region
    places: tuple[tuple[Address, Length], ...]


_WEIGHTS = _StreamCommands(
    AxiChannel.WEIGHT,
    Cmd0.NPU_SET_WEIGHT_REGION,
    (
        (Cmd1.NPU_SET_WEIGHT_BASE, Cmd1.NPU_SET_WEIGHT_LENGTH),
        (Cmd1.NPU_SET_WEIGHT1_BASE, Cmd1.NPU_SET_WEIGHT1_LENGTH),
    ),
)
_SCALES = _StreamCommands(
    AxiChannel.SCALE,
    Cmd0.NPU_SET_SCALE_REGION,
    (
        (Cmd1.NPU_SET_SCALE_BASE, Cmd1.NPU_SET_SCALE_LENGTH),
        (Cmd1.NPU_SET_SCALE1_BASE, Cmd1.NPU_SET_SCALE1_LENGTH),
    ),
)


class Convolution(BlockOperation):
    """NPU_OP_CONV: every output channel sums over all input channels."""

    depthwise = False
    _last_weights: tuple[tuple[bytes, ...], WeightVolume] | None = None
    _last_scales: tuple[tuple[bytes, ...], ChannelScales] | None = None

    def run(self) -> OperationReport:
        """Execute the operation.

        Raises:
            NpuFault: It cannot be executed, or met a bus fault.
        """
        self._spend()
        ifm = self.inputs.ifm
        return self.store(self._bands(ifm, self._weights(), self._scales()))

    @cached_property
    def inputs(self) -> Inputs:
        """IFM, kernel, and the streams of weights and scales.

        Weights are read again for every OFM block in x and y, scales once.
        """
        blocks = self.block_counts.height * self.block_counts.width
        ifm = self.windowed_ifm(self._ifm_depth)
        if ifm.dtype.itemsize > 2:
            raise CommandFault("convolution of a 32-bit IFM")
        return Inputs(
            kind=BlockKind.DEPTHWISE if self.depthwise else BlockKind.CONVOLUTION,
            output=self.mac_output_kind(),
            ifm=ifm,
            ifm2=None,
            window=self.window,
            weights=(
                *(Traffic(s.port, s.size_bytes * blocks) for s in self._weight_streams),
                *(Traffic(s.port, s.size_bytes) for s in self._scale_streams),
            ),
        )

    @property
    def _ifm_depth(self) -> int:
        return self.ofm.shape.depth if self.depthwise else self.decoder.ifm_depth()

    def _spend(self) -> None:
        """Charge the work; a depthwise convolution goes element by element."""
        kernel = self.window.kernel
        taps = kernel.height * kernel.width * self.ofm.shape.elements
        if self.depthwise:
            self.machine.budget.spend(0, self.ofm.shape.elements + taps)
        else:
            self.machine.budget.spend(taps * self._ifm_depth, self.ofm.shape.elements)

    def _bands(
        self, ifm: FeatureMap, weights: WeightVolume, scales: ChannelScales
    ) -> Iterator[Band]:
        """Yield scaled rows. Sums are done in floating point where that is exact."""
        bound = weights.largest_sum * _largest_input(ifm)
        frame = self._frame(ifm, exact_float(bound))
        kernel, ofm = self.window.kernel, self.ofm.shape
        function = convolve_depthwise if self.depthwise else convolve
        largest = bound + scales.largest_bias
        for top, bottom, sums in function(frame, weights, ofm, kernel):
            yield top, bottom, self._scale(sums, scales, largest)

    def _frame(self, ifm: FeatureMap, dtype: type) -> NDArray[Any]:
        """Return the IFM without its zero point, in its padding."""
        window = self.window
        if window.upscale is Upscale.NONE:
            return self.read_padded(ifm, dtype)
        return padded(
            self.read_window(ifm, dtype), self.ofm.shape, window.kernel, window.padding, 0
        )

    def _scale(self, sums: NDArray[Any], scales: ChannelScales, largest: int) -> NDArray[Any]:
        """Add biases; scale each channel by its own multiplier and shift, or all by OFM_SCALE."""
        scaling = self.scaling
        if scaling.rounding is Rounding.TFL and not scaling.use_global:
            scaled = scales.rounding.scale(sums, largest)
            if scaled is not None:
                return scaled
        accumulators = sums.astype(np.int64)
        accumulators += scales.bias
        if scaling.use_global:
            return self.scale_global(accumulators)
        return scale_and_round(
            accumulators, scales.multiplier, scales.shift, scaling.rounding, bound=largest
        )

    # -- streams -------------------------------------------------------------------------

    @cached_property
    def _weight_streams(self) -> tuple[_Stream, ...]:
        return tuple(self._stream(_WEIGHTS, core) for core in range(len(self._core_depths)))

    @cached_property
    def _scale_streams(self) -> tuple[_Stream, ...]:
        return tuple(self._stream(_SCALES, core) for core in range(len(self._core_depths)))

    def _stream(self, commands: _StreamCommands, core: int) -> _Stream:
        """Return where the weight or scale stream of a core lies."""
        base, port = self.decoder.region(commands.region)
        offset, length = commands.places[core]
        return _Stream(
            address=self.decoder.bus_address(base, offset),
            size_bytes=self.decoder.length(length),
            port=port,
            channel=commands.channel,
        )

    def stream_spans(self) -> Iterator[Spans]:
        """Return where weights and scales lie."""
        for stream in (*self._weight_streams, *self._scale_streams):
            yield span(stream.address, stream.size_bytes)

    def _fetch(self, stream: _Stream) -> bytes:
        return self.machine.bus.read(stream.address, stream.size_bytes, stream.port, stream.channel)

    def _weights(self) -> WeightVolume:
        """Return the weights, looked up anew if their bytes are not those of the last run."""
        streams = tuple(self._fetch(stream) for stream in self._weight_streams)
        if self._last_weights is None or self._last_weights[0] != streams:
            volume = self.machine.cache.get(streams, self._geometries)
            self._last_weights = streams, volume
        return self._last_weights[1]

    def _scales(self) -> ChannelScales:
        """Return the scales, decoded anew if their bytes are not those of the last run."""
        streams = tuple(self._fetch(stream) for stream in self._scale_streams)
        if self._last_scales is None or self._last_scales[0] != streams:
            self._last_scales = streams, self._decode_scales(streams)
        return self._last_scales[1]

    def _decode_scales(self, streams: tuple[bytes, ...]) -> ChannelScales:
        """Decode the scale stream of each core and interleave their channels."""
        depths = self._core_depths
        if len(depths) == 1:
            return decode_scales(streams[0], depths[0])
        fields = [np.zeros(sum(depths), dtype=np.int64) for _ in range(3)]
        for core, (depth, stream) in enumerate(zip(depths, streams, strict=True)):
            part = decode_scales(stream, depth)
            parts = (part.bias, part.multiplier, part.shift)
            for target, source in zip(fields, parts, strict=True):
                target[core :: len(depths)] = source
        return ChannelScales(*fields)

    @cached_property
    def _core_depths(self) -> tuple[int, ...]:
        """The output channels of each core at work: core n of N has n, n + N, ...

        Raises:
            CommandFault: PARALLEL_MODE asks for more cores than there are.
        """
        cores = self.state.get(Cmd0.NPU_SET_PARALLEL_MODE.parallel_mode) + 1
        accelerator = self.machine.accelerator
        if cores > accelerator.cores:
            raise CommandFault(f"PARALLEL_MODE for {cores} cores on {accelerator.name}")
        depth = self.ofm.shape.depth
        return tuple(len(range(core, depth, cores)) for core in range(min(cores, depth)))

    @cached_property
    def _geometries(self) -> tuple[WeightGeometry, ...]:
        """The order of each core's weights (Vela: encode_weight_and_scale_tensor)."""
        return tuple(self._geometry(core) for core in range(len(self._core_depths)))

    def _geometry(self, core: int) -> WeightGeometry:
        accelerator, kernel = self.machine.accelerator, self.window.kernel
        cores = len(self._core_depths)
        return WeightGeometry(
            ofm_depth=self._core_depths[core],
            kernel_height=kernel.height,
            kernel_width=kernel.width,
            ifm_depth=1 if self.depthwise else self._ifm_depth,
            ofm_block_depth=max(1, (self.block.depth + cores - 1 - core) // cores),
            ofm_microblock_depth=accelerator.ofm_microblock.depth,
            ifm_microblock_depth=accelerator.ifm_microblock.depth,
            ifm_bits=8 * self.inputs.ifm.dtype.itemsize,
            depthwise=self.depthwise,
            part_kernel_first=kernel.part_kernel_first and not self.depthwise,
            subkernel_height=kernel.decomposition // kernel.dilation_y,
            subkernel_width=kernel.decomposition // kernel.dilation_x,
        )


class DepthwiseConvolution(Convolution):
    """NPU_OP_DEPTHWISE: every output channel has one input channel."""

    depthwise = True


def _largest_input(ifm: FeatureMap) -> int:
    """Return the largest magnitude that an element can have without its zero point."""
    lowest, highest = limits_of(ifm.dtype)
    return max(abs(lowest - ifm.zero_point), abs(highest - ifm.zero_point))
