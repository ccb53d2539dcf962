# SPDX-License-Identifier: Apache-2.0
"""Run a network on the host's reference kernels, one window's raw tensors at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ethosmith.models.int8_check import (
    check_int8,
    interpreter_of,
    load_interpreter,
    network_spec,
)
from ethosmith.models.tensor_spec import NetworkSpec
from ethosmith.verify.reference import reference_network


class HostNetwork:
    """A network on LiteRT, with reference kernels and one thread.

    Attributes:
        specs: its inputs and outputs.
    """

    def __init__(self, interpreter: Any, specs: NetworkSpec) -> None:
        self._interpreter = interpreter
        self.specs = specs

    @classmethod
    def int8(cls, path: Path) -> HostNetwork:
        """Return the int8 network of ``path``, which rounds as the NPU does.

        Raises:
            EthosmithError: as `check_int8`.
        """
        specs = check_int8(path)
        return cls(interpreter_of(reference_network(path.read_bytes()), str(path)), specs)

    @classmethod
    def floating(cls, path: Path) -> HostNetwork:
        """Return the float network of ``path``.

        Raises:
            EthosmithError: as `load_interpreter`, or an input or output has no fixed shape.
        """
        interpreter = load_interpreter(path)
        return cls(interpreter, network_spec(interpreter, str(path)))

    def run(self, raw: bytes) -> list[bytes]:
        """Return the raw bytes of the outputs of each window, one window after another.

        Args:
            raw: those of the inputs: of the first window, then of the second, and so on.
        """
        size_bytes = sum(spec.size_bytes for spec in self.specs.inputs)
        windows = (raw[at : at + size_bytes] for at in range(0, len(raw), size_bytes))
        return [output for window in windows for output in self._outputs(window)]

    def _outputs(self, raw: bytes) -> list[bytes]:
        interpreter = self._interpreter
        for detail, spec in zip(interpreter.get_input_details(), self.specs.inputs, strict=True):
            tensor = np.frombuffer(raw, np.dtype(spec.dtype), spec.element_count)
            interpreter.set_tensor(detail["index"], tensor.reshape(spec.shape))
            raw = raw[tensor.nbytes :]
        interpreter.invoke()
        details = interpreter.get_output_details()
        return [interpreter.get_tensor(detail["index"]).tobytes() for detail in details]
