# SPDX-License-Identifier: Apache-2.0
"""What an ONNX file says, computed by ONNX Runtime: the oracle of what is converted.

onnx's own reference evaluator is none: version 1.23 computes BatchNormalization before opset 14,
Softmax before 13, LRN, MaxPool with uneven padding and several kinds of Resize differently from the
standard, and has no grouped ConvTranspose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import captured_output
from ethosmith.pytorch.places import first_line

Tensor = npt.NDArray[Any]
# "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find ..."
_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_FATAL = 4


def evaluated(path: Path, model: Any, given: Mapping[str, Tensor]) -> list[Tensor]:
    """Return the outputs of a model for its inputs by their names.

    Args:
        path: the file, for messages.
        model: an onnx.ModelProto.
        given: the inputs.

    Raises:
        EthosmithError: ONNX Runtime cannot run it.
    """
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    # Each operator as the file has it.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _FATAL
    try:
        with captured_output():
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            return list(session.run(None, dict(given)))
    except Exception as error:  # noqa: BLE001 its errors have no class of their own
        reason = _PREFIX.sub("", first_line(error))
        raise EthosmithError(f"{path}: ONNX Runtime cannot run it: {reason}") from None


def every_value(path: Path, model: Any, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the inputs and all results of a model's nodes, by their names; see `evaluated`."""
    import onnx  # noqa: PLC0415

    names = [name for node in model.graph.node for name in node.output if name]
    made = with_outputs(model, [onnx.ValueInfoProto(name=name) for name in names])
    found = zip(names, evaluated(path, made, given), strict=True)
    return {**given, **{name: one for name, one in found if isinstance(one, np.ndarray)}}


def with_outputs(model: Any, outputs: Sequence[Any]) -> Any:
    """Return a copy of a model with other outputs, of onnx.ValueInfoProto."""
    import onnx  # noqa: PLC0415

    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.output[:]
    made.graph.output.extend(outputs)
    return made
