# SPDX-License-Identifier: Apache-2.0
"""Bring a float .tflite to the form that is quantised: float32, operators and constants TFLite's.

Weights may be float16 or, dynamic-range quantised, int8, and are computed with in float: they
become the float32 values that they stand for. Sparse constants become whole. MediaPipe's custom
operator Convolution2DTransposeBias is TRANSPOSE_CONV with a bias, of before that had one; its
options are those of the C structure TfLiteTransposeConvParams: padding, stride_width,
stride_height.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.models.int8_check import kind_of_float, quantised_activations, spec_of
from ethosmith.models.keras_model import GivenInput, check_finite
from ethosmith.models.sparse_weights import dense_values
from ethosmith.models.tflite_file import check_one_subgraph, parse_model
from ethosmith.models.tflite_graph import TfliteGraph, packed

Array = npt.NDArray[Any]
Batches = Callable[[], Iterable[list[Array] | dict[str, Array]]]
SIGNATURE = "calibration"
_NO_VOCABULARY = 2
# TFLite's numbers of types.
_FLOAT32 = 0
_DTYPES = {_FLOAT32: "<f4", 1: "<f2", 2: "<i4", 4: "<i8", 9: "i1"}
_TRANSPOSE_CONV_BIAS = b"Convolution2DTransposeBias"
_OPTIONS = struct.Struct("<3i")
# TfLitePadding has 1 for SAME and 2 for VALID, the file format 0 and 1.
_PADDINGS = (1, 2)
_VERSION_WITH_BIAS = 3


def float_kind(content: bytes, shown: str) -> str | None:
    """Return what the network is called if it computes in float throughout; None: it does not.

    Raises:
        EthosmithError: not a TFLite model, or a damaged one.
    """
    model = parse_model(content, shown)
    return None if quantised_activations(model) else kind_of_float(model)


class FloatNetwork(TfliteGraph):
    """A float network on its way to a form that can be calibrated.

    Attributes:
        inputs: as the calibration data has to be.
    """

    def __init__(self, model: Any, shown: str) -> None:
        check_one_subgraph(model, shown)
        super().__init__(model)
        self._shown = shown
        replace_mediapipe_operators(model)
        self._name_tensors()
        self._fill_in_zeros()
        end = self._vocabulary()
        self.inputs = [
            GivenInput(spec.name, spec.shape, spec.dtype, end)
            for spec in spec_of(model, shown).inputs
        ]

    def in_float32(self) -> bytes:
        """Return the network with float32 weights and a signature that names its inputs."""
        self._widen_float16()
        self._widen_weights()
        check_finite(Path(self._shown), self._weights())
        self._sign()
        self._drop_unused_data()
        return packed(self.model)

    def _name_tensors(self) -> None:
        """Give each tensor a name of its own: calibration knows them by their names."""
        seen: set[bytes] = set()
        for index, tensor in enumerate(self.graph.tensors):
            name = bytes(tensor.name or b"")
            if not name or name in seen:
                name = name + f";{index}".encode()
            tensor.name = name
            seen.add(name)

    def _fill_in_zeros(self) -> None:
        """Make sparse constants whole, which DENSIFY would do at every inference."""
        for tensor in self.graph.tensors:
            data = self.model.buffers[tensor.buffer].data
            if tensor.sparsity is None or data is None or tensor.type not in _DTYPES:
                continue
            stored = np.frombuffer(bytes(data), _DTYPES[tensor.type])
            whole = dense_values(stored, tuple(map(int, tensor.shape)), tensor.sparsity)
            self.give(tensor, whole)
            tensor.sparsity = None
        for operator in list(self.graph.operators):
            values = None
            if self.name(operator) == "DENSIFY":
                values = self._constant(operator.inputs[0])
            if values is not None:
                self.give(self.graph.tensors[operator.outputs[0]], values)
                self.remove(operator)
                self._empty(operator.inputs[0])

    def _vocabulary(self) -> int:
        """Return what integers given to the network are below: rows of the smallest table."""
        sizes = [
            int(self.graph.tensors[operator.inputs[0]].shape[0])
            for operator in self.graph.operators
            if self.name(operator) == "GATHER" and self._constant(operator.inputs[0]) is not None
        ]
        return min(sizes, default=_NO_VOCABULARY)

    def _widen_float16(self) -> None:
        """Take off DEQUANTIZE of constants, whose result is a constant."""
        for operator in list(self.graph.operators):
            values = None
            if self.name(operator) == "DEQUANTIZE":
                values = self._real_values(operator.inputs[0])
            if values is not None:
                self._set(operator.outputs[0], values)
                self.remove(operator)
                self._empty(operator.inputs[0])

    def _widen_weights(self) -> None:
        """Make int8 weights of operators with float outputs the values that they stand for."""
        for operator in self.graph.operators:
            for index in operator.inputs:
                if index >= 0 and self._is_quantised(index):
                    values = self._real_values(index)
                    if values is not None:
                        self._set(index, values)

    def _weights(self) -> Iterator[tuple[str, Array]]:
        for index, tensor in enumerate(self.graph.tensors):
            values = self._constant(index)
            if values is not None and values.dtype == np.float32:
                yield bytes(tensor.name).decode("utf-8", "replace"), values

    def _sign(self) -> None:
        """Name the inputs and outputs; other signatures name what may not be there any more."""
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
        signature.inputs = [self._entry(index) for index in self.graph.inputs]
        signature.outputs = [self._entry(index) for index in self.graph.outputs]
        self.model.signatureDefs = [signature]

    def _entry(self, index: int) -> Any:
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = bytes(self.graph.tensors[index].name).decode(), int(index)
        return entry

    def _is_quantised(self, index: int) -> bool:
        quantisation = self.graph.tensors[index].quantization
        return quantisation is not None and quantisation.scale is not None

    def _constant(self, index: int) -> Array | None:
        tensor = self.graph.tensors[index]
        data = self.model.buffers[tensor.buffer].data
        if data is None or len(data) == 0 or tensor.type not in _DTYPES:
            return None
        values = np.frombuffer(bytes(data), _DTYPES[tensor.type])
        return values.reshape(() if tensor.shape is None else tuple(tensor.shape))

    def _real_values(self, index: int) -> Array | None:
        """Return a constant's values in float32; None: it is none, or of another kind."""
        values = self._constant(index)
        if values is None or values.dtype == np.float32:
            return None
        if values.dtype.kind == "i" and (values.dtype != np.int8 or not self._is_quantised(index)):
            return None
        if values.dtype == np.float16:
            return values.astype(np.float32)
        quantisation = self.graph.tensors[index].quantization
        scale = np.asarray(quantisation.scale, np.float64)
        zero = np.asarray(quantisation.zeroPoint, np.float64)
        along = [1] * values.ndim
        if scale.size > 1:
            along[quantisation.quantizedDimension] = scale.size
        return ((values - zero.reshape(along)) * scale.reshape(along)).astype(np.float32)

    def _empty(self, index: int) -> None:
        """Make one zero of a constant that nothing reads any more; calibration looks at it."""
        if not any(index in list(operator.inputs) for operator in self.graph.operators):
            self.graph.tensors[index].shape = [1]
            self._set(index, np.zeros(1, np.float32))

    def _drop_unused_data(self) -> None:
        metadata = [one.buffer for one in self.model.metadata or []]
        used = {0, *metadata, *(tensor.buffer for tensor in self.graph.tensors)}
        for index, buffer in enumerate(self.model.buffers):
            if index not in used:
                buffer.data = None

    def _set(self, index: int, values: Array) -> None:
        tensor = self.graph.tensors[index]
        self.give(tensor, values.astype("<f4"))
        tensor.type, tensor.quantization = _FLOAT32, None


