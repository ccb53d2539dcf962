# SPDX-License-Identifier: Apache-2.0
"""Forms of .tflite that other writers leave: old codes, sparse and outer constants, activations."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from ethosmith.core.errors import EthosmithError
from ethosmith.models.float_tflite import replace_mediapipe_operators
from ethosmith.models.int8_check import check_int8, interpreter_of
from ethosmith.models.keras_model import GivenInput
from ethosmith.models.quantise import quantise
from ethosmith.models.sparse_weights import dense_values
from ethosmith.models.tflite_file import (
    check_one_subgraph,
    operator_kinds,
    parse_model,
    parse_whole,
)
from ethosmith.models.tflite_rewrite import rewritten
from tests.support.networks.dense import dense_network
from tests.support.one_thread import tensorflow

Array = npt.NDArray[Any]
_SHAPE = (1, 8, 8, 4)
_OUTER = 1 << 10


def _random_data(inputs: Sequence[GivenInput]) -> Callable[[], Iterator[Any]]:
    random = np.random.default_rng(5)
    drawn = [{one.name: _noise(random, one.shape) for one in inputs} for _ in range(8)]
    return lambda: iter(drawn)


def _noise(random: np.random.Generator, shape: Sequence[int]) -> Array:
    return random.uniform(-3, 9, shape).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> bytes:
    """A float network with what the quantiser has no int8 form of, in the middle and shared."""
    tf = tensorflow()
    tf.keras.utils.set_random_seed(2)
    layers = tf.keras.layers
    given = tf.keras.Input(_SHAPE[1:], 1)
    alpha = tf.keras.initializers.RandomUniform(-0.5, 0.9)
    made = layers.PReLU(alpha, shared_axes=[1, 2])(layers.Conv2D(8, 3, padding="same")(given))
    made = layers.Add()([layers.Conv2D(8, 1)(made), made])
    made = layers.Conv2D(8, 1)(layers.LeakyReLU(0.2)(made))
    made = layers.ReLU(6.0)(layers.BatchNormalization()(layers.MaxPool2D()(made)))
    made = layers.Lambda(lambda x: tf.expand_dims(tf.squeeze(x, 0), 0))(made)
    made = layers.Dense(600)(layers.Flatten()(layers.Conv2D(40, 1)(made)))
    model = tf.keras.Model(given, layers.Dense(4)(made))
    return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def _int8(content: bytes, folder: Path) -> bytes:
    (folder / "float.tflite").write_bytes(content)
    quantise(folder / "float.tflite", folder / "int8.tflite", _random_data)
    check_int8(folder / "int8.tflite")
    return (folder / "int8.tflite").read_bytes()


def _run(content: bytes, values: Array, *, default_kernels: bool = False) -> Array:
    if default_kernels:  # MediaPipe's operators are among them alone.
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
    else:
        interpreter = interpreter_of(content, "net")
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = given["quantization"]
    taken = values if not scale else np.clip(np.round(values / scale) + zero, -128, 127)
    interpreter.set_tensor(given["index"], taken.astype(given["dtype"]))
    interpreter.invoke()
    scale, zero = made["quantization"]
    raw: Array = interpreter.get_tensor(made["index"]).astype(np.float64)
    return (raw - zero) * scale if scale else raw


def _repacked(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_activations_that_the_quantiser_leaves_are_int8_too(network: bytes, tmp_path: Path) -> None:
    taken = _int8(network, tmp_path)
    model = parse_model(taken, "net")
    codes = {one.builtinCode for one in model.operatorCodes}
    assert {schema.BuiltinOperator.PRELU, schema.BuiltinOperator.LEAKY_RELU} <= codes
    used = {one.opcodeIndex for one in model.subgraphs[0].operators}
    kinds = {model.operatorCodes[index].builtinCode for index in used}
    assert schema.BuiltinOperator.DEQUANTIZE not in kinds
    assert not parse_whole(taken, "net")[1]
    values = [_noise(np.random.default_rng(seed), _SHAPE) for seed in range(6)]
    expected = np.array([_run(network, one) for one in values])
    difference = np.array([_run(taken, one) for one in values]) - expected
    assert np.linalg.norm(difference) < 0.05 * np.linalg.norm(expected)


def test_a_file_of_before_2020_is_quantised_as_one_of_today(network: bytes, tmp_path: Path) -> None:
    model = parse_model(network, "net")
    for code in model.operatorCodes:
        assert code.deprecatedBuiltinCode == code.builtinCode
        code.builtinCode = 0
    (tmp_path / "old").mkdir()
    assert _int8(_repacked(model), tmp_path / "old") == _int8(network, tmp_path)


def _with_outer_constants(content: bytes) -> bytes:
    """Put the larger constants behind the flatbuffer, as AI Edge Quantizer writes them."""
    model = parse_model(content, "net")
    outer = {
        index: bytes(buffer.data)
        for index, buffer in enumerate(model.buffers)
        if buffer.data is not None and len(buffer.data) >= _OUTER
    }
    assert outer
    for index in outer:
        model.buffers[index].data = None
        model.buffers[index].offset = model.buffers[index].size = 1
    moved = bytearray(_repacked(model))
    for index, data in outer.items():
        moved += bytes(-len(moved) % 16)
        table = schema.Model.GetRootAs(moved, 0).Buffers(index)._tab
        for field, value in ((6, len(moved)), (8, len(data))):
            struct.pack_into("<Q", moved, table.Pos + table.Offset(field), value)
        moved += data
    return bytes(moved)


def test_constants_behind_the_flatbuffer_survive_a_rewriting() -> None:
    content = dense_network((64, 64, 8), seed=3)
    outer = _with_outer_constants(content)
    assert parse_whole(outer, "net")[1] and not parse_whole(content, "net")[1]
    values = np.random.default_rng(1).uniform(-4, 4, (1, 64))
    expected = _run(content, values)
    assert len(np.unique(expected)) > 1
    assert np.array_equal(_run(outer, values), expected)  # LiteRT reads this form.
    taken = rewritten(outer, "net")
    assert taken.notes == () and not parse_whole(taken.content, "net")[1]
    assert np.array_equal(_run(taken.content, values), expected)


def test_constants_beyond_the_end_of_the_file_are_damage() -> None:
    outer = _with_outer_constants(dense_network((64, 64, 8), seed=3))
    with pytest.raises(EthosmithError, match=r"damaged \(4096 bytes at \d+ of \d+\)"):
        parse_model(outer[:-700], "net")


def _sparse(values: Array, order: Sequence[int], blocks: dict[int, int]) -> tuple[Array, Any]:
    """Encode: the last of the tensor's own dimensions sparse, the others and blocks dense."""
    shape = [n // blocks.get(axis, 1) for axis, n in enumerate(values.shape)]
    split = values.reshape([n for axis, s in enumerate(shape) for n in (s, blocks.get(axis, 1))])
    own = [2 * axis for axis in range(values.ndim)]
    inner = [2 * axis + 1 for axis in range(values.ndim)]
    placed = split.transpose([*own, *inner]).reshape(
        [*shape, *(blocks[axis] for axis in sorted(blocks))]
    )
    placed = placed.transpose(order)
    depth = values.ndim - 1
    rows = placed.reshape(-1, *placed.shape[depth:])
    kept = [[i for i, part in enumerate(row) if np.any(part)] for row in rows]
    levels = []
    for level, size in enumerate(placed.shape):
        one = schema.DimensionMetadataT()
        one.format, one.denseSize = schema.DimensionType.DENSE, size
        if level == depth:
            one.format = schema.DimensionType.SPARSE_CSR
            one.arraySegmentsType = one.arrayIndicesType = schema.SparseIndexVector.Int32Vector
            one.arraySegments, one.arrayIndices = schema.Int32VectorT(), schema.Int32VectorT()
            one.arraySegments.values = np.cumsum([0, *map(len, kept)]).tolist()
            one.arrayIndices.values = [index for row in kept for index in row]
        levels.append(one)
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder, sparsity.blockMap = list(order), sorted(blocks)
    sparsity.dimMetadata = levels
    stored = [rows[at][index].ravel() for at, row in enumerate(kept) for index in row]
    return np.concatenate(stored), sparsity


def _densifying_network(stored: Array, shape: tuple[int, ...], sparsity: Any) -> bytes:
    """Return what adds the input to DENSIFY of a constant."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], []
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = np.frombuffer(stored.astype("<f4").tobytes(), np.uint8)
    graph.tensors = [schema.TensorT() for _ in range(4)]
    for name, tensor in zip("iodw", graph.tensors, strict=True):
        tensor.name, tensor.shape, tensor.type = name.encode(), list(shape), 0
    graph.tensors[3].buffer, graph.tensors[3].sparsity = 1, sparsity
    graph.inputs, graph.outputs, graph.operators = [0], [1], []
    for kind, inputs, made in (
        (schema.BuiltinOperator.DENSIFY, [3], 2),
        (schema.BuiltinOperator.ADD, [0, 2], 1),
    ):
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = kind, min(kind, 127), 1
        operator.opcodeIndex, operator.inputs, operator.outputs = (
            len(graph.operators),
            inputs,
            [made],
        )
        if kind == schema.BuiltinOperator.ADD:
            operator.builtinOptionsType = schema.BuiltinOptions.AddOptions
            operator.builtinOptions = schema.AddOptionsT()
        model.operatorCodes.append(code)
        graph.operators.append(operator)
    return _repacked(model)


@pytest.mark.parametrize(
    ("shape", "order", "blocks"),
    [
        ((6, 8), (0, 1), {}),
        ((6, 8), (1, 0), {}),
        ((8, 8), (0, 1, 2), {1: 4}),
        ((8, 12), (1, 0, 2, 3), {0: 2, 1: 3}),
        ((5, 1, 1, 16), (0, 1, 2, 3), {}),
        ((4, 3, 3, 8), (0, 1, 2, 3, 4), {3: 4}),
    ],
)
def test_a_sparse_constant_is_litert_s(
    shape: tuple[int, ...], order: tuple[int, ...], blocks: dict[int, int]
) -> None:
    random = np.random.default_rng(sum(shape))
    values = random.standard_normal(shape).astype(np.float32)
    values[random.random(shape) < 0.7] = 0
    stored, sparsity = _sparse(values, order, blocks)
    assert stored.size < values.size
    litert = _run(_densifying_network(stored, shape, sparsity), np.zeros(shape))
    assert np.array_equal(litert, values)
    assert np.array_equal(dense_values(stored, shape, sparsity), values)


@pytest.mark.parametrize("shift", [-1, 1, 1 << 20])
def test_damaged_sparse_constants_are_refused(shift: int) -> None:
    values = np.eye(8, dtype=np.float32)
    stored, sparsity = _sparse(values, (0, 1), {})
    level = sparsity.dimMetadata[1]
    level.arrayIndices.values = [one + shift * (one == 7) * 8 for one in level.arrayIndices.values]
    with pytest.raises(ValueError, match="sparse tensor"):
        dense_values(stored, (8, 8), sparsity)
    level.arraySegments.values = np.array(level.arraySegments.values) + shift
    with pytest.raises((ValueError, IndexError)):
        dense_values(stored, (8, 8), sparsity)


def test_a_loop_is_named_with_the_way_out() -> None:
    code = SimpleNamespace(builtinCode=schema.BuiltinOperator.WHILE, deprecatedBuiltinCode=0)
    graph = SimpleNamespace(operators=[SimpleNamespace(opcodeIndex=0)])
    model = SimpleNamespace(subgraphs=[graph] * 3, operatorCodes=[code])
    with pytest.raises(EthosmithError, match=r"3 subgraphs \(of WHILE\).*unroll=True"):
        check_one_subgraph(model, "net.tflite")


def _mediapipe_network(padding: int, strides: tuple[int, int], kernel: tuple[int, int]) -> bytes:
    """Return one Convolution2DTransposeBias, from 1x5x6x3 to four channels."""
    random = np.random.default_rng(3)
    # As TFLite's converter computes it for SAME, and for VALID.
    grown = [
        size * stride if padding == 1 else (size - 1) * stride + side
        for size, stride, side in zip((5, 6), strides, kernel, strict=True)
    ]
    model, graph, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT()
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    model.buffers = [schema.BufferT() for _ in range(3)]
    graph.tensors = [schema.TensorT() for _ in range(4)]
    shapes = [(1, 5, 6, 3), (4, *kernel, 3), (4,), (1, *grown, 4)]
    for index, (tensor, shape) in enumerate(zip(graph.tensors, shapes, strict=True)):
        tensor.name, tensor.shape, tensor.type = f"t{index}".encode(), list(shape), 0
        if index in (1, 2):
            values = random.standard_normal(shape).astype("<f4")
            tensor.buffer = index
            model.buffers[index].data = np.frombuffer(values.tobytes(), np.uint8)
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = b"Convolution2DTransposeBias", 1
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0, 1, 2], [3]
    operator.customOptions = list(struct.pack("<3i", padding, strides[1], strides[0]))
    graph.operators, graph.inputs, graph.outputs = [operator], [0], [3]
    return _repacked(model)


@pytest.mark.parametrize("padding", [1, 2])
@pytest.mark.parametrize(
    ("strides", "kernel"), [((2, 2), (2, 2)), ((2, 2), (3, 3)), ((1, 2), (2, 4))]
)
def test_mediapipe_s_transposed_convolution_is_tflite_s(
    padding: int, strides: tuple[int, int], kernel: tuple[int, int]
) -> None:
    content = _mediapipe_network(padding, strides, kernel)
    values = _noise(np.random.default_rng(6), (1, 5, 6, 3))
    expected = _run(content, values, default_kernels=True)
    model = parse_model(content, "net")
    replace_mediapipe_operators(model)
    assert operator_kinds(model) == {"TRANSPOSE_CONV"}
    np.testing.assert_allclose(_run(_repacked(model), values), expected, rtol=1e-5, atol=1e-5)
