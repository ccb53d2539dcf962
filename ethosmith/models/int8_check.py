# SPDX-License-Identifier: Apache-2.0
"""Check that a .tflite is a fully quantised network that the rest of the build can take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ethosmith.core.errors import EthosmithError
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec

_MAX_MODEL_BYTES = 256 << 20
_QUANTISED = (np.int8, np.int16)


def load_interpreter(model: Path, *, name: str | None = None) -> Any:
    """Return LiteRT's interpreter for ``model``, with reference kernels and one thread.

    Raises:
        EthosmithError: the file is not a readable TFLite flatbuffer, or uses an
            operator that TFLite does not have built in.
    """
    return interpreter_of(model.read_bytes(), name or str(model))


def interpreter_of(content: bytes, shown: str) -> Any:
    """Return LiteRT's interpreter for the flatbuffer ``content``, named ``shown`` in errors.

    Raises:
        EthosmithError: as in `load_interpreter`.
    """
    if len(content) > _MAX_MODEL_BYTES:
        raise EthosmithError(f"{shown}: {len(content)} bytes; a microcontroller's model is smaller")
    if content[4:8] != b"TFL3":
        raise EthosmithError(f"{shown}: not a TFLite model (no TFL3 identifier); is it complete?")
    from ai_edge_litert.interpreter import Interpreter, OpResolverType  # noqa: PLC0415 slow

    try:
        interpreter = Interpreter(
            model_content=content,
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise EthosmithError(f"{shown}: not a usable TFLite model: {_first_line(error)}") from None
    return interpreter


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def check_int8(model: Path, *, name: str | None = None) -> NetworkSpec:
    """Return the inputs and outputs of ``model``.

    Raises:
        EthosmithError: not a TFLite model, or one with a float tensor, naming the
            operator that stays float.
    """
    shown = name or str(model)
    interpreter = load_interpreter(model, name=shown)
    tensors = {int(d["index"]): d for d in interpreter.get_tensor_details()}
    floats = {index for index, d in tensors.items() if d["dtype"] == np.float32}
    if floats:
        raise EthosmithError(f"{shown}: {_float_message(interpreter, tensors, floats)}")
    return network_spec(interpreter, shown)


def network_spec(interpreter: Any, shown: str) -> NetworkSpec:
    """Return the inputs and outputs of the network of LiteRT's ``interpreter``.

    A float32 tensor has scale 0.

    Raises:
        EthosmithError: one has no fixed shape, or is an integer without quantisation.
    """
    return NetworkSpec(
        tuple(_spec(detail, shown) for detail in interpreter.get_input_details()),
        tuple(_spec(detail, shown) for detail in interpreter.get_output_details()),
    )


def _float_message(interpreter: Any, tensors: dict[int, dict[str, Any]], floats: set[int]) -> str:
    """Name what is float: the network, an operator inside it, or its inputs and outputs."""
    if not any(detail["dtype"] in _QUANTISED for detail in tensors.values()):
        return "a float network; give the float Keras model instead and the build quantises it"
    for operator in interpreter._get_ops_details():
        made = [int(index) for index in operator["outputs"] if int(index) in floats]
        if made and operator["op_name"] != "DEQUANTIZE":
            return (
                f"operator {operator['op_name']} at '{tensors[made[0]]['name']}' has no int8 form,"
                " and the NPU has no float; change the network there"
            )
    return (
        "its inputs or outputs are float32; give the float Keras model instead and the build"
        " quantises it, inputs and outputs included"
    )


def _spec(detail: dict[str, Any], shown: str) -> TensorSpec:
    shape = tuple(int(size) for size in detail["shape"])
    if any(size < 1 for size in shape) or any(size < 0 for size in detail["shape_signature"][1:]):
        raise EthosmithError(f"{shown}: tensor '{detail['name']}' has no fixed shape: {shape}")
    scale, zero_point = detail["quantization"]
    if detail["dtype"] in _QUANTISED and not scale > 0:
        raise EthosmithError(f"{shown}: tensor '{detail['name']}' has no quantisation")
    return TensorSpec(
        name=str(detail["name"]),
        dtype=np.dtype(detail["dtype"]).name,
        shape=shape,
        scale=float(scale),
        zero_point=int(zero_point),
    )
