# SPDX-License-Identifier: Apache-2.0
"""model.c: the compiled network as constants, and its scratch as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethosmith.lib.c_text import byte_array, float_literal, notice, string

if TYPE_CHECKING:
    from ethosmith.models.compiled import CompiledNetwork, PlacedTensor, Variable
    from ethosu_model.config import AcceleratorConfig


_DTYPES = {
    "int8": "TENSOR_INT8",
    "uint8": "TENSOR_UINT8",
    "int16": "TENSOR_INT16",
    "int32": "TENSOR_INT32",
    "float32": "TENSOR_FLOAT32",
}


# The device's word for the CPU alone, and the value of npu=.
NO_NPU = "none"


@dataclass(frozen=True)
class ModelIdentity:
    """What the device prints and checks about its model; no accelerator: for the CPU alone.

    Attributes:
        reset_state: the descriptor's ``model.reset_state``.
    """

    name: str
    accelerator: AcceleratorConfig | None
    memory_mode: str
    reset_state: str = "sample"


def model_source(
    compiled: CompiledNetwork, identity: ModelIdentity, content_hash: str, source: str
) -> str:
    """Return the C source that defines ``model`` of runtime/model.h.

    Args:
        compiled: what Vela made.
        identity: names of the network and of the NPU it was compiled for.
        content_hash: of the network, see `ethosmith.lib.model_image`.
        source: the network, as the file names it.
    """
    parts = [
        f'{notice(source)}#include "model.h"\n',
        _constant("command_stream", compiled.command_stream),
        _constant("weights", compiled.weights),
        scratch_array("scratch", compiled.scratch.size_bytes),
        scratch_array("scratch_fast", compiled.scratch_fast.size_bytes),
        tensor_table("inputs", compiled.inputs),
        tensor_table("outputs", compiled.outputs),
        _variable_table(compiled.variables),
        hash_text(content_hash),
        _model(compiled, identity),
    ]
    return "\n".join(part for part in parts if part)


def _constant(name: str, data: bytes) -> str:
    if not data:
        return ""
    section = f"MODEL_SECTION_{name.upper()}"
    return byte_array(name, data, section=section, alignment="MODEL_ALIGNMENT_BYTES")


def scratch_array(name: str, size_bytes: int) -> str:
    """Return an array in the section of its name; nothing if it has no bytes."""
    if not size_bytes:
        return ""
    attributes = (
        f"__attribute__((section(MODEL_SECTION_{name.upper()}), aligned(MODEL_ALIGNMENT_BYTES)))"
    )
    return f"static uint8_t {name}[{size_bytes}] {attributes};\n"


def tensor_table(name: str, tensors: Sequence[PlacedTensor]) -> str:
    """Return an array of tensor_info of runtime/tensor.h."""
    rows = "\n".join(f"    {_tensor(tensor)}," for tensor in tensors)
    return f"static const struct tensor_info {name}[] = {{\n{rows}\n}};\n"


def _variable_table(variables: Sequence[Variable]) -> str:
    """Return an array of model_variable of runtime/model.h; nothing if there are none."""
    if not variables:
        return ""
    rows = "\n".join(
        f"    {{.region = {one.region}, .offset = {one.offset}, .size_bytes = {one.size_bytes},"
        f" .element_bytes = {one.element_bytes}, .zero_point = {one.zero_point}}},"
        for one in variables
    )
    return f"static const struct model_variable variables[] = {{\n{rows}\n}};\n"


def _tensor(tensor: PlacedTensor) -> str:
    spec = tensor.spec
    shape = ", ".join(map(str, spec.shape))
    fields = {
        "name": string(spec.name),
        "dtype": _DTYPES[spec.dtype],
        "rank": len(spec.shape),
        "shape": f"{{{shape}}}",
        "size_bytes": tensor.size_bytes,
        "region": tensor.region,
        "offset": tensor.offset,
        "scale": float_literal(spec.scale),
        "zero_point": spec.zero_point,
    }
    return "{" + ", ".join(f".{key} = {value}" for key, value in fields.items()) + "}"


def hash_text(content_hash: str) -> str:
    """Return the array that the device prints the beginning of, and the host reads in the image."""
    return f"const char model_hash[] = {string(content_hash)};\n"


def _model(compiled: CompiledNetwork, identity: ModelIdentity) -> str:
    scratch, fast = compiled.scratch, compiled.scratch_fast
    fields: dict[str, str | int] = {
        "command_stream": "command_stream",
        "command_stream_bytes": len(compiled.command_stream),
        "weights": "weights" if compiled.weights else "0",
        "weights_bytes": len(compiled.weights),
        "weights_region": compiled.weights_region,
        "scratch": "scratch" if scratch.size_bytes else "0",
        "scratch_bytes": scratch.size_bytes,
        "scratch_region": scratch.region,
        "scratch_fast": "scratch_fast" if fast.size_bytes else "0",
        "scratch_fast_bytes": fast.size_bytes,
        "scratch_fast_region": fast.region,
        "variables": "variables" if compiled.variables else "0",
        "variable_count": len(compiled.variables),
    }
    return model_definition(identity, fields, len(compiled.inputs), len(compiled.outputs))


def model_definition(
    identity: ModelIdentity, network: Mapping[str, str | int], inputs: int, outputs: int
) -> str:
    """Return the definition of ``model``.

    Args:
        identity: what it prints and checks.
        network: the fields of what the runtime runs.
        inputs: their number, in the array ``inputs``.
        outputs: likewise.
    """
    accelerator = identity.accelerator
    fields = {
        "name": string(identity.name),
        "accelerator_config": string(accelerator.name if accelerator else NO_NPU),
        "macs": accelerator.macs if accelerator else 0,
        "memory_mode": string(identity.memory_mode),
        **network,
        "inputs": "inputs",
        "input_count": inputs,
        "outputs": "outputs",
        "output_count": outputs,
        "hash": "model_hash",
        "reset": f"MODEL_RESET_{identity.reset_state.upper()}",
    }
    rows = "\n".join(f"    .{key} = {value}," for key, value in fields.items())
    return f"const struct model model = {{\n{rows}\n}};\n"
