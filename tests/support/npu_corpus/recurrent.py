# SPDX-License-Identifier: Apache-2.0
"""Networks of one long short-term memory layer."""

from __future__ import annotations

from tests.support.npu_corpus.draw import FLOAT32, INT8, INT16, INT32, Draw
from tests.support.npu_corpus.network import Network, Operator, Quantisation, Tensor

_GATES = ("input", "forget", "cell", "output")
_TANH = 4
# TFLite's activations take Q3.12; the cell state's scale has to be a power of two.
_GATE_SCALE = 2.0**-12
_CELL_SCALE = 2.0**-11


def unidirectional_sequence_lstm(
    draw: Draw, *, steps: int, depth_in: int, cells: int, time_major: bool, clip: float
) -> Network:
    """UNIDIRECTIONAL_SEQUENCE_LSTM of int8 with an int16 cell state, no peephole, no projection."""
    shape = (steps, 1) if time_major else (1, steps)
    source = draw.tensor("ifm", (*shape, depth_in), INT8, draw.quantisation(INT8, 1 / 32))
    hidden = Quantisation.per_tensor(1 / 128, draw.zero_point(INT8))
    result = Tensor("ofm", (*shape, cells), INT8, hidden)
    assert source.quantisation is not None
    operands: list[Tensor | None] = [source]
    weights = [_weights(draw, f"{gate}_weights", cells, depth_in) for gate in _GATES]
    operands += weights
    operands += [_weights(draw, f"{gate}_recurrent", cells, cells) for gate in _GATES]
    operands += [None] * 3  # peephole
    operands += [_bias(draw, gate, source, w) for gate, w in zip(_GATES, weights, strict=True)]
    operands += [None] * 2  # projection
    operands.append(Tensor("output_state", (1, cells), INT8, hidden, variable=True))
    cell = Quantisation.per_tensor(_CELL_SCALE, 0)
    operands.append(Tensor("cell_state", (1, cells), INT16, cell, variable=True))
    operands += [None] * 4  # layer normalisation
    gates = Quantisation.per_tensor(_GATE_SCALE, 0)
    # Converters write either: they lend their quantisation, and have no elements.
    kinds = (INT16, INT8) if draw.rng.integers(2) else (FLOAT32, FLOAT32)
    intermediates = (
        *(Tensor(f"{gate}_intermediate", (0,), kinds[0], gates) for gate in _GATES),
        Tensor("hidden", (0,), kinds[1], hidden),
    )
    fields = {"FusedActivationFunction": _TANH, "CellClip": clip, "TimeMajor": time_major}
    operator = Operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        tuple(operands),
        (result,),
        "UnidirectionalSequenceLSTMOptions",
        fields,
        version=2,
        intermediates=intermediates,
    )
    return Network((operator,), (source,), (result,))


def _weights(draw: Draw, name: str, rows: int, columns: int) -> Tensor:
    scale = draw.scale(0.002, 0.01)
    data = draw.rng.integers(-127, 128, (rows, columns), "int8")
    return Tensor(name, (rows, columns), INT8, Quantisation.per_tensor(scale, 0), data)


def _bias(draw: Draw, gate: str, source: Tensor, weights: Tensor) -> Tensor:
    assert source.quantisation is not None
    assert weights.quantisation is not None
    cells = weights.shape[0]
    data = draw.rng.integers(-2000, 2000, cells).astype(INT32)
    scale = source.quantisation.scale * weights.quantisation.scale
    return Tensor(f"{gate}_bias", (cells,), INT32, Quantisation.per_tensor(scale, 0), data)
