# SPDX-License-Identifier: Apache-2.0
"""The oracle: LiteRT's reference kernels on the raw bytes of a network's inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def litert(network: bytes, data: bytes) -> list[str]:
    """Return the outputs of LiteRT's reference kernels, as hexadecimal digits."""
    interpreter = Interpreter(
        model_content=network, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    for detail, values in zip(
        interpreter.get_input_details(), _split(interpreter, data), strict=True
    ):
        interpreter.set_tensor(detail["index"], values)
    interpreter.invoke()
    details = interpreter.get_output_details()
    return [interpreter.get_tensor(detail["index"]).tobytes().hex() for detail in details]


def _split(interpreter: Interpreter, data: bytes) -> Iterator[np.ndarray[Any, Any]]:
    for detail in interpreter.get_input_details():
        count = int(np.prod(detail["shape"]))
        yield np.frombuffer(data[:count], np.int8).reshape(detail["shape"])
        data = data[count:]
    assert not data
