# SPDX-License-Identifier: Apache-2.0
"""Executes NPU_OP_ELEMENTWISE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model import few_elements
from ethosu_model.checks import check_elementwise
from ethosu_model.commands import Cmd0, Cmd1
from ethosu_model.convolution import Band, bands
from ethosu_model.cycles import BlockKind, OutputKind
from ethosu_model.elementwise import (
    UNARY,
    OperandScaling,
    add_operands,
    combine,
    count_leading_zeros,
    leaky_relu,
    scale_wide_product,
    shift_left,
)
from ethosu_model.enums import ActivationFunction, ElementwiseMode, OperandOrder, ScaleMode, Upscale
from ethosu_model.feature_map import plain_area
from ethosu_model.few_elements import MAX_FEW, FewReader, FewWriter
from ethosu_model.operands import FeatureMap, Kernel, Padding, Shape
from ethosu_model.operation import BlockOperation, Inputs, OperationReport
from ethosu_model.output import limits_of
from ethosu_model.rounding import shift_right_rounded
from ethosu_model.traffic import Window

_UNIT_WINDOW = Window(
    Kernel(1, 1, 1, 1, 1, 1, part_kernel_first=False, decomposition=8),
    Padding(0, 0, 0, 0),
    Upscale.NONE,
)


_FEW = 4096
_MAX_FEW_BYTES = 64  # read for an element, those between it and the next included
_SCALES_OPERANDS = (ElementwiseMode.ADD, ElementwiseMode.SUB)


class Elementwise(BlockOperation):
    """NPU_OP_ELEMENTWISE; its parameter is the mode."""

    def run(self) -> OperationReport:
        """Execute the operation.

        Raises:
            NpuFault: It cannot be executed, or met a bus fault.
        """
        self.machine.budget.spend(0, self.ofm.shape.elements)
        values = self.read(self.inputs.ifm, self._read_type)
        values2 = None if self._mode in UNARY else self._second_operand()
        return self.store(self._bands(values, values2))

    def again(self) -> None:
        """Execute the operation; see `BlockOperation.again`."""
        few = self._few
        if few is None:
            self.run()
        else:
            self.machine.budget.spend(0, self.ofm.shape.elements)
            few()

    @cached_property
    def _few(self) -> Callable[[], None] | None:
        """What executes it in Python's integers; None where NumPy is to do so."""
        ofm, plain, output = self.ofm, plain_area(self.ofm), self.output
        low, high = output.limits
        lowest, highest = limits_of(ofm.dtype)
        if (
            ofm.shape.elements > MAX_FEW
            or plain is None
            or not plain.dense
            or self.activation.function is not ActivationFunction.NONE
            or not lowest <= low <= high <= highest
        ):
            return None
        combine, zero_point = self._of_few(), output.zero_point
        if combine is None:
            return None
        write = FewWriter(self.machine.bus, ofm, plain).write
        return lambda: write([max(low, min(value + zero_point, high)) for value in combine()])

    def _of_few(self) -> Callable[[], Iterable[int]] | None:
        """Return what reads the operands and combines them; None if NumPy has to."""
        inputs, mode = self.inputs, self._mode
        first = self._reader_of_few(inputs.ifm)
        if first is None:
            return None
        if mode in UNARY:
            one = few_elements.unary(mode, self.scaling)
            return lambda: map(one, first())
        both = few_elements.binary(
            mode,
            self.scaling,
            self._operand_scaling if mode in _SCALES_OPERANDS else None,
            reversed_order=self._reversed,
            wide_product=inputs.ifm.dtype.itemsize == 4,
        )
        if inputs.ifm2 is None:
            return lambda: map(both, first(), repeat(self._scalar))
        second = self._reader_of_few(inputs.ifm2)
        return None if second is None else lambda: map(both, first(), second())

    def _reader_of_few(self, fm: FeatureMap) -> Callable[[], Sequence[int]] | None:
        plain, shape = plain_area(fm), self.ofm.shape
        if plain is None or plain.span_bytes > MAX_FEW * _MAX_FEW_BYTES:
            return None
        size = shape.height, shape.width, shape.depth
        return FewReader(self.machine.bus, fm, plain, size).read

    def check_excluded(self) -> None:
        """Raise CommandFault for a form that the manual excludes."""
        check_elementwise(self._mode, self.inputs.ifm, self.ofm)

    @cached_property
    def _mode(self) -> ElementwiseMode:
        return self.instruction.get(Cmd0.NPU_OP_ELEMENTWISE.elementwise_mode)

    @cached_property
    def inputs(self) -> Inputs:
        """IFM, and IFM2 if it lies in memory; broadcast axes of IFM2 have length 1."""
        ofm, get, word = self.ofm.shape, self.state.get, Cmd0.NPU_SET_IFM2_BROADCAST
        shape = Shape(
            1 if get(word.broadcast_h) else ofm.height,
            1 if get(word.broadcast_w) else ofm.width,
            1 if get(word.broadcast_c) else ofm.depth,
        )
        in_memory = self._mode not in UNARY and not get(word.broadcast_constant)
        return Inputs(
            kind=BlockKind.ELEMENTWISE,
            output=self._output_kind(),
            ifm=self.decoder.ifm(ofm),
            ifm2=self.decoder.ifm2(shape) if in_memory else None,
            window=_UNIT_WINDOW,
        )

    def _output_kind(self) -> OutputKind:
        """Return the output stage's work (Vela: _estimate_output_cycles_per_element)."""
        if self.decoder.ifm_dtype().itemsize == 4:
            return OutputKind.WIDE_UNARY if self._mode in UNARY else OutputKind.WIDE_BINARY
        if self._mode is ElementwiseMode.MUL:
            wide = self.ofm.dtype.itemsize == 4
            return OutputKind.WIDE_MULTIPLY if wide else OutputKind.MULTIPLY
        if self._mode in (ElementwiseMode.ADD, ElementwiseMode.SUB):
            simple = self.decoder.ifm_scale_mode()[0] is ScaleMode.OPA_OPB_16
            return OutputKind.ADD_SIMPLE if simple else OutputKind.ADD
        return OutputKind.OTHER

    def _second_operand(self) -> NDArray[Any]:
        """Read IFM2, or take its scalar."""
        if self.inputs.ifm2 is not None:
            return self.read(self.inputs.ifm2, self._read_type)
        return np.full((1, 1, 1), self._scalar, dtype=np.int64)

    @cached_property
    def _scalar(self) -> int:
        return self.decoder.ifm2_scalar()

    @cached_property
    def _read_type(self) -> type | None:
        """The type in which few elements are read: the one that is computed with."""
        return np.int64 if self.ofm.shape.elements <= _FEW else None

    def _bands(self, values: NDArray[Any], values2: NDArray[Any] | None) -> Iterator[Band]:
        """Yield scaled results; IFM2 is sliced along with the IFM unless broadcast."""
        shape = self.ofm.shape
        for top, bottom in bands(shape, shape.width * shape.depth):
            part = values[top:bottom].astype(np.int64, copy=False)
            if values2 is None:
                yield top, bottom, self._unary(part)
            else:
                part2 = values2 if values2.shape[0] == 1 else values2[top:bottom]
                yield top, bottom, self._binary(part, part2.astype(np.int64, copy=False))

    def _unary(self, values: NDArray[Any]) -> NDArray[Any]:
        if self._mode is ElementwiseMode.LRELU:
            return leaky_relu(values, self.scaling)
        if self._mode is ElementwiseMode.ABS:
            return self.scale_global(np.abs(values))
        return count_leading_zeros(values)

    def _binary(self, values: NDArray[Any], values2: NDArray[Any]) -> NDArray[Any]:
        mode = self._mode
        if mode in _SCALES_OPERANDS:
            values, values2 = add_operands(values, values2, self._operand_scaling)
        first, second = (values2, values) if self._reversed else (values, values2)
        if mode is ElementwiseMode.SHL:
            return shift_left(first, second)
        if mode is ElementwiseMode.SHR:
            first, second = np.broadcast_arrays(first, second)
            return shift_right_rounded(first, second, self.scaling.rounding)
        result = combine(mode, first, second)
        if mode in (ElementwiseMode.MIN, ElementwiseMode.MAX):
            return result
        if mode is ElementwiseMode.MUL and self.inputs.ifm.dtype.itemsize == 4:
            return scale_wide_product(result, self.scaling)
        return self.scale_global(result)

    @cached_property
    def _reversed(self) -> bool:
        return self.state.get(Cmd0.NPU_SET_IFM2_BROADCAST.operand_order) is OperandOrder.ORDER_A

    @cached_property
    def _operand_scaling(self) -> OperandScaling:
        scale_mode, rounding = self.decoder.ifm_scale_mode()
        return OperandScaling(
            scale_mode=scale_mode,
            rounding=rounding,
            opa=self.state.scale(Cmd1.NPU_SET_OPA_SCALE),
            opb_multiplier=self.state.get(Cmd1.NPU_SET_OPB_SCALE.scale),
            ifm_bits=8 * self.inputs.ifm.dtype.itemsize,
            reversed_order=self._reversed,
        )
