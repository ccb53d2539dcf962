# SPDX-License-Identifier: Apache-2.0
"""Convert ONNX models by onnx2pytorch, and find the nodes that it converts wrongly."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.terminal import captured_output

Tensor = npt.NDArray[Any]
# Of the largest magnitude in an output: what float32 loses by another order of additions.
TOLERANCE = 1e-4
# The converter imports it for five operators of boxes and pictures, which no NPU has.
_NOT_INSTALLED = ("torchvision", "torchvision.ops", "torchvision.io")


def converted(model: Any) -> Any:
    """Return a model as onnx2pytorch's torch.nn.Module; it raises what it likes."""
    import onnx  # noqa: PLC0415

    for name in _NOT_INSTALLED:
        sys.modules.setdefault(name, _placeholder(name))
    from onnx2pytorch import ConvertModel  # noqa: PLC0415

    own = onnx.ModelProto()
    # It removes nodes that it has merged with others.
    own.CopyFrom(model)
    with captured_output():
        return ConvertModel(own).eval()


def outputs(network: Any, given: Sequence[Tensor]) -> list[Tensor]:
    """Return the outputs of a torch.nn.Module for NumPy arrays."""
    import torch  # noqa: PLC0415

    with torch.no_grad():
        made = network(*(torch.from_numpy(np.array(one)) for one in given))
    return [one.numpy() for one in ((made,) if isinstance(made, torch.Tensor) else made)]


def apart(made: Tensor, expected: Tensor) -> tuple[float, float]:
    """Return how far two tensors of one shape are apart, and how much of it rounding explains."""
    ours, theirs = (np.nan_to_num(one.astype(np.float64)) for one in (made, expected))
    allowed = TOLERANCE * max(1.0, float(np.abs(theirs).max(initial=0)))
    both = np.isnan(made.astype(np.float64)) == np.isnan(expected.astype(np.float64))
    distance = float(np.abs(ours - theirs).max(initial=0))
    return (distance if both.all() else float("inf")), allowed


def is_converted_rightly(
    model: Any, nodes: Sequence[Any], values: Mapping[str, Tensor], constants: Mapping[str, Any]
) -> bool:
    """Say whether the last of ``nodes``, converted with those before it, makes what is expected.

    Args:
        model: whose version of the operators they are.
        nodes: onnx.NodeProto.
        values: of everything in the model, as ONNX Runtime computes it.
        constants: the initial values that a node may use, TensorProto by name.
    """
    names = [name for name in nodes[-1].output if name]
    if any(name not in values for name in names):
        return True
    try:
        alone, inputs = _model_of(model, nodes, values, constants)
        made = outputs(converted(alone), [values[name] for name in inputs])
    except Exception:  # noqa: BLE001 converted operators raise what they like
        return False
    for ours, name in zip(made, names, strict=False):
        expected = values[name]
        if ours.shape != expected.shape:
            return False
        distance, allowed = apart(ours, expected)
        if distance > allowed:
            return False
    return True


def described(node: Any) -> str:
    """Return what a person knows a node by: ``node 'n1': Resize (mode=linear)``."""
    import onnx  # noqa: PLC0415

    shown = []
    for one in node.attribute:
        value = onnx.helper.get_attribute_value(one)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, (int, float, str, list)):
            shown.append(f"{one.name}={value}")
    attributes = f" ({', '.join(shown)})" if shown else ""
    name = node.name or (node.output[0] if node.output else "")
    return f"node '{name[:60]}': {node.op_type}{attributes[:160]}"


def _model_of(
    model: Any, nodes: Sequence[Any], values: Mapping[str, Tensor], constants: Mapping[str, Any]
) -> tuple[Any, list[str]]:
    """Return a model of ``nodes`` alone, and the names of its inputs."""
    from onnx import helper  # noqa: PLC0415

    used = dict.fromkeys(name for node in nodes for name in node.input if name)
    made = {name for node in nodes for name in node.output}
    inputs = [name for name in used if name not in constants and name not in made]
    graph = helper.make_graph(
        nodes,
        "alone",
        [_described_value(name, values[name]) for name in inputs],
        [_described_value(name, values[name]) for name in nodes[-1].output if name in values],
        [constants[name] for name in used if name in constants],
    )
    version = model.ir_version
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=version), inputs


def _described_value(name: str, value: Tensor) -> Any:
    from onnx import helper  # noqa: PLC0415

    kind = helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_value_info(name, kind, value.shape)


def _placeholder(name: str) -> types.ModuleType:
    """Return a module whose every public name is a function that says that it is not there."""

    def missing(*_: object, **__: object) -> object:
        raise NotImplementedError("an operator of boxes or pictures, which needs torchvision")

    module = types.ModuleType(name)
    names = ("ops", "io", "decode_image", "ImageReadMode", "deform_conv2d", "roi_pool", "roi_align")
    vars(module).update(dict.fromkeys(names, missing))
    return module
