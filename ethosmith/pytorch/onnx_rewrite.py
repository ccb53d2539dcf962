# SPDX-License-Identifier: Apache-2.0
"""Spell out what onnx2pytorch 0.6 converts wrongly or not at all, or the NPU lacks.

- Div by a constant: a product with its inverse, which the NPU has.
- Gather along an axis that is counted from the end: it takes the first axis.
- HardSigmoid with a slope near 1/6: it takes 1/6.
- MatMul with a constant that is not a matrix behind it, Gemm with one before it or with none: it
  takes the constant for the weights of a linear layer all the same. A sum behind a MatMul becomes
  that layer's bias, of whatever shape it is.
- Resize in other ways than PyTorch's: it ignores most of what the node says.

Constants in nodes become initial values, which it knows better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.onnx_nodes import is_converted_rightly
from ethosmith.pytorch.onnx_oracle import evaluated

Tensor = npt.NDArray[Any]
_RESIZES = ("Resize", "Upsample")
_CLIP_HAS_INPUTS = 11
_RESIZE_HAS_SIZES = 11


def without_constant_nodes(model: Any) -> Any:
    """Return a copy of the model with constants as initial values."""
    import onnx  # noqa: PLC0415

    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    for node in model.graph.node:
        if node.op_type == "Constant" and [one.name for one in node.attribute] == ["value"]:
            made.graph.initializer.add().CopyFrom(node.attribute[0].t)
            made.graph.initializer[-1].name = node.output[0]
        else:
            made.graph.node.add().CopyFrom(node)
    return made


def spelled_out(path: Path, model: Any, values: Mapping[str, Tensor]) -> Any:
    """Return a copy of a model that the converter converts rightly, as far as is known.

    Args:
        path: the file, for messages.
        model: of `without_constant_nodes`.
        values: of everything in it, of `ethosmith.pytorch.onnx_oracle.every_value`.
    """
    return _Rewriting(path, model, values).made()


class _Rewriting:
    def __init__(self, path: Path, model: Any, values: Mapping[str, Tensor]) -> None:
        import onnx  # noqa: PLC0415

        self._path, self._model, self._values = path, model, values
        self._constants = {one.name: one for one in model.graph.initializer}
        versions = {one.domain: one.version for one in model.opset_import}
        self._version = versions.get("", versions.get("ai.onnx", 0))
        self._result = onnx.ModelProto()
        self._result.CopyFrom(model)
        self._before: Any = None

    def made(self) -> Any:
        """Return the new model."""
        del self._result.graph.node[:]
        for node in self._model.graph.node:
            self._result.graph.node.extend(self._instead_of(node))
            self._before = node
        return self._result

    def _instead_of(self, node: Any) -> Iterator[Any]:
        kind = node.op_type
        if kind == "Gather":
            yield self._gather(node)
        elif kind == "HardSigmoid" and _is_near_a_sixth(node):
            yield from self._hard_sigmoid(node)
        elif kind == "Div" and self._is_float_constant(node.input[1]):
            inverse = self._constant(node, "inverse", 1 / self._array(node.input[1]))
            yield _node("Mul", [node.input[0], inverse], node.output[0])
        elif kind == "MatMul" or (kind == "Add" and self._is_behind_a_product(node)):
            yield from self._product(node)
        elif kind == "Gemm" and not self._is_a_layer(node):
            yield from self._gemm(node)
        elif kind in _RESIZES and not self._is_right([node]):
            yield from self._resize(node)
        else:
            yield node

    def _gather(self, node: Any) -> Any:
        axis = _attribute(node, "axis", 0)
        data = self._constants.get(node.input[0])
        rank = len(data.dims) if data is not None else np.ndim(self._values[node.input[0]])
        return _with(node, axis=axis % rank) if axis < 0 else node

    def _hard_sigmoid(self, node: Any) -> Iterator[Any]:
        scaled, shifted = self._name(node, "scaled"), self._name(node, "shifted")
        slope = self._constant(node, "slope", np.float32(_attribute(node, "alpha", 0.2)))
        offset = self._constant(node, "offset", np.float32(_attribute(node, "beta", 0.5)))
        yield _node("Mul", [node.input[0], slope], scaled)
        yield _node("Add", [scaled, offset], shifted)
        if self._version < _CLIP_HAS_INPUTS:
            yield _node("Clip", [shifted], node.output[0], min=0.0, max=1.0)
            return
        low, high = (self._constant(node, f"at_{end}", np.float32(end)) for end in (0, 1))
        yield _node("Clip", [shifted, low, high], node.output[0])

    def _product(self, node: Any) -> Iterator[Any]:
        """Hide constants from the converter that are no weights or bias of a linear layer."""
        inputs = list(node.input)
        for index, name in enumerate(inputs):
            tensor = self._constants.get(name)
            if tensor is None:
                continue
            rank = len(tensor.dims)
            is_weights = node.op_type == "MatMul" and index == 1 and rank == 2
            is_bias = node.op_type == "Add" and rank == 1
            if not (is_weights or is_bias):
                inputs[index] = self._name(node, f"constant_{index}")
                yield _node("Identity", [name], inputs[index])
        yield _node(node.op_type, inputs, node.output[0])

    def _is_float_constant(self, name: str) -> bool:
        return name in self._constants and self._array(name).dtype == np.float32

    def _is_behind_a_product(self, node: Any) -> bool:
        before = self._before
        return before is not None and before.op_type == "MatMul" and before.output[0] in node.input

    def _is_a_layer(self, node: Any) -> bool:
        first, *weights = (name in self._constants for name in node.input if name)
        return not first and all(weights)

    def _gemm(self, node: Any) -> Iterator[Any]:
        factors = []
        for index, flag in enumerate(("transA", "transB")):
            factors.append(self._name(node, f"factor_{index}"))
            turned = _attribute(node, flag, 0)
            kind, given = ("Transpose", {"perm": [1, 0]}) if turned else ("Identity", {})
            yield _node(kind, [node.input[index]], factors[-1], **given)
        has_bias = len(node.input) > 2 and bool(node.input[2])
        product = self._name(node, "product")
        yield _node("MatMul", factors, product)
        scale = self._constant(node, "alpha", np.float32(_attribute(node, "alpha", 1.0)))
        scaled = self._name(node, "scaled") if has_bias else node.output[0]
        yield _node("Mul", [product, scale], scaled)
        if has_bias:
            weight = self._constant(node, "beta", np.float32(_attribute(node, "beta", 1.0)))
            yield _node("Mul", [node.input[2], weight], self._name(node, "bias"))
            yield _node("Add", [scaled, self._name(node, "bias")], node.output[0])

    def _resize(self, node: Any) -> Iterator[Any]:
        """Resize along one axis after the other, each a product with a matrix."""
        try:
            nodes = list(self._products_of(node))
        except EthosmithError:
            nodes = []
        # One that extrapolates is none; the comparison of the whole network says so.
        yield from nodes if nodes and self._is_right(nodes) else [node]

    def _products_of(self, node: Any) -> Iterator[Any]:
        before = self._values[node.input[0]].shape
        after = self._values[node.output[0]].shape
        axes = [axis for axis, size in enumerate(before) if after[axis] != size]
        source = node.input[0]
        for axis in axes:
            order = list(range(len(before)))
            order[axis], order[-1] = order[-1], order[axis]
            matrix = self._constant(node, f"matrix_{axis}", self._matrix(node, axis))
            turned, product, made = (
                self._name(node, f"{what}_{axis}") for what in ("turned", "product", "resized")
            )
            made = node.output[0] if axis == axes[-1] else made
            yield _node("Transpose", [source], turned, perm=order)
            yield _node("MatMul", [turned, matrix], product)
            yield _node("Transpose", [product], made, perm=order)
            source = made

    def _matrix(self, node: Any, axis: int) -> Tensor:
        """Return what the node does along one axis, of what it makes of each unit vector."""
        from onnx import helper, numpy_helper  # noqa: PLC0415

        before = self._values[node.input[0]].shape
        after = self._values[node.output[0]].shape
        size = before[axis]
        if axis == 0:
            raise EthosmithError("the batch is resized")
        shape = [size, *(size if one == axis else 1 for one in range(1, len(before)))]
        given = {"x": np.eye(size, dtype=np.float32).reshape(shape)}
        scales = np.ones(len(shape), np.float32)
        scales[axis] = self._scale(node, axis)
        target = [*shape[:axis], after[axis], *shape[axis + 1 :]]
        # Opset 11 asks for all that is in front of what is given.
        constants: dict[str, Tensor] = {"roi": np.array([], np.float32), "scales": scales}
        inputs = ["x", "scales"]
        if self._version >= _RESIZE_HAS_SIZES:
            inputs = ["x", "roi", "scales"]
            if len(node.input) > 3 and node.input[3]:
                constants["scales"], constants["sizes"] = constants["roi"], np.array(target)
                inputs.append("sizes")
        alone = _node(node.op_type, inputs, "y")
        left_out = ("axes", "keep_aspect_ratio_policy")
        alone.attribute.extend(one for one in node.attribute if one.name not in left_out)
        graph = helper.make_graph(
            [alone],
            "along_one_axis",
            [helper.make_tensor_value_info("x", 1, shape)],
            [helper.make_tensor_value_info("y", 1, None)],
            [numpy_helper.from_array(constants[name], name) for name in inputs[1:]],
        )
        versions, ir_version = self._model.opset_import, self._model.ir_version
        model = helper.make_model(graph, opset_imports=versions, ir_version=ir_version)
        (made,) = evaluated(self._path, model, given)
        return np.ascontiguousarray(made.reshape(size, after[axis]))

    def _scale(self, node: Any, axis: int) -> float:
        """Return the scale that the node gives for an axis; 1 if it gives sizes."""
        index = 2 if self._version >= _RESIZE_HAS_SIZES else 1
        name = node.input[index] if len(node.input) > index else ""
        scales = self._array(name) if name else np.array([])
        axes = _attribute(node, "axes", None) or range(len(scales))
        rank = len(self._values[node.input[0]].shape)
        found = {one % rank: float(scale) for one, scale in zip(axes, scales, strict=False)}
        return found.get(axis, 1.0)

    def _array(self, name: str) -> Tensor:
        from onnx import numpy_helper  # noqa: PLC0415

        if name in self._constants:
            return np.asarray(numpy_helper.to_array(self._constants[name]))
        return self._values[name]

    def _is_right(self, nodes: list[Any]) -> bool:
        constants = {one.name: one for one in self._result.graph.initializer}
        return is_converted_rightly(self._model, nodes, self._values, constants)

    def _constant(self, node: Any, what: str, value: Any) -> str:
        from onnx import numpy_helper  # noqa: PLC0415

        name = self._name(node, what)
        self._result.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    @staticmethod
    def _name(node: Any, what: str) -> str:
        return f"{node.output[0]}/spelled_out/{what}"


def _is_near_a_sixth(node: Any) -> bool:
    """Say whether the converter takes the slope for 1/6, and it is another one."""
    slope, offset = _attribute(node, "alpha", 0.2), _attribute(node, "beta", 0.5)
    near = math.isclose(slope, 1 / 6, abs_tol=0.01)
    return near and offset == 0.5 and not math.isclose(slope, 1 / 6, rel_tol=1e-6)


def _node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    from onnx import helper  # noqa: PLC0415

    return helper.make_node(kind, inputs, [output], **attributes)


def _attribute(node: Any, name: str, default: Any) -> Any:
    from onnx import helper  # noqa: PLC0415

    found = (one for one in node.attribute if one.name == name)
    return next((helper.get_attribute_value(one) for one in found), default)


def _with(node: Any, **attributes: Any) -> Any:
    """Return a copy of a node with other values of some attributes."""
    from onnx import NodeProto, helper  # noqa: PLC0415

    made = NodeProto()
    made.CopyFrom(node)
    kept = [one for one in node.attribute if one.name not in attributes]
    del made.attribute[:]
    new = [helper.make_attribute(name, value) for name, value in attributes.items()]
    made.attribute.extend([*kept, *new])
    return made
