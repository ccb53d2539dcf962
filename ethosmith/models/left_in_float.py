# SPDX-License-Identifier: Apache-2.0
"""Bring to int8 what AI Edge Quantizer leaves in float although TFLite has int8 kernels for it.

The quantiser puts DEQUANTIZE before and QUANTIZE behind such an operator. What it measured on the
representative data stands in the QUANTIZE: the operator takes its range, or, where its int8 kernel
only moves values, keeps that of its input, so that the QUANTIZE goes from int8 to int8.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ethosmith.models.tflite_file import parse_model
from ethosmith.models.tflite_graph import TfliteGraph, packed

# Activations: the output has a range of its own.
_ACTIVATIONS = frozenset({"ABS", "LEAKY_RELU", "PRELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1"})
# Their outputs are values of their first input.
_MOVES = frozenset(
    {
        "BATCH_TO_SPACE_ND",
        "DEPTH_TO_SPACE",
        "EXPAND_DIMS",
        "REDUCE_MAX",
        "REVERSE_V2",
        "SPACE_TO_BATCH_ND",
        "SQUEEZE",
        "TILE",
    }
)
_INT8_MAX = 127


def in_int8(content: bytes, shown: str) -> bytes:
    """Return the quantiser's network with these operators in int8, and all constants inside.

    Args:
        content: of the .tflite that the quantiser has returned.
        shown: the network's name in errors.
    """
    model = parse_model(content, shown)
    _Quantised(model).bring_to_int8()
    return packed(model)


class _Quantised(TfliteGraph):
    """What the quantiser has returned."""

    def bring_to_int8(self) -> None:
        """Change every operator that can be."""
        for operator in list(self.graph.operators):
            name = self.name(operator)
            source = operator.inputs[0] if len(operator.inputs) else -1
            if name not in _ACTIVATIONS | _MOVES or source < 0:
                continue
            before = self.made_by(source)
            if self.name(before) != "DEQUANTIZE" or self.type(before.inputs[0]) != self.types.INT8:
                continue
            given = before.inputs[0]
            is_move = name in _MOVES
            if self._keep_range(operator, given) if is_move else self._take_range(operator):
                operator.inputs = [given, *operator.inputs[1:]]
                self.remove_unused(before)

    def _take_range(self, operator: Any) -> bool:
        """Let an activation write what the QUANTIZE behind it writes."""
        made = operator.outputs[0]
        users = self.users(made)
        if made in self.graph.outputs or {self.name(user) for user in users} != {"QUANTIZE"}:
            return False
        result = users[0].outputs[0]
        if {self._form(user.outputs[0]) for user in users} != {self._form(result)}:
            return False
        if len(operator.inputs) > 1 and not self._quantise_constant(operator.inputs[1]):
            return False
        operator.outputs = [result]
        for user in users:
            self._redirect(user.outputs[0], result)
            self.remove(user)
        return True

    def _keep_range(self, operator: Any, source: int) -> bool:
        """Give what an operator writes the form of what it reads; requantise behind it."""
        made = operator.outputs[0]
        if len(operator.outputs) != 1 or {self.name(one) for one in self.users(made)} != {
            "QUANTIZE"
        }:
            return False
        tensor, given = self.graph.tensors[made], self.graph.tensors[source]
        tensor.type, tensor.quantization = given.type, given.quantization
        return True

    def _form(self, tensor: int) -> tuple[int, float, int]:
        return self.type(tensor), *self.scale(tensor)

    def _redirect(self, old: int, new: int) -> None:
        if old == new:
            return
        for operator in self.users(old):
            operator.inputs = [new if one == old else one for one in operator.inputs]
        self.graph.outputs = [new if one == old else one for one in self.graph.outputs]
        self.replace_in_signatures("outputs", old, new)

    def _quantise_constant(self, index: int) -> bool:
        """Make a float constant an int8 one around zero; what uses it else keeps the float one."""
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

        tensor = self.graph.tensors[index]
        data = self.model.buffers[tensor.buffer].data
        if self.type(index) != self.types.FLOAT32 or data is None or len(self.users(index)) != 1:
            return False
        values = np.frombuffer(bytes(data), "<f4")
        scale = max(float(np.abs(values).max(initial=0)), 2.0**-20) / _INT8_MAX
        quantisation = schema.QuantizationParametersT()
        quantisation.scale, quantisation.zeroPoint = np.array([scale], "f4"), np.zeros(1, "i8")
        self.give(tensor, np.round(values / scale).astype("i1"))
        tensor.type, tensor.quantization = self.types.INT8, quantisation
        return True
