# SPDX-License-Identifier: Apache-2.0
"""Run one network on the NPU model and with LiteRT's reference kernels, and compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_micro.python.tflite_micro import runtime

from ethosmith.core.terminal import captured_output
from ethosu_model.checks import Checks
from ethosu_model.harness import HostRunner
from tests.support.npu_corpus.case import Case
from tests.support.npu_corpus.draw import Draw
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.network import Array, Network
from tests.support.npu_corpus.targets import Target, compile_for

INPUT_SETS = 3
_ARENA_BYTES = 16 << 20
# ELU has no kernel in LiteRT's reference set. SUM has one that lets int8 and int16 sums
# wrap around; the kernel that LiteRT runs by default saturates.
_DEFAULT_KERNELS = ("elu", "sum", "sum_large")

# What Vela makes never lacks a wait.
CHECKS = Checks(ordering=True)


@dataclass(frozen=True)
class Difference:
    """How far the NPU model is from LiteRT over all outputs and input sets.

    Attributes:
        elements: Elements compared.
        different: Elements that differ.
        largest: Largest absolute difference of an element.
    """

    elements: int
    different: int
    largest: int


class Reference:
    """LiteRT's interpreter with its reference kernels, one thread, for one network."""

    def __init__(self, network: bytes, *, reference_kernels: bool = True) -> None:
        resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        if reference_kernels:
            resolver = OpResolverType.BUILTIN_REF
        with captured_output():
            self._interpreter = Interpreter(
                model_content=network,
                num_threads=1,
                experimental_op_resolver_type=resolver,
            )
            self._interpreter.allocate_tensors()

    def input_details(self) -> list[dict[str, Any]]:
        return list(self._interpreter.get_input_details())

    def run(self, inputs: list[Array]) -> list[Array]:
        """Return the outputs for these inputs, in the network's order; variables start anew."""
        self._interpreter.reset_all_variables()
        for detail, values in zip(self.input_details(), inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], values)
        self._interpreter.invoke()
        return [
            np.array(self._interpreter.get_tensor(detail["index"]))
            for detail in self._interpreter.get_output_details()
        ]


class MicroReference:
    """TFLite Micro's interpreter for one network of one output."""

    def __init__(self, network: bytes) -> None:
        self._network = network

    def run(self, inputs: list[Array]) -> list[Array]:
        """Return the output for these inputs."""
        interpreter = runtime.Interpreter.from_bytes(self._network, arena_size=_ARENA_BYTES)
        for index, values in enumerate(inputs):
            interpreter.set_input(values, index)
        interpreter.invoke()
        return [np.array(interpreter.get_output(0))]


class Check:
    """One case, built and run by LiteRT once, to be compared on any number of targets."""

    def __init__(self, case: Case) -> None:
        self.case = case
        network = case.network()
        self.tflite = tflite_bytes(network)
        self._zero_points = {
            tensor.dtype.itemsize: tensor.quantisation.zero_point
            for tensor in network.tensors()
            if tensor.variable and tensor.quantisation is not None
        }
        self._inputs = [input_set(case, network, kind) for kind in range(INPUT_SETS)]
        reference = Reference(self.tflite, reference_kernels=case.operator not in _DEFAULT_KERNELS)
        self._wanted = [reference.run(values) for values in self._inputs]

    @cached_property
    def _wanted_by_tflm(self) -> list[list[Array]]:
        reference = MicroReference(self.tflite)
        return [reference.run(values) for values in self._inputs]

    def difference(self, target: Target, *, from_tflm: bool = False) -> Difference:
        """Compile for ``target``, run, and compare with LiteRT, or with TFLite Micro.

        Raises:
            NotOnNpu: Vela leaves an operator to the CPU.
            NpuJobError: The NPU model ended with an error.
        """
        model = compile_for(target, self.tflite)
        all_wanted = self._wanted_by_tflm if from_tflm else self._wanted
        pairs: list[tuple[Array, Array]] = []
        # The order does not depend on the values. What runs again is executed as it was resolved.
        checked, again = (
            HostRunner(model, target.config, checks=one) for one in (CHECKS, Checks())
        )
        runners = (checked, *[again] * (INPUT_SETS - 1))
        for runner, values, wanted in zip(runners, self._inputs, all_wanted, strict=True):
            runner.set_variables([self._zero_points[v.dtype.itemsize] for v in model.variables])
            pairs += zip(runner.run(values), wanted, strict=True)
        return compare(pairs)


def input_set(case: Case, network: Network, kind: int) -> list[Array]:
    """Return one array for each input of the network; see Draw.inputs for ``kind``."""
    draw = Draw(case.seed + 1 + kind)
    return [draw.inputs(tensor, kind) for tensor in network.inputs]


def compare(pairs: list[tuple[Array, Array]]) -> Difference:
    """Compare pairs of output and reference, whatever their shapes; the bytes must agree."""
    gaps = [
        np.abs(got.view(want.dtype).ravel().astype(np.int64) - want.ravel().astype(np.int64))
        for got, want in pairs
    ]
    apart = np.concatenate(gaps)
    return Difference(
        elements=apart.size,
        different=int(np.count_nonzero(apart)),
        largest=int(apart.max()) if apart.size else 0,
    )
