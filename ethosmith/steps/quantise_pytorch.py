# SPDX-License-Identifier: Apache-2.0
"""Quantise an exported PyTorch network to integers, and lower it to TOSA for the NPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes, write_json
from ethosmith.steps.step import Input, Inputs, OptionalOutput, Output, Step, Unsigned, step


@step(
    verb="QUANTISE",
    packages=("executorch", "numpy", "torch", "torchao"),
    isolated=True,
    environment="pytorch",
)
class QuantisePytorch(Step):
    """Quantise an exported PyTorch network to integers (PT2E), and lower it to TOSA for the NPU.

    Attributes:
        model: what the user calls the network, for messages.
        exported: of the step export-pytorch.
        representative: raw float32 input tensors that calibrate the quantisation.
        random: ``seed``, ``count``, ``low`` and ``high`` of uniform random inputs instead.
        activations: ``int8``, or ``int16`` with weights of int8.
        label_count: values that the first output must have; 0: it has no labels.
        quantised: the graph with its quantise and dequantise operators, .pt2.
        tosa: the same as a TOSA flatbuffer with integers as inputs and outputs; none: operators may
            stay on the CPU.
        network: names, shapes and quantisation of those, JSON.
        offline: do not install the PyTorch environment.
    """

    model: str
    exported: Input
    representative: Inputs = ()
    random: Mapping[str, Any] | None = None
    activations: str = "int8"
    label_count: int = 0
    quantised: Output
    tosa: OptionalOutput = None
    network: Output
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Quantise and lower the network, and write what is asked for."""
        from ethosmith.pytorch.export import archived
        from ethosmith.pytorch.lower import lowered_network, partitioned_spec
        from ethosmith.pytorch.quantise import quantised_program
        from ethosmith.pytorch.source import input_shapes, load_program

        shown = Path(self.model)
        program = load_program(self.exported)
        quantised = quantised_program(
            shown, program, self._batches(input_shapes(program)), self.activations
        )
        lowered = None if self.tosa is None else lowered_network(shown, quantised)
        spec = lowered.spec if lowered else partitioned_spec(shown, quantised)
        count = spec.outputs[0].element_count
        if self.label_count not in {0, count}:
            raise EthosmithError(
                f"{shown}: its output has {count} values for {self.label_count} labels; give"
                " labels=FILE with one line per value"
            )
        write_bytes(self.quantised, archived(quantised))
        if lowered is not None and self.tosa is not None:
            write_bytes(self.tosa, lowered.tosa)
        write_json(self.network, spec.as_json())

    def _batches(self, shapes: Sequence[tuple[int, ...]]) -> Iterator[list[Any]]:
        """Yield the batches, each a list in the order of the inputs."""
        from ethosmith.models.calibration import RandomData, from_files, from_random
        from ethosmith.models.keras_model import GivenInput

        inputs = [GivenInput(str(index), shape) for index, shape in enumerate(shapes)]
        if self.random is not None:
            batches = from_random(RandomData(**self.random), inputs)()
        elif self.representative:
            batches = from_files(self.representative, inputs)()
        else:
            raise EthosmithError(
                f"{self.model}: quantising needs representative data: give the use case samples or"
                " 'representative: {seed: 0}'"
            )
        for batch in batches:
            yield list(batch.values()) if isinstance(batch, dict) else batch

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model."""
        return f"{self.model}: PyTorch crashed while it quantised it ({signal})"
