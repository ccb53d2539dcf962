# SPDX-License-Identifier: Apache-2.0
"""Small int8 networks: one wholly for the NPU, one that Vela leaves to the CPU in its middle."""

from __future__ import annotations

import numpy as np

from tests.support.npu_corpus.chained import between_convolutions
from tests.support.npu_corpus.draw import Draw, constant_of
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.network import Network, Operator, Tensor

_INT8 = np.dtype(np.int8)
_DEPTHS = (3, 4)


def npu_cpu_npu(seed: int = 1) -> bytes:
    """Return a .tflite: convolutions and a concatenation, two GATHERs on the CPU, convolutions.

    It has two inputs and two outputs, none of a size that anything is aligned to.
    """
    return tflite_bytes(between_convolutions(_two_gathers)(Draw(seed)))


def all_npu(seed: int = 1) -> bytes:
    """Return a .tflite of convolutions and a concatenation, with two inputs and an output."""
    return tflite_bytes(between_convolutions(_joined)(Draw(seed)))


def _joined(draw: Draw) -> Network:
    quantisation = draw.quantisation(_INT8)
    parts = [Tensor(f"part{d}", (1, 5, 5, d), _INT8, quantisation) for d in _DEPTHS]
    joined = Tensor("joined", (1, 5, 5, sum(_DEPTHS)), _INT8, quantisation)
    fields = {"Axis": 3, "FusedActivationFunction": 0}
    join = Operator(
        "CONCATENATION", tuple(parts), (joined,), "ConcatenationOptions", fields, version=2
    )
    return Network((join,), tuple(parts), (joined,))


def _two_gathers(draw: Draw) -> Network:
    inner = _joined(draw)
    (joined,) = inner.outputs
    gathers = [_gather(joined, name, index) for name, index in (("a", [6, 0, 3]), ("b", [1]))]
    outputs = tuple(gather.outputs[0] for gather in gathers)
    return Network((*inner.operators, *gathers), inner.inputs, outputs)


def _gather(source: Tensor, name: str, index: list[int]) -> Operator:
    shape = (*source.shape[:3], len(index))
    result = Tensor(f"gathered_{name}", shape, source.dtype, source.quantisation)
    places = constant_of(f"places_{name}", index)
    return Operator("GATHER", (source, places), (result,), "GatherOptions", {"Axis": 3}, version=2)
