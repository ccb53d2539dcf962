# SPDX-License-Identifier: Apache-2.0
"""Executes NPU_OP_CONV and NPU_OP_DEPTHWISE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1
from numpy.typing import NDArray

from ethosmith.npu.convolution import Band, convolve, convolve_depthwise, exact_float
from ethosmith.npu.cycles import BlockKind
from ethosmith.npu.faults import AxiChannel, AxiPort, CommandFault
from ethosmith.npu.operands import FeatureMap, Kernel
from ethosmith.npu.operation import BlockOperation, Inputs, OperationReport
from ethosmith.npu.rounding import scale_and_round
from ethosmith.npu.traffic import Traffic, Window
from ethosmith.npu.weights import ChannelScales, WeightGeometry, WeightVolume, decode_scales
from ethosmith.npu.window import padded


class Convolution(BlockOperation):
    """NPU_OP_CONV: every output channel sums over all input channels."""

    depthwise = False

    def run(self, parameter: int) -> OperationReport:  # noqa: ARG002 - it has none
        """Execute the operation.

        Raises:
            NpuFault: It cannot be executed, or met a bus fault.
        """
        kernel = self.kernel()
        depth = self.ofm.shape.depth if self.depthwise else self.decoder.ifm_depth()
        self._spend(kernel, depth)
        window = self.window(kernel, self.decoder.padding())
        ifm = self.windowed_ifm(window, depth)
        if ifm.dtype.itemsize > 2:
            raise CommandFault("convolution of a 32-bit IFM")
        weights, weight_traffic = self._weights(kernel, depth, ifm)
        scales, scale_traffic = self._scales()
        inputs = Inputs(
            kind=BlockKind.DEPTHWISE if self.depthwise else BlockKind.CONVOLUTION,
            output=self.mac_output_kind(),
            ifm=ifm,
            ifm2=None,
            window=window,
            weights=(*weight_traffic, *scale_traffic),
        )
        return self.store(self._bands(ifm, window, weights, scales), inputs)

    def _spend(self, kernel: Kernel, depth: int) -> None:
        """Charge the work; a depthwise convolution goes element by element."""
        taps = kernel.height * kernel.width * self.ofm.shape.elements
        if self.depthwise:
            self.context.budget.spend(0, self.ofm.shape.elements + taps)
        else:
            self.context.budget.spend(taps * depth, self.ofm.shape.elements)

    def _bands(
        self, ifm: FeatureMap, window: Window, weights: WeightVolume, scales: ChannelScales
    ) -> Iterator[Band]:
        """Yield scaled rows. Sums are done in floating point where that is exact."""
        bound = weights.largest_sum * _largest_input(ifm)
        dtype = exact_float(bound)
        values = self.read_window(ifm, window, dtype)
        frame = padded(values, self.ofm.shape, window.kernel, window.padding, 0)
        function = convolve_depthwise if self.depthwise else convolve
        largest = bound + int(np.abs(scales.bias).max())
        for top, bottom, sums in function(frame, weights, self.ofm.shape, window.kernel):
            accumulators = sums.astype(np.int64)
            accumulators += scales.bias
            yield top, bottom, self._scale(accumulators, scales, largest)

    def _scale(
        self, accumulators: NDArray[Any], scales: ChannelScales, largest: int
    ) -> NDArray[Any]:
        """Scale each channel by its own multiplier and shift, or all by OFM_SCALE."""
        scaling = self.scaling
        if scaling.use_global:
            return self.scale_global(accumulators)
        return scale_and_round(
            accumulators, scales.multiplier, scales.shift, scaling.rounding, bound=largest
        )

    # -- streams -------------------------------------------------------------------------

    def _weights(
        self, kernel: Kernel, ifm_depth: int, ifm: FeatureMap
    ) -> tuple[WeightVolume, list[Traffic]]:
        """Decode the weight stream of each core; each is read again for every block in x and y."""
        blocks = self.block_counts()
        streams, geometries, traffic = [], [], []
        for core, depth in enumerate(self._core_depths()):
            stream, port = self._stream("WEIGHT", core)
            streams.append(stream)
            geometries.append(self._geometry(kernel, depth, ifm_depth, ifm, core))
            traffic.append(Traffic(port, len(stream) * blocks.height * blocks.width))
        return self.context.cache.get(tuple(streams), tuple(geometries)), traffic

    def _scales(self) -> tuple[ChannelScales, list[Traffic]]:
        """Decode the scale stream of each core and interleave their channels."""
        depths = self._core_depths()
        fields = [np.zeros(sum(depths), dtype=np.int64) for _ in range(3)]
        traffic = []
        for core, depth in enumerate(depths):
            stream, port = self._stream("SCALE", core)
            traffic.append(Traffic(port, len(stream)))
            part = decode_scales(stream, depth)
            parts = (part.bias, part.multiplier, part.shift)
            for target, source in zip(fields, parts, strict=True):
                target[core :: len(depths)] = source
        return ChannelScales(*fields), traffic

    def _core_depths(self) -> list[int]:
        """Return the output channels of each core at work: core n of N has n, n + N, ...

        Raises:
            CommandFault: PARALLEL_MODE asks for more cores than there are.
        """
        cores = self.context.state.value(cmd0.NPU_SET_PARALLEL_MODE) + 1
        accelerator = self.context.accelerator
        if cores > accelerator.cores:
            raise CommandFault(f"PARALLEL_MODE for {cores} cores on {accelerator.name}")
        depth = self.ofm.shape.depth
        return [len(range(core, depth, cores)) for core in range(min(cores, depth))]

    def _stream(self, name: str, core: int) -> tuple[bytes, AxiPort]:
        """Read the weight or scale stream of a core."""
        suffix = "1" if core else ""
        base, port = self.decoder.region(cmd0[f"NPU_SET_{name}_REGION"])
        address = self.decoder.bus_address(base, cmd1[f"NPU_SET_{name}{suffix}_BASE"])
        length = self.decoder.length(cmd1[f"NPU_SET_{name}{suffix}_LENGTH"])
        return self.context.bus.read(address, length, port, AxiChannel[name]), port

    def _geometry(
        self, kernel: Kernel, depth: int, ifm_depth: int, ifm: FeatureMap, core: int
    ) -> WeightGeometry:
        """Return the order of a core's weights (Vela: encode_weight_and_scale_tensor)."""
        accelerator = self.context.accelerator
        cores = len(self._core_depths())
        return WeightGeometry(
            ofm_depth=depth,
            kernel_height=kernel.height,
            kernel_width=kernel.width,
            ifm_depth=1 if self.depthwise else ifm_depth,
            ofm_block_depth=max(1, (self.block().depth + cores - 1 - core) // cores),
            ofm_microblock_depth=accelerator.ofm_microblock.depth,
            ifm_microblock_depth=accelerator.ifm_microblock.depth,
            ifm_bits=8 * ifm.dtype.itemsize,
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
    limits = np.iinfo(ifm.dtype)
    return max(abs(int(limits.min) - ifm.zero_point), abs(int(limits.max) - ifm.zero_point))
