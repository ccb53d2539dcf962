# SPDX-License-Identifier: Apache-2.0
"""Read the operators and tensors of a .tflite, the network's own or Vela's."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, parsing, read_bytes

# The custom operator that Vela puts in the place of what runs on the NPU.
NPU_OPERATOR = "ethos-u"
IDENTIFIER = b"TFL3"
_MAX_MODEL_BYTES = 256 << 20
# What a flatbuffer's reader raises on damaged files.
DAMAGED = (struct.error, IndexError, KeyError, TypeError, ValueError, AttributeError)
_CUSTOM = 32
_RESOURCE = "VAR_HANDLE"
_CONTROL_FLOW = frozenset({"CALL_ONCE", "IF", "WHILE"})
# Written by Vela: the offset in the arena of each tensor, see `_offsets`.
_OFFLINE_PLAN = b"OfflineMemoryAllocation"
_PLAN_HEADER_WORDS = 3
_NOT_PLANNED = -1
_ELEMENT_BYTES = {
    "FLOAT32": 4,
    "FLOAT16": 2,
    "INT32": 4,
    "UINT8": 1,
    "INT64": 8,
    "BOOL": 1,
    "INT16": 2,
    "INT8": 1,
    "UINT32": 4,
    "UINT16": 2,
}


@dataclass(frozen=True)
class TfliteTensor:
    """One tensor of the first subgraph.

    Attributes:
        name: in the file.
        shape: outermost first.
        size_bytes: of its elements.
        element_bytes: of one of them.
        constant: its value is in the file.
        offset: in the arena, if the file plans it.
    """

    name: str
    shape: tuple[int, ...]
    size_bytes: int
    element_bytes: int
    constant: bool
    offset: int | None


@dataclass(frozen=True)
class TfliteOperator:
    """One operator of the first subgraph.

    Attributes:
        kind: TFLite's name of a built-in operator, or the code of a custom one.
        custom: it is a custom one.
        inputs: indices of tensors; an optional one that is not there is left out.
        outputs: indices of tensors.
    """

    kind: str
    custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class TfliteFile:
    """The first subgraph of a network, in the file's order.

    Attributes:
        inputs: indices of the network's inputs.
        outputs: indices of its outputs.
    """

    operators: tuple[TfliteOperator, ...]
    tensors: tuple[TfliteTensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def on_npu(self) -> bool:
        """An operator of it runs on the NPU."""
        return any(operator.kind == NPU_OPERATOR for operator in self.operators)

    def place_of(self, operator: TfliteOperator) -> str:
        """Return the name of the operator's first output, which tells people where it is."""
        return self.tensors[operator.outputs[0]].name if operator.outputs else "no output"


def parse_model(content: bytes, shown: str) -> Any:
    """Return the .tflite ``content`` as LiteRT's ModelT; see `parse_whole`."""
    model, _ = parse_whole(content, shown)
    return model


def parse_whole(content: bytes, shown: str) -> tuple[Any, bool]:
    """Return LiteRT's ModelT, and whether constants of it were behind the flatbuffer.

    It is in one form whatever wrote it: files of before 2020 say an operator's kind in the field
    that is called deprecated now, and AI Edge Quantizer writes larger constants behind the
    flatbuffer.

    Raises:
        EthosmithError: it is not a TFLite model, is damaged, or Vela has compiled it already.
    """
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    if len(content) > _MAX_MODEL_BYTES:
        raise EthosmithError(f"{shown}: {len(content)} bytes; a microcontroller's model is smaller")
    if content[4:8] != IDENTIFIER:
        raise EthosmithError(f"{shown}: not a TFLite model (no TFL3 identifier); is it complete?")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        codes = [bytes(code.customCode or b"") for code in model.operatorCodes]
        for code in model.operatorCodes:
            code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
        had_outer = _take_in(model, content)
        inputs = len(model.subgraphs[0].inputs)
        for graph in model.subgraphs:
            for tensor in graph.tensors:
                bytes(tensor.name or b"").decode("utf-8")
    except Exception as error:  # noqa: BLE001 the generated reader trusts every offset
        raise EthosmithError(f"{shown}: not a usable TFLite model: damaged ({error})") from None
    if NPU_OPERATOR.encode() in codes:
        raise EthosmithError(
            f"{shown}: Vela has compiled this network already; give the int8 .tflite that it was"
            " compiled from, and the build compiles it for each NPU"
        )
    if inputs == 0:
        raise EthosmithError(f"{shown}: the network has no input")
    return model, had_outer


def _take_in(model: Any, content: bytes) -> bool:
    """Give buffers whose bytes are behind the flatbuffer these bytes; return whether any are."""
    # 0: it has none; 1 is what writers say before they know the place.
    outer = [buffer for buffer in model.buffers if buffer.offset > 1]
    for buffer in outer:
        data = content[buffer.offset : buffer.offset + buffer.size]
        if len(data) != buffer.size:
            raise ValueError(f"{buffer.size} bytes at {buffer.offset} of {len(content)}")
        buffer.data, buffer.offset, buffer.size = data, 0, 0
    return bool(outer)


