# SPDX-License-Identifier: Apache-2.0
"""op_resolver.cc: the kernels of TensorFlow Lite Micro that one network uses, and no others."""

from __future__ import annotations

from collections.abc import Mapping

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_text
from ethosmith.lib.c_text import notice
from ethosmith.models.tflite_file import NPU_OPERATOR, TfliteFile, TfliteOperator, read_tflite
from ethosmith.steps.step import Input, Output, Step, step

# MicroMutableOpResolver's method for each built-in operator, without the `Add` before it.
# The list is that of micro_mutable_op_resolver.h. Operators on resource variables and other
# subgraphs (CALL_ONCE, VAR_HANDLE, WHILE, IF, ...) need what the firmware does not set up.
_BUILTIN: Mapping[str, str] = {
    "ABS": "Abs",
    "ADD": "Add",
    "ADD_N": "AddN",
    "ARG_MAX": "ArgMax",
    "ARG_MIN": "ArgMin",
    "AVERAGE_POOL_2D": "AveragePool2D",
    "BATCH_MATMUL": "BatchMatMul",
    "BATCH_TO_SPACE_ND": "BatchToSpaceNd",
    "BROADCAST_ARGS": "BroadcastArgs",
    "BROADCAST_TO": "BroadcastTo",
    "CAST": "Cast",
    "CEIL": "Ceil",
    "CONCATENATION": "Concatenation",
    "CONV_2D": "Conv2D",
    "COS": "Cos",
    "CUMSUM": "CumSum",
    "DEPTH_TO_SPACE": "DepthToSpace",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2D",
    "DEQUANTIZE": "Dequantize",
    "DIV": "Div",
    "DYNAMIC_UPDATE_SLICE": "DynamicUpdateSlice",
    "ELU": "Elu",
    "EMBEDDING_LOOKUP": "EmbeddingLookup",
    "EQUAL": "Equal",
    "EXP": "Exp",
    "EXPAND_DIMS": "ExpandDims",
    "FILL": "Fill",
    "FLOOR": "Floor",
    "FLOOR_DIV": "FloorDiv",
    "FLOOR_MOD": "FloorMod",
    "FULLY_CONNECTED": "FullyConnected",
    "GATHER": "Gather",
    "GATHER_ND": "GatherNd",
    "GREATER": "Greater",
    "GREATER_EQUAL": "GreaterEqual",
    "HARD_SWISH": "HardSwish",
    "L2_NORMALIZATION": "L2Normalization",
    "L2_POOL_2D": "L2Pool2D",
    "LEAKY_RELU": "LeakyRelu",
    "LESS": "Less",
    "LESS_EQUAL": "LessEqual",
    "LOG": "Log",
    "LOG_SOFTMAX": "LogSoftmax",
    "LOGICAL_AND": "LogicalAnd",
    "LOGICAL_NOT": "LogicalNot",
    "LOGICAL_OR": "LogicalOr",
    "LOGISTIC": "Logistic",
    "MAX_POOL_2D": "MaxPool2D",
    "MAXIMUM": "Maximum",
    "MEAN": "Mean",
    "MINIMUM": "Minimum",
    "MIRROR_PAD": "MirrorPad",
    "MUL": "Mul",
    "NEG": "Neg",
    "NOT_EQUAL": "NotEqual",
    "PACK": "Pack",
    "PAD": "Pad",
    "PADV2": "PadV2",
    "PRELU": "Prelu",
    "QUANTIZE": "Quantize",
    "REDUCE_ALL": "ReduceAll",
    "REDUCE_MAX": "ReduceMax",
    "REDUCE_MIN": "ReduceMin",
    "RELU": "Relu",
    "RELU6": "Relu6",
    "RESHAPE": "Reshape",
    "RESIZE_BILINEAR": "ResizeBilinear",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor",
    "REVERSE_V2": "ReverseV2",
    "ROUND": "Round",
    "RSQRT": "Rsqrt",
    "SELECT_V2": "SelectV2",
    "SHAPE": "Shape",
    "SIN": "Sin",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SPACE_TO_BATCH_ND": "SpaceToBatchNd",
    "SPACE_TO_DEPTH": "SpaceToDepth",
    "SPLIT": "Split",
    "SPLIT_V": "SplitV",
    "SQRT": "Sqrt",
    "SQUARE": "Square",
    "SQUARED_DIFFERENCE": "SquaredDifference",
    "SQUEEZE": "Squeeze",
    "STRIDED_SLICE": "StridedSlice",
    "SUB": "Sub",
    "SUM": "Sum",
    "SVDF": "Svdf",
    "TANH": "Tanh",
    "TRANSPOSE": "Transpose",
    "TRANSPOSE_CONV": "TransposeConv",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
    "UNPACK": "Unpack",
    "ZEROS_LIKE": "ZerosLike",
}
_CUSTOM: Mapping[str, str] = {
    NPU_OPERATOR: "EthosU",
    "CIRCULAR_BUFFER": "CircularBuffer",
    "TFLite_Detection_PostProcess": "DetectionPostprocess",
    "TFLM_DECODE": "Decode",
    # Of the library tflm_signal.
    "SignalDelay": "Delay",
    "SignalEnergy": "Energy",
    "SignalFftAutoScale": "FftAutoScale",
    "SignalFilterBank": "FilterBank",
    "SignalFilterBankLog": "FilterBankLog",
    "SignalFilterBankSpectralSubtraction": "FilterBankSpectralSubtraction",
    "SignalFilterBankSquareRoot": "FilterBankSquareRoot",
    "SignalFramer": "Framer",
    "SignalIrfft": "Irfft",
    "SignalOverlapAdd": "OverlapAdd",
    "SignalPCAN": "PCAN",
    "SignalRfft": "Rfft",
    "SignalStacker": "Stacker",
    "SignalWindow": "Window",
}
# Every method that a generated resolver may call.
ADD_METHODS = tuple(f"Add{method}" for method in (*_BUILTIN.values(), *_CUSTOM.values()))


