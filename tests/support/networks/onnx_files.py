# SPDX-License-Identifier: Apache-2.0
"""ONNX files, sound and not; runs with torch and onnx installed.

Called with a folder, it writes what the build says of each to ``found.json`` there: an error, or
the operators of the exported network. ``sound.onnx`` stays there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, numpy_helper

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch import onnx_file
from ethosmith.pytorch.export import exported_program
from ethosmith.pytorch.lower import lowered_network
from ethosmith.pytorch.quantise import quantised_program
from ethosmith.pytorch.source import ModelSource

Array = npt.NDArray[Any]

_RANDOM = np.random.default_rng(0)
_WEIGHTS = {"w": _RANDOM.standard_normal((12, 1, 3, 3)).astype(np.float32) * 0.3}
_node = helper.make_node


def model(
    nodes: list[Any], constants: Mapping[str, Array], shape: tuple[Any, ...] = ("N", 1, 50, 10)
) -> ModelProto:
    """Return a model from input x to output y."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 12])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    versions = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8)


def sound() -> ModelProto:
    """Return a convolution whose result is shaped by tensors: sizes, axes and slices."""
    nodes = [
        _node("Conv", ["x", "w"], ["a"], auto_pad="SAME_LOWER", strides=[2, 2]),
        _node("HardSwish", ["a"], ["b"]),
        _node("Slice", ["b", "from", "to", "along"], ["c"]),
        _node("Shape", ["c"], ["s"]),
        _node("Gather", ["s", "first"], ["n"]),
        _node("Concat", ["n", "rest"], ["to_shape"], axis=0),
        _node("Reshape", ["c", "to_shape"], ["d"]),
        _node("ReduceMean", ["d"], ["y"], axes=[2], keepdims=0),
    ]
    sizes = {"from": [1], "to": [4], "along": [3], "first": [0], "rest": [12, -1]}
    return model(nodes, {**_WEIGHTS, **{name: np.array(one) for name, one in sizes.items()}})


def _plain() -> ModelProto:
    nodes = [
        _node("Conv", ["x", "w"], ["a"]),
        _node("GlobalAveragePool", ["a"], ["b"]),
        _node("Flatten", ["b"], ["y"]),
    ]
    return model(nodes, _WEIGHTS)


def _for_the_npu() -> ModelProto:
    """Return a normalised convolution, a quotient and a pool, which the NPU has in other forms."""
    constants = {f"n{index}": np.full(12, 0.5, np.float32) for index in range(4)}
    nodes = [
        _node("Conv", ["x", "w"], ["a"]),
        _node("BatchNormalization", ["a", *constants], ["b"]),
        _node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        _node("Div", ["c", "six"], ["d"]),
        _node("ReduceMean", ["d"], ["y"], axes=[2, 3], keepdims=0),
    ]
    return model(nodes, {**_WEIGHTS, **constants, "six": np.full(1, 6, np.float32)})


def _changed(change: Callable[[ModelProto], object]) -> ModelProto:
    made = _plain()
    change(made)
    return made


def _outside(tensor: Any) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def _outside_inside_a_node() -> ModelProto:
    constant = numpy_helper.from_array(_WEIGHTS["w"])
    _outside(constant)
    return model([_node("Constant", [], ["w"], value=constant), *_plain().graph.node], {})


def _as_another(_path: Path, model: ModelProto, _values: object) -> ModelProto:
    """Return what a faulty converter would convert: other weights."""
    made = ModelProto()
    made.CopyFrom(model)
    (weights,) = (one for one in made.graph.initializer if one.name == "w")
    weights.CopyFrom(numpy_helper.from_array(_WEIGHTS["w"] * np.float32(1.001), "w"))
    return made


def files() -> dict[str, bytes]:
    """Return the files by name."""
    box = {"r": np.zeros((1, 5), np.float32)}
    fancy = _node("Fancy", ["x"], ["y"], domain="com.acme", name="n1")
    models = {
        "sound": sound(),
        "for the npu": _for_the_npu(),
        "operators": _changed(lambda one: setattr(one.opset_import[0], "version", 99)),
        "format": _changed(lambda one: setattr(one, "ir_version", 99)),
        "foreign": model([fancy], {}),
        "unknown": model([_node("NotAnOperator", ["x"], ["y"])], {}),
        "boxes": model([_node("MaxRoiPool", ["x", "r"], ["y"], pooled_shape=[2, 2])], box),
        "sizes": model(list(_plain().graph.node), _WEIGHTS, ("N", 1, "H", 10)),
        "outside": _changed(lambda one: _outside(one.graph.initializer[0])),
        "inside": _outside_inside_a_node(),
        "absurd": _changed(lambda one: one.graph.initializer[0].dims.__setitem__(0, 2**40)),
    }
    found = {name: one.SerializeToString() for name, one in models.items()}
    found["cut"] = found["sound"][:200]
    return {**found, "empty": b"", "text": b"not a network\n" * 100}


def _said(path: Path, pattern: list[int | str] | None = None) -> str:
    """Return the operators of the exported network, or the error."""
    try:
        program = exported_program(ModelSource(path), "nchw", pattern)
    except EthosmithError as error:
        return str(error)
    calls = (node for node in program.graph.nodes if node.op == "call_function")
    return " ".join(str(node.target) for node in calls)


def _left_for_the_cpu(path: Path) -> str:
    """Return what the build says of operators without an integer form; nothing: there are none."""
    program = exported_program(ModelSource(path), "nchw", None)
    batches = [[np.zeros((1, 50, 10, 1), np.float32)], [np.ones((1, 50, 10, 1), np.float32)]]
    try:
        lowered_network(path, quantised_program(path, program, batches))
    except EthosmithError as error:
        return str(error)
    return ""


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    found = {}
    for name, content in files().items():
        path = folder / f"{name}.onnx"
        path.write_bytes(content)
        found[name] = _said(path)
    found["left for the cpu"] = _left_for_the_cpu(folder / "for the npu.onnx")
    found["sizes of the use case"] = _said(folder / "sizes.onnx", [50, 10, 1])
    with patch.object(onnx_file, "spelled_out", _as_another):
        found["converted wrongly"] = _said(folder / "sound.onnx")
    (folder / "found.json").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
