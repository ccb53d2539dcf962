# SPDX-License-Identifier: Apache-2.0
"""Where Vela 5.2's own lowering is not bit-exact with LiteRT: what, why, and how far.

Nothing else may differ at all. docs/npu-exactness.md tells the reasons at length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.npu_corpus.case import Case, Parameters
from tests.support.npu_corpus.draw import INT8, INT16


@dataclass(frozen=True)
class KnownDifference:
    """A lowering of Vela's that differs from LiteRT's kernel.

    Attributes:
        operators: Rows of the table that it touches.
        applies: Which of their cases.
        largest: Largest difference of an element that is accepted, in steps of the OFM.
        exact_with_tflm: TFLite Micro's kernel, which Vela follows, must agree exactly.
        reason: One line.
    """

    operators: tuple[str, ...]
    applies: Callable[[Parameters], bool]
    largest: int
    exact_with_tflm: bool
    reason: str


KNOWN_DIFFERENCES = (
    KnownDifference(
        operators=("fully_connected",),
        applies=lambda given: given["dtype"] == INT16,
        largest=1,
        exact_with_tflm=True,
        reason="Vela scales int16 with 16-bit multipliers as TFLM does; LiteRT now takes 32 bits",
    ),
    KnownDifference(
        operators=("fully_connected",),
        applies=lambda given: given["dtype"] == INT8,
        largest=1,
        exact_with_tflm=True,
        reason="Vela rounds int8 twice as TFLM does; LiteRT rounds once",
    ),
    KnownDifference(
        operators=("dynamic_fully_connected",),
        applies=lambda _: True,
        largest=1,
        exact_with_tflm=True,
        reason="Vela rounds int8 twice as TFLM does, with weights that are an input, too",
    ),
    KnownDifference(
        operators=("unidirectional_sequence_lstm",),
        applies=lambda _: True,
        largest=1,
        exact_with_tflm=True,
        reason="Vela rounds an LSTM's gates as TFLM does, LiteRT otherwise",
    ),
    KnownDifference(
        operators=("conv_2d_bias_32",),
        applies=lambda _: True,
        largest=65535,
        exact_with_tflm=True,
        reason="LiteRT's int16 convolution takes an int32 bias for int64",
    ),
    KnownDifference(
        operators=("abs", "abs_large"),
        applies=lambda given: given["dtype"] == INT16,
        largest=1,
        exact_with_tflm=True,
        reason="LiteRT divides the scales of ABS in single precision, Vela and TFLM in double",
    ),
    KnownDifference(
        operators=("sum", "sum_large"),
        applies=lambda given: given["dtype"] == INT16,
        largest=1,
        exact_with_tflm=False,
        reason="LiteRT scales the sums of SUM in single precision, Vela in integers",
    ),
    KnownDifference(
        operators=("reduce_dropped_axis",),
        applies=lambda _: True,
        largest=65535,
        exact_with_tflm=False,
        reason="Vela takes the OFM's shape, without the reduced axis, for that of its pooling",
    ),
)


# On Ethos-U85 these hold in place of those above.
U85_DIFFERENCES = (
    KnownDifference(
        operators=("conv_2d_bias_32",),
        applies=lambda _: True,
        largest=65535,
        exact_with_tflm=False,
        reason="Vela cuts the 31-bit scales of an int32 bias to the 15 bits of U85's wide records",
    ),
)


def known_difference(case: Case, product: str = "ethos-u55") -> KnownDifference | None:
    """Return what is known of a case on a product, None if it must be exact."""
    others: tuple[KnownDifference, ...] = U85_DIFFERENCES if product == "ethos-u85" else ()
    for known in (*others, *KNOWN_DIFFERENCES):
        if case.operator in known.operators and known.applies(case.parameters):
            return known
    return None