@step(verb="GENERATE", packages=("ai-edge-litert",))
class GenerateOpResolver(Step):
    """Generate op_resolver.cc: the kernels of TensorFlow Lite Micro that one network uses.

    Attributes:
        network: the .tflite that the device runs.
        source: the network, as the file names it.
        output: the C++ source.
    """

    network: Input
    source: str
    output: Output

    def run(self) -> None:
        """Read the network's operators and write the C++ source."""
        try:
            text = op_resolver_source(read_tflite(self.network), self.source)
        except EthosmithError as error:
            raise EthosmithError(f"{self.source}: {error}") from None
        write_text(self.output, text)


def add_method(network: TfliteFile, operator: TfliteOperator) -> str:
    """Return the method of MicroMutableOpResolver that adds the operator's kernel.

    Raises:
        EthosmithError: TensorFlow Lite Micro has no kernel for it.
    """
    method = (_CUSTOM if operator.custom else _BUILTIN).get(operator.kind)
    if method is None:
        kind = f"the custom operator '{operator.kind}'" if operator.custom else operator.kind
        raise EthosmithError(
            f"TensorFlow Lite Micro cannot run {kind} at '{network.place_of(operator)}';"
            " change the network there"
        )
    return f"Add{method}"


def op_resolver_source(network: TfliteFile, source: str) -> str:
    """Return the C++ source that defines ``op_resolver`` of tflm/op_resolver.h.

    For a network that is on the NPU whole it defines nothing: the library tflm_interpreter has that
    resolver, and TFLM's headers take seconds to compile.

    Args:
        network: whose operators it is for.
        source: the network, as the file names it.

    Raises:
        EthosmithError: as in `add_method`.
    """
    methods = sorted({add_method(network, operator) for operator in network.operators})
    if methods == [f"Add{_CUSTOM[NPU_OPERATOR]}"]:
        return f"{notice(source)}// The resolver of firmware/tflm/npu_op_resolver.cc serves it.\n"
    calls = " ||\n        ".join(f"resolver->{method}() != kTfLiteOk" for method in methods)
    return f"""{notice(source)}#include "op_resolver.h"

const tflite::MicroOpResolver *op_resolver() {{
    static Place<tflite::MicroMutableOpResolver<{len(methods)}>> place;
    auto *resolver = new (place.bytes()) tflite::MicroMutableOpResolver<{len(methods)}>();
    if ({calls}) {{
        return nullptr;
    }}
    return resolver;
}}
"""
