# SPDX-License-Identifier: Apache-2.0
"""Run a network on this machine, one window's raw tensors at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes
from ethosmith.models.int8_check import check_int8, float_spec, load_interpreter
from ethosmith.models.tensor_spec import NetworkSpec
from ethosmith.models.tflite_file import is_stateful, parse_model
from ethosmith.verify.oracles import REFERENCE, LiteRt, Oracle, oracle_of


class HostNetwork:
    """A network and the interpreter that runs it.

    Attributes:
        specs: its inputs and outputs.
        oracle: the interpreter.
    """

    def __init__(self, oracle: Oracle, specs: NetworkSpec, reset_state: str) -> None:
        self.oracle = oracle
        self.specs = specs
        self._reset_state = reset_state

    @classmethod
    def int8(cls, path: Path, reset_state: str = "sample") -> HostNetwork:
        """Return the int8 network of ``path``, which rounds as the NPU does.

        Args:
            path: the .tflite.
            reset_state: the descriptor's ``model.reset_state``; each call of `run` is a sample.

        Raises:
            EthosmithError: as `check_int8` and `oracle_of`.
        """
        specs = check_int8(path)
        return cls(
            oracle_of(read_bytes(path, limit_bytes=MAX_MODEL_BYTES), str(path)), specs, reset_state
        )

    @classmethod
    def floating(cls, path: Path, reset_state: str = "sample") -> HostNetwork:
        """Return the float network of ``path``.

        Raises:
            EthosmithError: as `load_interpreter`, or an input or output has no fixed shape.
        """
        specs = float_spec(path)
        stateful = is_stateful(
            parse_model(read_bytes(path, limit_bytes=MAX_MODEL_BYTES), str(path))
        )
        oracle = LiteRt(REFERENCE, lambda: load_interpreter(path), stateful=stateful)
        return cls(oracle, specs, reset_state)

    def run(self, raw: bytes) -> list[bytes]:
        """Return the raw bytes of the outputs of each window, one window after another.

        Args:
            raw: those of the inputs: of the first window, then of the second, and so on.
        """
        size_bytes = sum(spec.size_bytes for spec in self.specs.inputs)
        windows = (raw[at : at + size_bytes] for at in range(0, len(raw), size_bytes))
        if self._reset_state == "sample":
            self.oracle.reset()
        return [output for window in windows for output in self._outputs(window)]

    def _outputs(self, raw: bytes) -> list[bytes]:
        if self._reset_state == "inference":
            self.oracle.reset()
        inputs = []
        for spec in self.specs.inputs:
            tensor = np.frombuffer(raw, np.dtype(spec.dtype), spec.element_count)
            inputs.append(tensor.reshape(spec.shape))
            raw = raw[tensor.nbytes :]
        return [output.tobytes() for output in self.oracle.run(inputs)]
