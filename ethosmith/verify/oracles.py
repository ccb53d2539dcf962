# SPDX-License-Identifier: Apache-2.0
"""The interpreters on this machine that a device is compared with, and the order they are asked in.

LiteRT's reference kernels come first; an operator that they lack runs on its default kernels. Next
comes TensorFlow Lite Micro. The first that has every operator of the network is the oracle, and
results say which one it was. Where Vela and TensorFlow Lite Micro are known to round alike and
LiteRT otherwise (docs/npu-exactness.md), TensorFlow Lite Micro comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import captured_output
from ethosmith.models.int8_check import interpreter_of, verify_tflite
from ethosmith.models.tflite_file import is_stateful, operator_kinds, parse_model
from ethosmith.verify.reference import WRAPPING, missing_operator, reference_network, segments_of

Array = npt.NDArray[Any]
LITERT = "LiteRT"
REFERENCE = "LiteRT's reference kernels"
DEFAULT = "its default kernels"
MICRO = "TensorFlow Lite Micro"

_MAX_ARENA_BYTES = 256 << 20
_MIN_ARENA_BYTES = 1 << 20
# Operators that LiteRT rounds otherwise than Vela and TensorFlow Lite Micro.
_AS_MICRO = frozenset({"UNIDIRECTIONAL_SEQUENCE_LSTM"})


class NoOracleError(EthosmithError):
    """No interpreter on this machine runs the network: a device can run it, and not be compared."""


class Oracle(Protocol):
    """An interpreter that runs one network."""

    name: str

    def reset(self) -> None:
        """Give the network's variables their first values again."""

    def run(self, inputs: list[Array]) -> list[Array]:
        """Return the outputs for one set of inputs, both in the network's order."""


class LiteRt:
    """A network on LiteRT, with one thread; see `Oracle`."""

    def __init__(self, name: str, build: Callable[[], Any], *, stateful: bool) -> None:
        """Build the interpreter.

        Args:
            name: which kernels they are.
            build: returns a new interpreter.
            stateful: whether a run depends on those before it.
        """
        self.name = name
        self._build = build
        self._stateful = stateful
        self._interpreter = build()

    def reset(self) -> None:
        """Build the interpreter again: it resets variables, but no resources."""
        if self._stateful:
            self._interpreter = self._build()

    def run(self, inputs: list[Array]) -> list[Array]:
        """As of `Oracle`."""
        interpreter = self._interpreter
        for detail, values in zip(interpreter.get_input_details(), inputs, strict=True):
            interpreter.set_tensor(detail["index"], values)
        interpreter.invoke()
        details = interpreter.get_output_details()
        return [np.array(interpreter.get_tensor(detail["index"])) for detail in details]


class Segmented:
    """A network on LiteRT whose parts run on the kernels that suit them; see `Oracle`."""

    def __init__(self, content: bytes, shown: str, default_kinds: frozenset[str]) -> None:
        """Cut the network and build the interpreters.

        Raises:
            EthosmithError: LiteRT's default kernels lack an operator too.
        """
        graph = parse_model(content, shown).subgraphs[0]
        self.name = f"{REFERENCE} ({', '.join(sorted(default_kinds))}: {DEFAULT})"
        self._inputs = [int(index) for index in graph.inputs]
        self._outputs = [int(index) for index in graph.outputs]
        self._segments = [
            (one, _litert(one.content, shown, reference=one.reference_kernels))
            for one in segments_of(content, shown, default_kinds)
        ]

    def reset(self) -> None:
        """Do nothing: networks with variables are not cut."""

    def run(self, inputs: list[Array]) -> list[Array]:
        """As of `Oracle`."""
        values = dict(zip(self._inputs, inputs, strict=True))
        for segment, oracle in self._segments:
            made = oracle.run([values[index] for index in segment.inputs])
            values.update(zip(segment.outputs, made, strict=True))
        return [values[index] for index in self._outputs]


def _litert(content: bytes, shown: str, *, reference: bool, stateful: bool = False) -> LiteRt:
    return LiteRt(
        REFERENCE if reference else DEFAULT,
        lambda: interpreter_of(content, shown, reference_kernels=reference),
        stateful=stateful,
    )


def _on_litert(content: bytes, shown: str, *, stateful: bool) -> Oracle:
    """Return the network on reference kernels, but for the operators that they lack.

    Raises:
        EthosmithError: LiteRT lacks an operator altogether.
    """
    rounded = reference_network(content)
    model = parse_model(rounded, shown)
    several = stateful or len(model.subgraphs) > 1
    if several:
        return _litert(rounded, shown, reference=True, stateful=stateful)
    default_kinds = operator_kinds(model) & WRAPPING
    while True:
        try:
            if default_kinds:
                return Segmented(rounded, shown, default_kinds)
            return _litert(rounded, shown, reference=True)
        except EthosmithError as error:
            missing = missing_operator(str(error))
            if missing is None or missing in default_kinds:
                raise
            default_kinds |= {missing}


class Micro:
    """A network on TensorFlow Lite Micro; see `Oracle`."""

    name = MICRO

    def __init__(self, content: bytes, shown: str, *, outputs: int, stateful: bool) -> None:
        """Build the interpreter.

        Raises:
            EthosmithError: the package tflite-micro is not installed, or refuses the network.
        """
        try:
            from tflite_micro.python.tflite_micro import runtime  # noqa: PLC0415 slow
        except ImportError:
            raise EthosmithError(
                f"{shown}: the Python package tflite-micro is not installed"
            ) from None
        self._runtime = runtime
        self._content = content
        self._shown = shown
        self._outputs = outputs
        self._stateful = stateful
        self._interpreter = self._built()

    def _built(self) -> Any:
        arena = min(_MAX_ARENA_BYTES, max(_MIN_ARENA_BYTES, 100 * len(self._content)))
        with captured_output() as said:
            failure = None
            try:
                return self._runtime.Interpreter.from_bytes(self._content, arena_size=arena)
            except (RuntimeError, ValueError) as error:
                failure = error
            lines = [line.strip() for line in str(said()).splitlines() if line.strip()]
        reason = lines[0] if lines else failure
        raise EthosmithError(f"{self._shown}: TensorFlow Lite Micro refuses it: {reason}")

    def reset(self) -> None:
        """Build the interpreter again."""
        if self._stateful:
            self._interpreter = self._built()

    def run(self, inputs: list[Array]) -> list[Array]:
        """As of `Oracle`."""
        for index, values in enumerate(inputs):
            self._interpreter.set_input(values, index)
        self._interpreter.invoke()
        return [np.array(self._interpreter.get_output(index)) for index in range(self._outputs)]


def oracle_of(content: bytes, shown: str) -> Oracle:
    """Return the first interpreter that runs the quantised network ``content``.

    Raises:
        NoOracleError: none does; with the reason of each.
    """
    model = verify_tflite(content, shown)
    kinds, stateful = operator_kinds(model), is_stateful(model)
    outputs = len(model.subgraphs[0].outputs)
    asked: Mapping[str, Callable[[], Oracle]] = {
        LITERT: lambda: _on_litert(content, shown, stateful=stateful),
        MICRO: lambda: Micro(content, shown, outputs=outputs, stateful=stateful),
    }
    order = (MICRO, LITERT) if kinds & _AS_MICRO else (LITERT, MICRO)
    reasons = []
    for name in order:
        try:
            return asked[name]()
        except EthosmithError as error:
            reasons.append(f"{name}: {str(error).removeprefix(f'{shown}: ')}")
    raise NoOracleError(f"{shown}: nothing on this machine runs it: {'; '.join(reasons)}")
