# SPDX-License-Identifier: Apache-2.0
"""The output stage: accumulators to OFM elements by scale, zero point, clamp and table."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.enums import ActivationFunction, ClipRange
from ethosu_model.lookup import LUT_SLOT_BYTES, look_up_8, look_up_16, sigmoid_16, tanh_16
from ethosu_model.machine import Machine
from ethosu_model.operands import Activation, ElementType, FeatureMap

IntArray = NDArray[Any]

_CLIP_TYPES: dict[int, ElementType] = {
    ClipRange.FORCE_UINT8: np.dtype("u1"),
    ClipRange.FORCE_INT8: np.dtype("i1"),
    ClipRange.FORCE_INT16: np.dtype("i2"),
}

# These take more than 16 bits, so the limits apply to what they give.
_CURVES = {
    ActivationFunction.TANH: tanh_16,
    ActivationFunction.SIGMOID: sigmoid_16,
}


@cache
def limits_of(dtype: ElementType) -> tuple[int, int]:
    """Return the lowest and the highest number that a type holds."""
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


class OutputStage:
    """Finishes the scaled accumulators of one operation."""

    def __init__(self, ofm: FeatureMap, activation: Activation, machine: Machine) -> None:
        self._ofm = ofm
        self._activation = activation
        self._machine = machine
        self._bounds: dict[ElementType, tuple[int, int]] = {}

    def finish(self, values: IntArray) -> NDArray[Any]:
        """Return OFM elements for scaled values of the same shape; these are overwritten.

        Raises:
            CommandFault: The activation is reserved, or cannot work on the OFM's type.
        """
        shifted = values
        if self.zero_point:
            shifted = np.add(values, self.zero_point, out=values)
        if self._activation.function in _CURVES:
            curve = _CURVES[self._activation.function]
            return self._clamp(curve(shifted)).astype(self._ofm.dtype)
        return self._look_up(self._clamp(shifted)).astype(self._ofm.dtype)

    @cached_property
    def zero_point(self) -> int:
        """The OFM's zero point; 32-bit results take none.

        Vela's legacy mean leaves the zero point of the final OFM on its 32-bit intermediate
        one (tflite_graph_optimiser.convert_mean_to_depthwise_conv). With a table the zero
        point moves the index.
        """
        plain = self._activation.function is ActivationFunction.NONE
        return 0 if plain and self._ofm.dtype.itemsize == 4 else self._ofm.zero_point

    @cached_property
    def limits(self) -> tuple[int, int]:
        """The activation's limits within the clip range's type.

        A 32-bit OFM has only those of its type: the registers have 16 bits.
        """
        dtype = _CLIP_TYPES.get(self._activation.clip_range, self._ofm.dtype)
        low, high = limits_of(dtype)
        if dtype.itemsize == 4:
            return low, high
        return max(low, self._activation.minimum), min(high, self._activation.maximum)

    def _clamp(self, values: IntArray) -> IntArray:
        low, high = self._bounds.get(values.dtype) or self._bounds_of(values.dtype)
        np.maximum(values, low, out=values)
        return np.minimum(values, high, out=values)

    def _bounds_of(self, dtype: ElementType) -> tuple[int, int]:
        """Return the limits within a type that may be narrower than an unsigned 32-bit OFM."""
        low, high = self.limits
        lowest, highest = limits_of(dtype)
        self._bounds[dtype] = max(low, lowest), min(high, highest)
        return self._bounds[dtype]

    def _look_up(self, values: IntArray) -> IntArray:
        """Replace clamped values by those of the table, if the activation names one."""
        function = self._activation.function
        if function is ActivationFunction.NONE:
            return values
        table = self._machine.table()[(function - ActivationFunction.TABLE_0) * LUT_SLOT_BYTES :]
        if self._ofm.dtype.itemsize == 2 and self._activation.clip_range is ClipRange.OFM_PRECISION:
            return look_up_16(values, table)
        offset = 0 if self._ofm.dtype == np.uint8 else 128
        return look_up_8(np.clip(values + offset, 0, 255), table, self._ofm.dtype.itemsize)
