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
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes
from ethosmith.models.int8_check import spec_of, verify_tflite
from ethosmith.models.tensor_spec import NetworkSpec
from ethosmith.models.tflite_file import DAMAGED, IDENTIFIER, parse_model

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
        EthosmithError: as in `parse_model`.
    """
    import flatbuffers  # noqa: PLC0415 slow

    model = parse_model(content, shown)
    try:
        notes = _Rewriter(model).rewrite()
    except DAMAGED as error:
        raise EthosmithError(f"{shown}: not a usable TFLite model: damaged ({error})") from None
    if not notes:
        return Rewritten(content, ())
    builder = flatbuffers.Builder(len(content) + 4096)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return Rewritten(bytes(builder.Output()), tuple(notes))


def given_spec(model: Path) -> NetworkSpec:
    """Return the inputs and outputs that the .tflite ``model`` has once it is rewritten.

    Raises:
        EthosmithError: not a TFLite model, or one whose inputs or outputs have no fixed shape.
    """
    content = rewritten(read_bytes(model, limit_bytes=MAX_MODEL_BYTES), str(model)).content
    return spec_of(verify_tflite(content, str(model)), str(model))


class _Rewriter:
    """Rewrites the first subgraph of a network."""

    def __init__(self, model: Any) -> None:
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

        self._model = model
        self._graph = model.subgraphs[0]
        # What the reader returns cannot be changed.
        self._graph.inputs, self._graph.outputs = (
            list(self._graph.inputs),
            list(self._graph.outputs),
        )
        self._types = schema.TensorType
        names = vars(schema.BuiltinOperator).items()
        self._names: dict[int, str] = {value: name for name, value in names if name.isupper()}

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
        for tensor in self._graph.tensors:
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
        for operator in list(self._graph.operators):
            name = self._name(operator)
            if name not in _FOLDED or len(operator.inputs) != 1:
                continue
            before, after = self._made_by(operator.inputs[0]), self._only_user(operator.outputs[0])
            if self._name(before) == "DEQUANTIZE" and self._name(after) == "QUANTIZE":
                source, result = before.inputs[0], after.outputs[0]
                if self._type(source) == self._type(result) == self._types.INT8:
                    operator.inputs, operator.outputs = [source], [result]
                    self._remove(after)
                    self._remove_unused(before)
                    folded.append(f"{name} in int8 instead of float")
        return folded

    def _strip_inputs(self) -> list[str]:
        return [
            f"input {index} is {self._type_name(self._graph.inputs[index])} instead of {was}"
            for index, tensor in enumerate(list(self._graph.inputs))
            if (was := self._type_name(tensor)) and self._strip_input(index, tensor)
        ]

    def _strip_input(self, index: int, tensor: int) -> bool:
        quantise = self._only_user(tensor)
        if self._name(quantise) != "QUANTIZE" or not self._is_exact(tensor, quantise.outputs[0]):
            return False
        self._graph.inputs[index] = quantise.outputs[0]
        self._replace_in_signatures("inputs", tensor, quantise.outputs[0])
        self._remove(quantise)
        return True

    def _strip_outputs(self) -> list[str]:
        return [
            f"output {index} is {self._type_name(self._graph.outputs[index])} instead of {was}"
            for index, tensor in enumerate(list(self._graph.outputs))
            if (was := self._type_name(tensor)) and self._strip_output(index, tensor)
        ]

    def _strip_output(self, index: int, tensor: int) -> bool:
        last = self._made_by(tensor)
        if self._name(last) not in ("DEQUANTIZE", "QUANTIZE"):
            return False
        source = last.inputs[0]
        if self._users(tensor) or not self._is_exact(tensor, source) or self._is_constant(source):
            return False
        self._graph.outputs[index] = source
        self._replace_in_signatures("outputs", tensor, source)
        self._remove(last)
        return True

    def _is_exact(self, outer: int, inner: int) -> bool:
        """Whether real values of ``outer`` are those of the quantised ``inner``."""
        types = self._types
        if self._type(inner) not in (types.INT8, types.UINT8, types.INT16):
            return False
        if self._type(outer) == types.FLOAT32:
            return True
        (scale, zero), (inner_scale, inner_zero) = self._scale(outer), self._scale(inner)
        return (
            (self._type(outer), self._type(inner)) == (types.UINT8, types.INT8)
            and scale == inner_scale
            and zero - _UINT8_OFFSET == inner_zero
        )

    def _scale(self, tensor: int) -> tuple[float, int]:
        quantisation = self._graph.tensors[tensor].quantization
        if quantisation is None or quantisation.scale is None or len(quantisation.scale) != 1:
            return 0.0, 0
        return float(quantisation.scale[0]), int(quantisation.zeroPoint[0])

    def _name(self, operator: Any) -> str:
        if operator is None:
            return ""
        code = self._model.operatorCodes[operator.opcodeIndex]
        return self._names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "")

    def _type(self, tensor: int) -> int:
        return int(self._graph.tensors[tensor].type)

    def _type_name(self, tensor: int) -> str:
        kinds: dict[int, str] = {
            value: name for name, value in vars(self._types).items() if name.isupper()
        }
        return kinds.get(self._type(tensor), "?").lower()

    def _is_constant(self, tensor: int) -> bool:
        data = self._model.buffers[self._graph.tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def _users(self, tensor: int) -> list[Any]:
        return [one for one in self._graph.operators if tensor in list(one.inputs)]

    def _only_user(self, tensor: int) -> Any:
        users = self._users(tensor)
        is_output = tensor in list(self._graph.outputs)
        return users[0] if len(users) == 1 and not is_output else None

    def _made_by(self, tensor: int) -> Any:
        makers = [one for one in self._graph.operators if tensor in list(one.outputs)]
        return makers[0] if makers else None

    def _remove(self, operator: Any) -> None:
        self._graph.operators = [one for one in self._graph.operators if one is not operator]

    def _remove_unused(self, operator: Any) -> None:
        tensor = operator.outputs[0]
        if not self._users(tensor) and tensor not in list(self._graph.outputs):
            self._remove(operator)

    def _replace_in_signatures(self, kind: str, old: int, new: int) -> None:
        for signature in self._model.signatureDefs or []:
            for entry in getattr(signature, kind) or []:
                if entry.tensorIndex == old and signature.subgraphIndex == 0:
                    entry.tensorIndex = new
