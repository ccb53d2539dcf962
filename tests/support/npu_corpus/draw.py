# SPDX-License-Identifier: Apache-2.0
"""Random but valid quantisation, constants and inputs, all from one seeded generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.npu_corpus.network import Array, Quantisation, Tensor

INT8 = np.dtype(np.int8)
UINT8 = np.dtype(np.uint8)
INT16 = np.dtype(np.int16)
INT32 = np.dtype(np.int32)
INT64 = np.dtype(np.int64)
FLOAT32 = np.dtype(np.float32)

# Standard deviation of uniformly random elements, and what outputs should have.
_SPREAD = {"int8": 74.0, "uint8": 74.0, "int16": 18900.0}
_OUTPUT_SPREAD = {"int8": 45.0, "uint8": 45.0, "int16": 11000.0}


class Draw:
    """Draws the free choices of one network."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def scale(self, low: float = 2.0**-8, high: float = 2.0) -> float:
        """Return a scale, evenly distributed in its logarithm."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def zero_point(self, dtype: np.dtype[Any]) -> int:
        """Return any zero point; TFLite wants 0 for int16."""
        if dtype in (INT16, INT32):
            return 0
        limits = np.iinfo(dtype)
        return int(self.rng.integers(limits.min, limits.max + 1))

    def quantisation(self, dtype: np.dtype[Any], scale: float | None = None) -> Quantisation:
        """Return a quantisation of ``scale``, or of any scale."""
        return Quantisation.per_tensor(
            self.scale() if scale is None else scale, self.zero_point(dtype)
        )

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        quantisation: Quantisation | None = None,
    ) -> Tensor:
        """Return a feature map, with a quantisation of its own unless given one."""
        return Tensor(name, shape, dtype, quantisation or self.quantisation(dtype))

    def constant(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], quantisation: Quantisation
    ) -> Tensor:
        """Return a constant of uniformly random elements."""
        return Tensor(name, shape, dtype, quantisation, self.elements(shape, dtype))

    def elements(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return uniformly random elements of the whole range."""
        if dtype.kind == "b":
            return self.rng.random(shape) < 0.5
        limits = np.iinfo(dtype)
        return self.rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)

    def gain(self) -> float:
        """Return a factor between one half and two, for outputs that fill more or less."""
        return float(2.0 ** self.rng.uniform(-1, 1))

    def weights(
        self, shape: tuple[int, ...], channels: int, axis: int, *, per_channel: bool, zeros: float
    ) -> Tensor:
        """Return int8 weights, symmetric, with a share of ``zeros``."""
        data = self.rng.integers(-127, 128, shape, np.int8)
        data[self.rng.random(shape) < zeros] = 0
        count = channels if per_channel else 1
        base = self.scale(2.0**-10, 2.0**-4)
        scales = tuple(float(np.float32(base * self.gain())) for _ in range(count))
        return Tensor("weights", shape, INT8, Quantisation(scales, (0,) * count, axis), data)

    def accumulator_spread(self, ifm: Tensor, products: int) -> float:
        """Return the standard deviation of a sum of ``products`` of elements and weights."""
        return float(np.sqrt(products)) * _SPREAD[ifm.dtype.name] * _SPREAD["int8"]

    def bias(
        self,
        ifm: Tensor,
        weights: Tensor,
        channels: int,
        products: int,
        *,
        wide: bool | None = None,
    ) -> Tensor:
        """Return a bias at the accumulators' scale: int64 if ``wide`` or for an int16 IFM."""
        assert ifm.quantisation is not None
        assert weights.quantisation is not None
        spread = self.accumulator_spread(ifm, products)
        dtype = INT64 if (ifm.dtype == INT16 if wide is None else wide) else INT32
        data = self.rng.normal(0, spread, channels).astype(dtype)
        scales = tuple(
            float(np.float32(ifm.quantisation.scale * scale))
            for scale in weights.quantisation.scales
        )
        return Tensor("bias", (channels,), dtype, Quantisation(scales, (0,) * len(scales), 0), data)

    def accumulated(
        self,
        name: str,
        shape: tuple[int, ...],
        ifm: Tensor,
        weights: Tensor,
        products: int,
        gain: float = 1.0,
    ) -> Tensor:
        """Return an OFM whose scale lets the accumulators, times ``gain``, fill it."""
        assert ifm.quantisation is not None
        assert weights.quantisation is not None
        spread = self.accumulator_spread(ifm, products)
        scale = ifm.quantisation.scale * float(np.mean(weights.quantisation.scales))
        scale *= spread / _OUTPUT_SPREAD[ifm.dtype.name] * self.gain() / gain
        return self.tensor(name, shape, ifm.dtype, self.quantisation(ifm.dtype, scale))

    def inputs(self, tensor: Tensor, kind: int) -> Array:
        """Return elements for an input of the network.

        Args:
            tensor: The input.
            kind: 0 uniform; 1 near the zero point; 2 half of it at the ends of the range.
        """
        if tensor.smallest is not None and tensor.largest is not None:
            bounds = (tensor.smallest, tensor.largest + 1)
            return self.rng.integers(*bounds, tensor.shape).astype(tensor.dtype)
        values = self._input(tensor, kind)
        return (
            values
            if tensor.smallest is None
            else np.maximum(values, tensor.dtype.type(tensor.smallest))
        )

    def _input(self, tensor: Tensor, kind: int) -> Array:
        values = self.elements(tensor.shape, tensor.dtype)
        if kind == 0 or tensor.dtype.itemsize > 2 or tensor.dtype.kind == "b":
            return values
        limits = np.iinfo(tensor.dtype)
        if kind == 1:
            zero = tensor.quantisation.zero_point if tensor.quantisation else 0
            near = self.rng.normal(zero, limits.max / 12, tensor.shape)
            return np.clip(np.rint(near), limits.min, limits.max).astype(tensor.dtype)
        ends = np.where(self.rng.random(tensor.shape) < 0.5, limits.min, limits.max)
        keep = self.rng.random(tensor.shape) < 0.5
        return np.where(keep, values, ends).astype(tensor.dtype)


def constant_of(name: str, values: Any, dtype: np.dtype[Any] = INT32) -> Tensor:
    """Return a parameter tensor, such as axes or paddings."""
    data = np.array(values, dtype)
    return Tensor(name, data.shape, dtype, None, data)
