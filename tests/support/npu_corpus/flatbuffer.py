# SPDX-License-Identifier: Apache-2.0
"""Write a Network as a .tflite, with the schema classes that come with Vela."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import flatbuffers
import numpy as np
from ethosu.vela.tflite import Buffer as BufferTable
from ethosu.vela.tflite import Model as ModelTable
from ethosu.vela.tflite import Operator as OperatorTable
from ethosu.vela.tflite import OperatorCode as OperatorCodeTable
from ethosu.vela.tflite import QuantizationParameters as QuantisationTable
from ethosu.vela.tflite import SubGraph as SubGraphTable
from ethosu.vela.tflite import Tensor as TensorTable
from ethosu.vela.tflite.BuiltinOperator import BuiltinOperator
from ethosu.vela.tflite.BuiltinOptions import BuiltinOptions
from ethosu.vela.tflite.TensorType import TensorType

from tests.support.npu_corpus.network import Network, Operator, Quantisation, Tensor

_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_DEPRECATED_CODE_LIMIT = 127  # codes above it live in the wider field only
_VERSIONED_TYPES = {
    "int8": TensorType.INT8,
    "uint8": TensorType.UINT8,
    "int16": TensorType.INT16,
    "int32": TensorType.INT32,
    "int64": TensorType.INT64,
    "float32": TensorType.FLOAT32,
    "bool": TensorType.BOOL,
}


def tflite_bytes(network: Network) -> bytes:
    """Return ``network`` as the bytes of a .tflite file."""
    return _Writer(network).write()


class _Writer:
    def __init__(self, network: Network) -> None:
        self._network = network
        self._builder = flatbuffers.Builder(1024)
        self._tensors = network.tensors()
        self._index = {id(tensor): i for i, tensor in enumerate(self._tensors)}
        self._codes = sorted({(o.builtin, o.version) for o in network.operators})

    def write(self) -> bytes:
        builder = self._builder
        codes = self._offsets([self._code(*code) for code in self._codes])
        buffers = self._offsets([self._buffer(None), *(self._buffer(t) for t in self._tensors)])
        graphs = self._offsets([self._graph()])
        ModelTable.Start(builder)
        ModelTable.AddVersion(builder, _SCHEMA_VERSION)
        ModelTable.AddOperatorCodes(builder, codes)
        ModelTable.AddSubgraphs(builder, graphs)
        ModelTable.AddBuffers(builder, buffers)
        builder.Finish(ModelTable.End(builder), _IDENTIFIER)
        return bytes(builder.Output())

    def _code(self, builtin: str, version: int) -> int:
        value = getattr(BuiltinOperator, builtin)
        OperatorCodeTable.Start(self._builder)
        OperatorCodeTable.AddDeprecatedBuiltinCode(
            self._builder, min(value, _DEPRECATED_CODE_LIMIT)
        )
        OperatorCodeTable.AddVersion(self._builder, version)
        OperatorCodeTable.AddBuiltinCode(self._builder, value)
        return int(OperatorCodeTable.End(self._builder))

    def _buffer(self, tensor: Tensor | None) -> int:
        data = None
        if tensor is not None and tensor.data is not None:
            raw = np.ascontiguousarray(tensor.data, tensor.dtype).tobytes()
            data = self._builder.CreateByteVector(raw)
        BufferTable.Start(self._builder)
        if data is not None:
            BufferTable.AddData(self._builder, data)
        return int(BufferTable.End(self._builder))

    def _graph(self) -> int:
        tensors = self._offsets([self._tensor(i + 1, t) for i, t in enumerate(self._tensors)])
        inputs = self._integers(self._indices(self._network.inputs))
        outputs = self._integers(self._indices(self._network.outputs))
        operators = self._offsets([self._operator(o) for o in self._network.operators])
        name = self._builder.CreateString("main")
        SubGraphTable.Start(self._builder)
        SubGraphTable.AddTensors(self._builder, tensors)
        SubGraphTable.AddInputs(self._builder, inputs)
        SubGraphTable.AddOutputs(self._builder, outputs)
        SubGraphTable.AddOperators(self._builder, operators)
        SubGraphTable.AddName(self._builder, name)
        return int(SubGraphTable.End(self._builder))

    def _tensor(self, buffer: int, tensor: Tensor) -> int:
        name = self._builder.CreateString(tensor.name)
        shape = self._integers(tensor.shape)
        quantisation = None
        if tensor.quantisation is not None:
            quantisation = self._quantisation(tensor.quantisation)
        TensorTable.Start(self._builder)
        TensorTable.AddShape(self._builder, shape)
        TensorTable.AddType(self._builder, _VERSIONED_TYPES[tensor.dtype.name])
        TensorTable.AddBuffer(self._builder, buffer)
        TensorTable.AddName(self._builder, name)
        TensorTable.AddIsVariable(self._builder, tensor.variable)
        if quantisation is not None:
            TensorTable.AddQuantization(self._builder, quantisation)
        return int(TensorTable.End(self._builder))

    def _quantisation(self, quantisation: Quantisation) -> int:
        scales = self._builder.CreateNumpyVector(np.array(quantisation.scales, np.float32))
        zeros = self._builder.CreateNumpyVector(np.array(quantisation.zero_points, np.int64))
        QuantisationTable.Start(self._builder)
        QuantisationTable.AddScale(self._builder, scales)
        QuantisationTable.AddZeroPoint(self._builder, zeros)
        QuantisationTable.AddQuantizedDimension(self._builder, quantisation.axis)
        return int(QuantisationTable.End(self._builder))

    def _operator(self, operator: Operator) -> int:
        inputs = self._integers(self._indices(operator.inputs))
        outputs = self._integers(self._indices(operator.outputs))
        intermediates = self._integers(self._indices(operator.intermediates))
        options = self._options(operator)
        OperatorTable.Start(self._builder)
        OperatorTable.AddOpcodeIndex(
            self._builder, self._codes.index((operator.builtin, operator.version))
        )
        OperatorTable.AddInputs(self._builder, inputs)
        OperatorTable.AddOutputs(self._builder, outputs)
        if operator.intermediates:
            OperatorTable.AddIntermediates(self._builder, intermediates)
        if options is not None:
            kind = getattr(BuiltinOptions, str(operator.options))
            OperatorTable.AddBuiltinOptionsType(self._builder, kind)
            OperatorTable.AddBuiltinOptions(self._builder, options)
        return int(OperatorTable.End(self._builder))

    def _options(self, operator: Operator) -> int | None:
        if operator.options is None:
            return None
        table = import_module(f"ethosu.vela.tflite.{operator.options}")
        values = {
            name: self._integers(value) if isinstance(value, tuple) else value
            for name, value in operator.fields.items()
        }
        table.Start(self._builder)
        for name, value in values.items():
            getattr(table, f"Add{name}")(self._builder, value)
        return int(table.End(self._builder))

    def _indices(self, tensors: Sequence[Tensor | None]) -> list[int]:
        return [-1 if tensor is None else self._index[id(tensor)] for tensor in tensors]

    def _integers(self, values: Sequence[int]) -> int:
        return int(self._builder.CreateNumpyVector(np.array(values, np.int32)))

    def _offsets(self, offsets: Sequence[Any]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())
