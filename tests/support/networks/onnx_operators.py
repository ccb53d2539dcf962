# SPDX-License-Identifier: Apache-2.0
"""Networks of one ONNX operator each, with attributes as exporters write them.

Runs with torch and onnx installed. Called with a folder, it writes to ``found.json`` there what the
build says of each: that it is taken, which it is only if it computes what ONNX Runtime does, or the
error.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from onnx import helper, numpy_helper
from onnx.shape_inference import infer_shapes

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.onnx_file import onnx_network
from ethosmith.pytorch.places import quiet

Array = npt.NDArray[Any]
_RANDOM = np.random.default_rng(0)
_IMAGE = (1, 4, 9, 7)
_SMALL = (1, 3, 6, 8)
_VERSIONS = (11, 13, 17)


class Case(NamedTuple):
    """One network: its nodes from ``x`` to ``y``, its constants, its input and its opset."""

    nodes: Sequence[Any]
    constants: Mapping[str, Array]
    shape: tuple[int, ...]
    version: int


def _drawn(*shape: int) -> Array:
    return _RANDOM.standard_normal(shape).astype(np.float32)


def _whole(*values: int) -> Array:
    return np.array(values, np.int64)


def _of(
    kind: str,
    shape: tuple[int, ...],
    constants: Sequence[Array] = (),
    versions: Sequence[int] = _VERSIONS,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] = ("y",),
    **attributes: Any,
) -> Iterator[Case]:
    """Yield a node with its constants ``c0``, ``c1``, ... behind the input, in each opset."""
    named = {f"c{index}": np.asarray(value) for index, value in enumerate(constants)}
    node = helper.make_node(kind, inputs or ["x", *named], list(outputs), **attributes)
    for version in versions:
        yield Case([node], named, shape, version)


def _windows() -> Iterator[Case]:
    """Convolutions and pools: even and uneven padding, strides, dilation, rounding up."""
    square = {"kernel_shape": [3, 3]}
    forms: list[dict[str, Any]] = [
        {**square, "pads": [1, 1, 1, 1], "strides": [2, 2]},
        {**square, "pads": [0, 0, 1, 1], "strides": [2, 2]},
        {**square, "pads": [1, 0, 2, 1]},
        *({**square, "auto_pad": f"SAME_{end}", "strides": [2, 2]} for end in ("UPPER", "LOWER")),
    ]
    for form in forms:
        yield from _of("Conv", _IMAGE, [_drawn(6, 4, 3, 3), _drawn(6)], **form)
        yield from _of("Conv", _IMAGE, [_drawn(8, 1, 3, 3)], group=4, **form)
        yield from _of("MaxPool", _IMAGE, **form)
        for counted in (0, 1):
            yield from _of("AveragePool", _IMAGE, **form, count_include_pad=counted)
        if "pads" in form:
            yield from _of("MaxPool", _IMAGE, **form, ceil_mode=1)
            yield from _of("AveragePool", _IMAGE, **form, ceil_mode=1)
    dilated: dict[str, Any] = {**square, "dilations": [2, 2], "pads": [2, 2, 2, 2]}
    yield from _of("Conv", _IMAGE, [_drawn(6, 4, 3, 3)], **dilated)
    yield from _of("Conv", (1, 4, 20), [_drawn(6, 4, 3)], kernel_shape=[3], pads=[2, 0])
    transposed: list[dict[str, Any]] = [
        {"kernel_shape": [2, 2], "strides": [2, 2]},
        {**square, "strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {**square, "strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {**square, "strides": [2, 2], "output_shape": [18, 14]},
    ]
    for form in transposed:
        kernel = form["kernel_shape"]
        yield from _of("ConvTranspose", _IMAGE, [_drawn(4, 5, *kernel), _drawn(5)], **form)
        yield from _of("ConvTranspose", _IMAGE, [_drawn(4, 2, *kernel)], group=2, **form)
    for kind in ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"):
        yield from _of(kind, _IMAGE)
    yield from _of("LpPool", _IMAGE, kernel_shape=[2, 2], strides=[2, 2])


def _resizes() -> Iterator[Case]:
    """Every way of finding a pixel, larger and smaller, by scales and by sizes."""
    places = ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
    nearest = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
    modes = [{"mode": "nearest", "nearest_mode": how} for how in nearest]
    modes += [{"mode": "linear"}, {"mode": "cubic"}]
    empty = np.array([], np.float32)
    for place, mode in itertools.product(places, modes):
        form: dict[str, Any] = {**mode, "coordinate_transformation_mode": place}
        for scales in ((2, 2), (1.5, 2.2), (0.5, 0.6)):
            given = [empty, np.array([1, 1, *scales], np.float32)]
            yield from _of("Resize", _SMALL, given, (11, 18), **form)
        yield from _of("Resize", _SMALL, [empty, empty, _whole(1, 3, 12, 11)], (11, 18), **form)
    last = [empty, np.array([1, 2, 2, 1], np.float32)]
    yield from _of("Resize", (1, 6, 8, 3), last, (13,), mode="linear")
    two = [empty, np.array([2, 2], np.float32)]
    yield from _of("Resize", _SMALL, two, (18,), mode="linear", axes=[2, 3])
    half = [empty, np.array([1, 1, 0.5, 0.5], np.float32)]
    yield from _of("Resize", _SMALL, half, (18,), mode="linear", antialias=1)
    for name in ("nearest", "linear"):
        twice = [np.array([1, 1, 2, 2], np.float32)]
        yield from _of("Upsample", _SMALL, twice, (9,), mode=name)
        yield from _of("Resize", _SMALL, twice, (10,), mode=name)


def _products() -> Iterator[Case]:
    """Products with the constant on either side, and layers with their bias."""
    yield from _of("MatMul", (1, 5, 6), [_drawn(6, 7)])
    yield from _of("MatMul", (6, 6), [_drawn(6, 6)], inputs=["c0", "x"])
    yield from _of("MatMul", (1, 6, 4), [_drawn(5, 6)], inputs=["c0", "x"])
    yield from _of("MatMul", (1, 2, 5, 6), [_drawn(2, 6, 3)])
    yield from _of("MatMul", (1, 6), [_drawn(6)])
    for first, second in itertools.product((0, 1), (0, 1)):
        shape, weights = ((6, 4), (4, 6))[1 - first], _drawn(*((6, 5), (5, 6))[second])
        form: dict[str, Any] = {"transA": first, "transB": second}
        yield from _of("Gemm", shape, [weights, _drawn(5)], **form, alpha=0.5, beta=2.0)
        yield from _of("Gemm", shape, [weights], **form)
    yield from _of("Gemm", (4, 6), [_drawn(6, 5), _drawn(4, 1)])
    yield from _of("Gemm", (6, 5), [_drawn(4, 6), _drawn(5)], inputs=["c0", "x", "c1"])
    for bias in (_drawn(5), _drawn(3, 5), _drawn(1, 1, 5), _drawn(1)):
        nodes = [
            helper.make_node("MatMul", ["x", "weights"], ["product"]),
            helper.make_node("Add", ["bias", "product"], ["y"]),
        ]
        yield Case(nodes, {"weights": _drawn(6, 5), "bias": bias}, (1, 3, 6), 13)
    yield from _of("Einsum", (1, 3, 4), [_drawn(1, 4, 5)], (12,), equation="bij,bjk->bik")


def _norms() -> Iterator[Case]:
    four = [_drawn(4), _drawn(4), _drawn(4), np.abs(_drawn(4)) + np.float32(0.1)]
    versions = (9, 11, 13, 14, 15)
    yield from _of("BatchNormalization", _IMAGE, four, versions, epsilon=1e-3, momentum=0.9)
    yield from _of("BatchNormalization", (1, 4), four, versions)
    yield from _of("InstanceNormalization", _IMAGE, four[:2], epsilon=1e-3)
    yield from _of("LayerNormalization", (1, 5, 8), [_drawn(8), _drawn(8)], (17,), axis=-1)
    yield from _of("GroupNormalization", _IMAGE, four[:2], (21,), num_groups=2)
    yield from _of("RMSNormalization", (1, 5, 8), [_drawn(8)], (23,))
    yield from _of("MeanVarianceNormalization", _IMAGE)
    yield from _of("LRN", _IMAGE, size=3, alpha=0.1, beta=0.75, bias=1.0)
    for kind in ("Softmax", "LogSoftmax"):
        for axis in (1, -1):
            yield from _of(kind, (2, 3, 4), versions=(9, 11, 13), axis=axis)
        yield from _of(kind, (2, 3, 4), versions=(9, 11, 13))
    yield from _of("Hardmax", (2, 5), axis=1)


def _by_element() -> Iterator[Case]:
    for slope in (0.2, 1 / 6, 0.17, 0.16):
        yield from _of("HardSigmoid", _IMAGE, versions=(9, *_VERSIONS), alpha=slope, beta=0.5)
    yield from _of("HardSigmoid", _IMAGE)
    attributes: dict[str, dict[str, Any]] = {
        "Elu": {"alpha": 0.5},
        "Selu": {"alpha": 1.5, "gamma": 1.1},
        "LeakyRelu": {"alpha": 0.3},
        "Celu": {"alpha": 2.0},
        "Shrink": {"bias": 0.2, "lambd": 0.5},
    }
    names = "Softplus Softsign Sigmoid Tanh Erf Relu Abs Neg Exp Floor Ceil Round Sign Reciprocal"
    for kind in (*attributes, *names.split()):
        yield from _of(kind, _IMAGE, versions=(12,), **attributes.get(kind, {}))
    yield from _of("HardSwish", _IMAGE, versions=(14,))
    yield from _of("Gelu", _IMAGE, versions=(20,), approximate="tanh")
    yield from _of("PRelu", _IMAGE, [_drawn(4, 1, 1)])
    low, high = np.float32(-0.5), np.float32(0.5)
    yield from _of("Clip", _IMAGE, [np.asarray(low), np.asarray(high)])
    yield from _of("Clip", _IMAGE, [np.asarray(high)], inputs=["x", "", "c0"])
    for kind in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        for other in ((4, 1, 1), (1,), _IMAGE):
            constant = np.abs(_drawn(*other)) + np.float32(0.1)
            yield from _of(kind, _IMAGE, [constant], (13,))
            yield from _of(kind, _IMAGE, [constant], (13,), ["c0", "x"])
    for kind in ("Sum", "Mean"):
        yield from _of(kind, _IMAGE, [_drawn(4, 1, 1), _drawn(1)], (13,))


def _shapes() -> Iterator[Case]:
    """What moves values, and what reduces them along axes from either end."""
    for kind in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceProd"):
        yield from _of(kind, _IMAGE, axes=[2, 3])
        yield from _of(kind, _IMAGE, axes=[-1], keepdims=0)
    yield from _of("ReduceSum", _IMAGE, [_whole(2, 3)], (13,), keepdims=0)
    uneven = _whole(0, 0, 1, 2, 0, 0, 2, 1)
    for mode in ("constant", "reflect", "edge"):
        yield from _of("Pad", _IMAGE, [uneven], mode=mode)
    yield from _of("Pad", _IMAGE, [_whole(0, 0, -1, 0, 0, 0, 2, -1)])
    yield from _of("Slice", _IMAGE, [_whole(-1), _whole(-100), _whole(2), _whole(-1)])
    yield from _of("Slice", _IMAGE, [_whole(0), _whole(2**31 - 1), _whole(3), _whole(2)])
    yield from _of("Split", _IMAGE, [_whole(1, 3)], (13,), outputs=("y", "z"), axis=1)
    yield from _of("Transpose", _IMAGE, perm=[0, 2, 3, 1])
    for axis in (1, 2, -1):
        yield from _of("Flatten", _IMAGE, axis=axis)
    yield from _of("Reshape", _IMAGE, [_whole(0, 2, 2, -1)])
    yield from _of("Concat", _IMAGE, [_drawn(*_IMAGE)], axis=-1)
    for mode in ("DCR", "CRD"):
        yield from _of("DepthToSpace", (1, 8, 3, 4), blocksize=2, mode=mode)
    yield from _of("SpaceToDepth", (1, 2, 4, 6), blocksize=2)
    yield from _of("Gather", _IMAGE, [np.array(1)], axis=-1)
    for axis in (1, -1, -2):
        yield from _of("Gather", _IMAGE, [_whole(2, 0)], axis=axis)


def _recurrent() -> Iterator[Case]:
    size, hidden = 6, 5
    for direction, count in (("forward", 1), ("reverse", 1), ("bidirectional", 2)):
        for kind, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
            rows = gates * hidden
            shapes = ((count, rows, size), (count, rows, hidden), (count, 2 * rows))
            weights = [_drawn(*shape) * np.float32(0.3) for shape in shapes]
            form: dict[str, Any] = {"hidden_size": hidden, "direction": direction}
            yield from _of(kind, (1, 1, size), weights, (14,), **form)


_REFUSED = (
    lambda: _of("ThresholdedRelu", _IMAGE, versions=(12,), alpha=0.5),
    lambda: _of("LpNormalization", (1, 6), versions=(13,), axis=-1),
    lambda: _of("LRN", _IMAGE, versions=(13,), size=4),
    lambda: _of("GroupNormalization", _IMAGE, [_drawn(2), _drawn(2)], (18,), num_groups=2),
    lambda: _of("MaxPool", _IMAGE, versions=(13,), kernel_shape=[3, 3], pads=[2, 2, 2, 2]),
)


def cases() -> Iterator[tuple[str, Case]]:
    """Yield every network with a name of its own; those that begin with ``no`` are not taken."""
    taken = (_windows, _resizes, _products, _norms, _by_element, _shapes, _recurrent)
    for prefix, groups in (("", taken), ("no ", _REFUSED)):
        for index, case in enumerate(itertools.chain.from_iterable(one() for one in groups)):
            node = case.nodes[-1]
            given = {one.name: helper.get_attribute_value(one) for one in node.attribute}
            yield f"{prefix}{index} {node.op_type} {given} opset {case.version}", case


def _file(case: Case, path: Path) -> None:
    outputs = [helper.make_tensor_value_info(name, 1, None) for name in case.nodes[-1].output]
    constants = [numpy_helper.from_array(value, name) for name, value in case.constants.items()]
    taken = [helper.make_tensor_value_info("x", 1, case.shape)]
    graph = helper.make_graph(case.nodes, "network", taken, outputs, constants)
    versions = [helper.make_opsetid("", case.version)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    model = infer_shapes(model)
    (kind, *_) = (one.type.tensor_type for one in model.graph.output)
    if not kind.HasField("shape"):
        kind.CopyFrom(model.graph.input[0].type.tensor_type)
    path.write_bytes(model.SerializeToString())


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    quiet()
    found = {}
    path = folder / "network.onnx"
    for name, case in cases():
        _file(case, path)
        try:
            onnx_network(path)
            found[name] = "taken"
        except EthosmithError as error:
            found[name] = str(error).removeprefix(f"{path}: ")
    (folder / "found.json").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