def replace_mediapipe_operators(model: Any) -> None:
    """Change the operators of LiteRT's ModelT.

    Raises:
        ValueError: options that do not belong to such an operator.
    """
    codes = {
        index
        for index, code in enumerate(model.operatorCodes)
        if bytes(code.customCode or b"") == _TRANSPOSE_CONV_BIAS
    }
    if not codes:
        return
    network = TfliteGraph(model)
    for operator in network.graph.operators:
        if operator.opcodeIndex in codes:
            _make_transpose_conv(network, operator)
    for index in codes:
        code = model.operatorCodes[index]
        code.customCode, code.version = None, _VERSION_WITH_BIAS
        code.builtinCode = code.deprecatedBuiltinCode = _transpose_conv()


def _transpose_conv() -> int:
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    return int(schema.BuiltinOperator.TRANSPOSE_CONV)


def _make_transpose_conv(network: TfliteGraph, operator: Any) -> None:
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

    given = operator.customOptions
    raw = b"" if given is None else bytes(bytearray(given))
    if len(raw) < _OPTIONS.size or len(operator.inputs) != 3:
        raise ValueError(f"{_TRANSPOSE_CONV_BIAS.decode()} with {len(raw)} bytes of options")
    padding, stride_w, stride_h = _OPTIONS.unpack_from(raw)
    if padding not in _PADDINGS:
        raise ValueError(f"{_TRANSPOSE_CONV_BIAS.decode()} with padding {padding}")
    options = schema.TransposeConvOptionsT()
    options.padding, options.strideW, options.strideH = padding - 1, stride_w, stride_h
    operator.builtinOptionsType = schema.BuiltinOptions.TransposeConvOptions
    operator.builtinOptions, operator.customOptions = options, None
    shape, tensors = schema.TensorT(), network.graph.tensors
    size = np.asarray(tensors[operator.outputs[0]].shape, "<i4")
    shape.name, shape.shape, shape.type = b"", [size.size], schema.TensorType.INT32
    network.give(shape, size)
    source, weights, bias = operator.inputs
    operator.inputs = [len(tensors), weights, source, bias]
    tensors.append(shape)
