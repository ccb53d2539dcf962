# SPDX-License-Identifier: Apache-2.0
"""Write recurrent cells as sums and products: ExecuTorch 1.5 decomposes whole layers only."""

from __future__ import annotations

from typing import Any

_CELLS = ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")


def without_cells(program: Any) -> Any:
    """Return an ExportedProgram without LSTMCell, GRUCell and RNNCell; all else as it is."""
    import torch  # noqa: PLC0415 takes seconds

    overloads = (getattr(torch.ops.aten, name).default for name in _CELLS)
    table = dict(zip(overloads, (_lstm, _gru, _rnn_tanh, _rnn_relu), strict=True))
    if not any(node.target in table for node in program.graph.nodes):
        return program
    return program.run_decompositions(table)


def _gates(given: Any, weights: Any, bias: Any) -> Any:
    from torch.nn import functional  # noqa: PLC0415

    return functional.linear(given, weights, bias)


def _lstm(given: Any, state: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    hidden, cell = state
    gates = _gates(given, w_ih, b_ih) + _gates(hidden, w_hh, b_hh)
    let_in, forget, new, out = gates.chunk(4, -1)
    cell = forget.sigmoid() * cell + let_in.sigmoid() * new.tanh()
    return out.sigmoid() * cell.tanh(), cell


def _gru(given: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    reset_in, update_in, new_in = _gates(given, w_ih, b_ih).chunk(3, -1)
    reset, update, new = _gates(hidden, w_hh, b_hh).chunk(3, -1)
    update = (update_in + update).sigmoid()
    made = (new_in + (reset_in + reset).sigmoid() * new).tanh()
    return made + update * (hidden - made)


def _rnn_tanh(
    given: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    return (_gates(given, w_ih, b_ih) + _gates(hidden, w_hh, b_hh)).tanh()


def _rnn_relu(
    given: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    return (_gates(given, w_ih, b_ih) + _gates(hidden, w_hh, b_hh)).relu()
