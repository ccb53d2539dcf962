# SPDX-License-Identifier: Apache-2.0
"""Check that a .tflite is a quantised network that the rest of the build can take.

What may run where is no matter of this check: Vela says what runs on the NPU, and the runtime
whether it can run the rest. A network is refused here if it is damaged, if nothing in it is
quantised, or if an input or output has no fixed shape.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, parsing, read_bytes, read_json
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec
from ethosmith.models.tflite_file import parse_model

_QUANTISED = ("INT8", "UINT8", "INT16")
_FED = (*_QUANTISED, "BOOL", "INT32", "INT64", "FLOAT32")
# A network with these is sound; it takes another interpreter.
_NO_KERNEL = ("Didn't find op", "unresolved custom op")
# Of a file with what `NetworkSpec.as_json` returns.
SPEC_SUFFIX = ".json"


def load_interpreter(model: Path, *, name: str | None = None) -> Any:
    """Return LiteRT's interpreter for ``model``, with reference kernels and one thread.

    Raises:
        EthosmithError: the file is not a readable TFLite flatbuffer, or uses an
            operator that this set of kernels does not have.
    """
    return interpreter_of(read_bytes(model, limit_bytes=MAX_MODEL_BYTES), name or str(model))


def interpreter_of(
    content: bytes, shown: str, *, reference_kernels: bool = True, keeps_tensors: bool = False
) -> Any:
    """Return LiteRT's interpreter for the flatbuffer ``content``, named ``shown`` in errors.

    Args:
        content: of the .tflite.
        shown: its name in errors.
        reference_kernels: not the default ones.
        keeps_tensors: after a run, all tensors can be read, not only the outputs.

    Raises:
        EthosmithError: as in `load_interpreter`.
    """
    parse_model(content, shown)
    try:
        interpreter = _built(
            content, reference_kernels=reference_kernels, keeps_tensors=keeps_tensors
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise EthosmithError(f"{shown}: not a usable TFLite model: {_first_line(error)}") from None
    return interpreter


def _built(content: bytes, *, reference_kernels: bool, keeps_tensors: bool) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType  # noqa: PLC0415 slow

    kinds = OpResolverType
    return Interpreter(
        model_content=content,
        num_threads=1,
        experimental_preserve_all_tensors=keeps_tensors,
        experimental_op_resolver_type=(
            kinds.BUILTIN_REF if reference_kernels else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def verify_tflite(content: bytes, shown: str) -> Any:
    """Return the flatbuffer as LiteRT's ModelT, once LiteRT has found its structure sound.

    An operator that LiteRT has no kernel for is no fault: another interpreter may have it.

    Raises:
        EthosmithError: the file is no TFLite model, is damaged, or is Vela's output.
    """
    model = parse_model(content, shown)
    try:
        _built(content, reference_kernels=False, keeps_tensors=False)
    except (ValueError, RuntimeError) as error:
        reason = _first_line(error)
        if not any(text in str(error) for text in _NO_KERNEL):
            raise EthosmithError(f"{shown}: not a usable TFLite model: {reason}") from None
    return model


def check_int8(model: Path, *, name: str | None = None) -> NetworkSpec:
    """Return the inputs and outputs of the quantised network ``model``.

    Raises:
        EthosmithError: not a TFLite model, or one that is not quantised.
    """
    shown = name or str(model)
    return _checked(read_bytes(model, limit_bytes=MAX_MODEL_BYTES), shown)


def float_spec(model: Path) -> NetworkSpec:
    """Return the inputs and outputs of a float network; errors as in `given_spec`."""
    return spec_of(
        verify_tflite(read_bytes(model, limit_bytes=MAX_MODEL_BYTES), str(model)), str(model)
    )


def _checked(content: bytes, shown: str) -> NetworkSpec:
    model = verify_tflite(content, shown)
    if not quantised_activations(model):
        raise EthosmithError(f"{shown}: not quantised ({kind_of_float(model)})")
    return spec_of(model, shown)


def quantised_activations(model: Any) -> bool:
    """Whether LiteRT's ModelT computes anything with integers, beside weights stored as such."""
    types = _type_names()
    return any(
        types.get(tensor.type) in _QUANTISED and not _is_constant(model, tensor)
        for tensor in model.subgraphs[0].tensors
    )


def _is_constant(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def kind_of_float(model: Any) -> str:
    """Return what a network that computes in float is called, by what its weights are."""
    types = _type_names()
    constants = {types.get(t.type) for t in model.subgraphs[0].tensors if _is_constant(model, t)}
    if "INT8" in constants:
        return "dynamic-range quantised, int8 weights and float activations"
    return "float16 weights and float activations" if "FLOAT16" in constants else "float"


def _type_names() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    return {value: key for key, value in vars(schema.TensorType).items() if key.isupper()}


def spec_of(model: Any, shown: str) -> NetworkSpec:
    """Return the inputs and outputs; a float32 tensor has scale 0.

    Raises:
        EthosmithError: one has no fixed shape, or is an integer without quantisation.
    """
    graph, types = model.subgraphs[0], _type_names()
    with parsing(shown, "TFLite model"):
        return NetworkSpec(
            tuple(_spec(graph.tensors[index], types, shown) for index in graph.inputs),
            tuple(_spec(graph.tensors[index], types, shown) for index in graph.outputs),
        )


def _spec(tensor: Any, types: dict[int, str], shown: str) -> TensorSpec:
    name = bytes(tensor.name or b"").decode("utf-8", "replace")
    shape = () if tensor.shape is None else tuple(int(size) for size in tensor.shape)
    signature = () if tensor.shapeSignature is None else tuple(map(int, tensor.shapeSignature))
    if any(size < 1 for size in shape) or any(size < 0 for size in signature[1:]):
        raise EthosmithError(f"{shown}: tensor '{name}' has no fixed shape: {shape}")
    kind, scale, zero_point = types.get(tensor.type, "?"), 0.0, 0
    if kind not in _FED:
        raise EthosmithError(f"{shown}: tensor '{name}' of type {kind} cannot be fed or read")
    quantisation = tensor.quantization
    if quantisation is not None and quantisation.scale is not None and len(quantisation.scale):
        scale, zero_point = float(quantisation.scale[0]), int(quantisation.zeroPoint[0])
    if kind in _QUANTISED and not scale > 0:
        raise EthosmithError(f"{shown}: tensor '{name}' has no quantisation")
    return TensorSpec(
        name=name,
        dtype=np.dtype(kind.lower()).name,
        shape=shape,
        scale=scale,
        zero_point=zero_point,
    )


def network_spec_of(path: Path) -> NetworkSpec:
    """Return the inputs and outputs of the int8 network at ``path``.

    Args:
        path: an int8 .tflite, or a file with a `NetworkSpec` as JSON.

    Raises:
        EthosmithError: as `check_int8`, or the JSON is not of that form.
    """
    if path.suffix != SPEC_SUFFIX:
        return check_int8(path)
    data = read_json(path)
    with parsing(path, "description of a network"):
        return NetworkSpec.of_json(data)
