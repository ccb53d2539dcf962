# SPDX-License-Identifier: Apache-2.0
"""Bring a .tflite, without changing any value it computes, to the form that NPU and host take.

The converters leave float around an int8 network: QUANTIZE behind a float input, DEQUANTIZE before
a float output, and DEQUANTIZE, function, QUANTIZE where they have no int8 form of a function that
TFLite has an int8 kernel for. The NPU has no float, so Vela leaves all of these to the CPU. Without
them the network computes the same: the application quantises as QUANTIZE does, and reads real
values as DEQUANTIZE makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes
from ethosmith.models.int8_check import spec_of, verify_tflite
from ethosmith.models.tensor_spec import NetworkSpec
from ethosmith.models.tflite_file import DAMAGED, parse_whole
from ethosmith.models.tflite_graph import TfliteGraph, packed

# Functions of one element whose int8 kernels compute them in float, element by element.
_FOLDED = ("ELU",)
_UINT8_OFFSET = 128


@dataclass(frozen=True)
class Rewritten:
    """A network in the form that the rest of the build takes.

    Attributes:
        content: of the .tflite; as it was, if nothing had to change.
        notes: what changed, a phrase each.
    """

    content: bytes
    notes: tuple[str, ...]


def rewritten(content: bytes, shown: str) -> Rewritten:
    """Return the network without what stands around int8 operators, if it has any of it.

    Raises:
        EthosmithError: as in `parse_whole`.
    """
    model, had_outer = parse_whole(content, shown)
    try:
        notes = _Rewriter(model).rewrite()
    except DAMAGED as error:
        raise EthosmithError(f"{shown}: not a usable TFLite model: damaged ({error})") from None
    if not notes and not had_outer:
        return Rewritten(content, ())
    return Rewritten(packed(model), tuple(notes))


def given_spec(model: Path) -> NetworkSpec:
    """Return the inputs and outputs that the .tflite ``model`` has once it is rewritten.

    Raises:
        EthosmithError: not a TFLite model, or one whose inputs or outputs have no fixed shape.
    """
    content = rewritten(read_bytes(model, limit_bytes=MAX_MODEL_BYTES), str(model)).content
    return spec_of(verify_tflite(content, str(model)), str(model))


class _Rewriter(TfliteGraph):
    """Rewrites the first subgraph of a network."""

    def rewrite(self) -> list[str]:
        """Change the network; return what changed."""
        return [
            *self._repair_axes(),
            *self._fold_functions(),
            *self._strip_inputs(),
            *self._strip_outputs(),
        ]

    def _repair_axes(self) -> list[str]:
        """A tensor of one scale has no axis; a number beyond its rank stops LiteRT."""
        repaired = 0
        for tensor in self.graph.tensors:
            quantisation = tensor.quantization
            if quantisation is None or quantisation.scale is None or len(quantisation.scale) != 1:
                continue
            rank = 0 if tensor.shape is None else len(tensor.shape)
            if quantisation.quantizedDimension >= max(rank, 1):
                quantisation.quantizedDimension = 0
                repaired += 1
        return [f"quantized_dimension of {repaired} tensors, which is beyond them"] * bool(repaired)

    def _fold_functions(self) -> list[str]:
        folded = []
        for operator in list(self.graph.operators):
            name = self.name(operator)
            if name not in _FOLDED or len(operator.inputs) != 1:
                continue
            before, after = self.made_by(operator.inputs[0]), self.only_user(operator.outputs[0])
            if self.name(before) == "DEQUANTIZE" and self.name(after) == "QUANTIZE":
                source, result = before.inputs[0], after.outputs[0]
                if self.type(source) == self.type(result) == self.types.INT8:
                    operator.inputs, operator.outputs = [source], [result]
                    self.remove(after)
                    self.remove_unused(before)
                    folded.append(f"{name} in int8 instead of float")
        return folded

    def _strip_inputs(self) -> list[str]:
        return [
            f"input {index} is {self.type_name(self.graph.inputs[index])} instead of {was}"
            for index, tensor in enumerate(list(self.graph.inputs))
            if (was := self.type_name(tensor)) and self._strip_input(index, tensor)
        ]

    def _strip_input(self, index: int, tensor: int) -> bool:
        quantise = self.only_user(tensor)
        if self.name(quantise) != "QUANTIZE" or not self._is_exact(tensor, quantise.outputs[0]):
            return False
        self.graph.inputs[index] = quantise.outputs[0]
        self.replace_in_signatures("inputs", tensor, quantise.outputs[0])
        self.remove(quantise)
        return True

    def _strip_outputs(self) -> list[str]:
        return [
            f"output {index} is {self.type_name(self.graph.outputs[index])} instead of {was}"
            for index, tensor in enumerate(list(self.graph.outputs))
            if (was := self.type_name(tensor)) and self._strip_output(index, tensor)
        ]

    def _strip_output(self, index: int, tensor: int) -> bool:
        last = self.made_by(tensor)
        if self.name(last) not in ("DEQUANTIZE", "QUANTIZE"):
            return False
        source = last.inputs[0]
        if self.users(tensor) or not self._is_exact(tensor, source) or self.is_constant(source):
            return False
        self.graph.outputs[index] = source
        self.replace_in_signatures("outputs", tensor, source)
        self.remove(last)
        return True

    def _is_exact(self, outer: int, inner: int) -> bool:
        """Whether real values of ``outer`` are those of the quantised ``inner``."""
        types = self.types
        if self.type(inner) not in (types.INT8, types.UINT8, types.INT16):
            return False
        if self.type(outer) == types.FLOAT32:
            return True
        (scale, zero), (inner_scale, inner_zero) = self.scale(outer), self.scale(inner)
        return (
            (self.type(outer), self.type(inner)) == (types.UINT8, types.INT8)
            and scale == inner_scale
            and zero - _UINT8_OFFSET == inner_zero
        )