def builtin_names() -> Mapping[int, str]:
    """Return TFLite's names of the built-in operators by their codes."""
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    return {value: key for key, value in vars(schema.BuiltinOperator).items() if key.isupper()}


def operator_kinds(model: Any) -> frozenset[str]:
    """Return TFLite's names of the operators in any subgraph of LiteRT's ModelT."""
    names = builtin_names()
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    used = {one.opcodeIndex for graph in model.subgraphs for one in graph.operators}
    return frozenset(names.get(codes[index], str(codes[index])) for index in used)


def check_one_subgraph(model: Any, shown: str) -> None:
    """Raise an `EthosmithError` if LiteRT's ModelT has loops or branches."""
    if len(model.subgraphs) == 1:
        return
    found = sorted(operator_kinds(model) & _CONTROL_FLOW)
    what = f" (of {' and '.join(found)})" if found else ""
    way_out = (
        ". A recurrent layer is such a loop: give the Keras network, which is unrolled here, or"
        " convert it with unroll=True"
    )
    raise EthosmithError(
        f"{shown}: {len(model.subgraphs)} subgraphs{what}; only one is supported"
        + (way_out if "WHILE" in found else "")
    )


def is_stateful(model: Any) -> bool:
    """Whether an inference of LiteRT's ModelT depends on the ones before it."""
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    return _RESOURCE in operator_kinds(model) or any(tensor.isVariable for tensor in tensors)


def read_tflite(path: Path) -> TfliteFile:
    """Read the file at ``path``.

    Raises:
        EthosmithError: it is no TFLite flatbuffer, or has several subgraphs, which nothing here
            runs.
    """
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    content = read_bytes(path, limit_bytes=MAX_MODEL_BYTES)
    if content[4:8] != b"TFL3":
        raise EthosmithError(f"{path}: not a TFLite model (no TFL3 identifier); is it complete?")
    with parsing(path, "TFLite model"):
        return _read(path, schema.ModelT.InitFromPackedBuf(content, 0), schema)


def _read(path: Path, model: Any, schema: Any) -> TfliteFile:
    check_one_subgraph(model, str(path))
    graph = model.subgraphs[0]
    types = {value: key for key, value in vars(schema.TensorType).items() if key.isupper()}
    offsets = _offsets(model, len(graph.tensors))
    return TfliteFile(
        operators=tuple(_operator(model, operator, schema) for operator in graph.operators),
        tensors=tuple(
            _tensor(model, tensor, types, offset)
            for tensor, offset in zip(graph.tensors, offsets, strict=True)
        ),
        inputs=tuple(int(index) for index in graph.inputs),
        outputs=tuple(int(index) for index in graph.outputs),
    )


def _operator(model: Any, operator: Any, schema: Any) -> TfliteOperator:
    names = {value: key for key, value in vars(schema.BuiltinOperator).items() if key.isupper()}
    code = model.operatorCodes[operator.opcodeIndex]
    value = max(code.builtinCode, code.deprecatedBuiltinCode)
    custom = value == _CUSTOM
    kind = (code.customCode or b"").decode("utf-8", "replace") if custom else names[value]
    return TfliteOperator(
        kind,
        custom,
        tuple(int(index) for index in operator.inputs if index >= 0),
        tuple(int(index) for index in operator.outputs),
    )


def _tensor(model: Any, tensor: Any, types: dict[int, str], offset: int | None) -> TfliteTensor:
    shape = () if tensor.shape is None else tuple(int(size) for size in tensor.shape)
    element_bytes = _ELEMENT_BYTES.get(types[tensor.type], 8)
    data = model.buffers[tensor.buffer].data
    return TfliteTensor(
        name=(tensor.name or b"").decode("utf-8", "replace"),
        shape=shape,
        size_bytes=math.prod(shape) * element_bytes,
        element_bytes=element_bytes,
        constant=data is not None and len(data) > 0,
        offset=offset,
    )


def _offsets(model: Any, count: int) -> list[int | None]:
    """Return the planned offset of each tensor.

    The metadata are words: version, subgraph, number of tensors, then an offset for each,
    -1 where the interpreter plans it itself (TFLM's docs/offline_memory_plan.md).
    """
    for metadata in model.metadata or []:
        if metadata.name == _OFFLINE_PLAN:
            data = bytes(model.buffers[metadata.buffer].data)
            words = struct.unpack(f"<{len(data) // 4}i", data)[_PLAN_HEADER_WORDS:]
            return [None if word == _NOT_PLANNED else word for word in words[:count]]
    return [None] * count
