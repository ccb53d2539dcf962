# SPDX-License-Identifier: Apache-2.0
"""Executes Ethos-U85's NPU_OP_POOL."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.blocks import Reading
from ethosu_model.cycles import BlockKind
from ethosu_model.enums import OfmScaleMode
from ethosu_model.faults import AxiChannel, AxiPort, CommandFault
from ethosu_model.operands import Padding, Shape
from ethosu_model.pooling import (
    average_scale,
    count_elements,
    pool_maximum,
    pool_sum,
    reduce_sum,
)
from ethosu_model.spans import Spans, span
from ethosu_model.traffic import Traffic
from ethosu_model.u85.channels import Channel
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.enums import AccumulatorInput, OfmRounding, PoolingMode
from ethosu_model.u85.operands import IFM2, Operand
from ethosu_model.u85.operation import Operation
from ethosu_model.u85.scaling import scale_result
from ethosu_model.u85.weights import decode_scales
from ethosu_model.window import taps

_ARG_MAX = frozenset({PoolingMode.ARGMAX_X, PoolingMode.ARGMAX_Y})
_INDEX_BIT = 16  # of the accumulator, whose lower bits have the value
_NO_PADDING = Padding(0, 0, 0, 0)
_UNSCALED = frozenset({PoolingMode.MAX, PoolingMode.MIN, PoolingMode.AVERAGE})


class Pooling(Operation):
    """NPU_OP_POOL; its parameter is the mode."""

    kind = BlockKind.POOLING
    accumulator_inputs = frozenset({AccumulatorInput.RESET, AccumulatorInput.IFM2})

    @property
    def takes_64_bits(self) -> bool:  # type: ignore[override]
        """Whether IFM2 may have elements of 64 bits, signed ones."""
        signed = self.inputs[0].fm.dtype.kind == "i"
        return self._mode is PoolingMode.NONE and signed

    def resolve(self) -> None:
        """Resolve all operands.

        Raises:
            CommandFault: One of them is not legal, or the mode is not modelled in this form.
        """
        super().resolve()
        mode, name = self._mode, f"NPU_OP_POOL {self._mode.name}"
        given = self.state.get(Cmd0.NPU_SET_ACC_FORMAT.acc_input)
        if (given is AccumulatorInput.IFM2) is not (mode is PoolingMode.NONE):
            raise CommandFault(f"{name}: NPU_SET_ACC_FORMAT.acc_input {given.name}")
        if mode in _UNSCALED and not self.scaling.is_one:
            raise CommandFault(f"{name}: NPU_SET_OFM_SCALE {self.scaling} is not modelled")
        if mode is PoolingMode.REDUCE_SUM and self.shape.depth != 1:
            raise CommandFault(f"{name} into an OFM of more than one channel")
        if mode in _ARG_MAX:
            self._check_arg_max(name)

    def _check_arg_max(self, name: str) -> None:
        """Refuse what does not separate index from value, as Vela's OFM_SCALE does."""
        scaling, kernel = self.scaling, self.window.kernel
        if (scaling.multiplier, scaling.shift) != (1, _INDEX_BIT) or (
            self.rounding is not OfmRounding.TRUNCATE_TO_LOWER
        ):
            raise CommandFault(f"{name}: NPU_SET_OFM_SCALE {scaling} is not modelled")
        across = kernel.height if self._mode is PoolingMode.ARGMAX_X else kernel.width
        if across != 1 or self.window.padding != _NO_PADDING:
            raise CommandFault(f"{name}: kernel {kernel}, padding {self.window.padding}")

    def spend(self) -> None:
        """Charge the work to the job."""
        ofm, kernel = self.shape, self.window.kernel
        depth = self.decoder.ifm_depth() if self._mode is PoolingMode.REDUCE_SUM else ofm.depth
        self.machine.budget.spend(0, ofm.height * ofm.width * depth * kernel.height * kernel.width)

    @property
    def work_kind(self) -> BlockKind:
        """How the MAC array works through a block; without an IFM it does not."""
        if self._mode is PoolingMode.NONE:
            return BlockKind.ELEMENTWISE
        return BlockKind.REDUCE_SUM if self._mode is PoolingMode.REDUCE_SUM else self.kind

    @property
    def ifm_block_depth(self) -> int:
        """Input channels that are taken at once."""
        return 64 if self._mode is PoolingMode.REDUCE_SUM else self.block.depth

    def readings(self) -> Iterable[Reading]:
        """Return how blocks read the IFM, or IFM2 in its place."""
        if self._mode is PoolingMode.NONE:
            return super().readings()
        depth = self.ifm_block_depth if self._mode is PoolingMode.REDUCE_SUM else 0
        return [Reading(self.inputs[0].fm, self.window, depth)]

    @cached_property
    def _mode(self) -> PoolingMode:
        return self.instruction.get(Cmd0.NPU_OP_POOL.pooling_mode)

    @cached_property
    def inputs(self) -> tuple[Operand, ...]:
        """The IFM; of mode NONE, IFM2 in its place."""
        if self._mode is PoolingMode.NONE:
            return (self.decoder.operand(IFM2, self.shape),)
        reduces = self._mode is PoolingMode.REDUCE_SUM
        return (self.windowed(self.decoder.ifm_depth() if reduces else self.shape.depth),)

    def compute(self) -> NDArray[Any]:
        """Return scaled results."""
        ofm, kernel, padding = self.shape, self.window.kernel, self.window.padding
        if self._mode is PoolingMode.NONE:
            return self._rescaled(self.read(self.inputs[0]))
        values = self.read_window(self.inputs[0])
        if self._mode is PoolingMode.MAX:
            return pool_maximum(values, ofm, kernel, padding)
        if self._mode is PoolingMode.MIN:
            return -pool_maximum(-values, ofm, kernel, padding)
        if self._mode is PoolingMode.AVERAGE:
            return self._average(values)
        if self._mode is PoolingMode.REDUCE_SUM:
            values = reduce_sum(values)
        elif self._mode is not PoolingMode.SUM:
            return self._arg_max(values)
        return self.scale_global(pool_sum(values, ofm, kernel, padding))

    @property
    def takes_scales(self) -> bool:
        """A scale stream may scale each channel of accumulators that were computed before."""
        return self._mode is PoolingMode.NONE

    @cached_property
    def _by_channel(self) -> bool:
        """Whether the scale stream has a scale for each channel, and not OFM_SCALE one for all."""
        scale_mode = self.state.get(Cmd0.NPU_SET_OFM_PRECISION.scale_mode)
        return self._mode is PoolingMode.NONE and scale_mode is OfmScaleMode.PER_CHANNEL

    @cached_property
    def _scale_stream(self) -> tuple[int, int, AxiPort]:
        """Address, bytes and port of the scale stream."""
        base, port = self.decoder.region(Cmd0.NPU_SET_SCALE_REGION)
        address = self.decoder.bus_address(base, Cmd1.NPU_SET_SCALE_BASE)
        return address, self.decoder.length(Cmd1.NPU_SET_SCALE_LENGTH), port

    def stream_spans(self) -> Iterable[Spans]:
        """Return where the scales lie, if there are any."""
        return (span(*self._scale_stream[:2]),) if self._by_channel else ()

    def stream_traffic(self) -> Iterable[tuple[Channel, Traffic]]:
        """Return what reading scales moves: each once."""
        if self._by_channel:
            _, size, port = self._scale_stream
            yield Channel.SCALE, Traffic(port, read_bytes=size)

    def _rescaled(self, accumulators: NDArray[Any]) -> NDArray[Any]:
        """Scale accumulators that were computed before, with bias if each channel has its own."""
        if not self._by_channel:
            return self.scale_global(accumulators)
        stream = self.machine.bus.read(*self._scale_stream, AxiChannel.SCALE)
        scales = decode_scales(stream, self.shape.depth, wide=self.wide)
        biased = accumulators + scales.bias
        return scale_result(biased, scales.multiplier, scales.shift, self.rounding)

    def _average(self, values: NDArray[Any]) -> NDArray[Any]:
        """Divide by the number of elements that are not padding, as the NPU itself does."""
        ofm, kernel, padding = self.shape, self.window.kernel, self.window.padding
        shape = Shape(values.shape[0], values.shape[1], 1)
        multiplier, shift = average_scale(count_elements(shape, ofm, kernel, padding))
        sums = pool_sum(values, ofm, kernel, padding)
        return scale_result(sums, multiplier, shift, self.rounding)

    def _arg_max(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the place of the largest element under the kernel, the first of equals."""
        shape = (self.shape.height, self.shape.width, self.shape.depth)
        place, largest = np.zeros(shape, np.int64), np.full(shape, np.iinfo(np.int64).min)
        for number, (_, _, elements) in enumerate(taps(values, self.shape, self.window.kernel)):
            place[elements > largest] = number
            np.maximum(largest, elements, out=largest)
        return place
