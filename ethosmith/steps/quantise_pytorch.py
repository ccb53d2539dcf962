# SPDX-License-Identifier: Apache-2.0
"""Quantise an exported PyTorch network to integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes
from ethosmith.steps.step import Input, Inputs, Output, Step, Unsigned, step


@step(
    verb="QUANTISE",
    packages=("executorch", "numpy", "torch", "torchao"),
    isolated=True,
    environment="pytorch",
)
class QuantisePytorch(Step):
    """Quantise an exported PyTorch network to integers (PT2E).

    Attributes:
        model: what the user calls the network, for messages.
        exported: of the step export-pytorch.
        representative: raw float32 input tensors that calibrate the quantisation.
        random: ``seed``, ``count``, ``low`` and ``high`` of uniform random inputs instead.
        activations: ``int8``, or ``int16`` with weights of int8.
        quantised: the graph with its quantise and dequantise operators, .pt2; every runtime's
            program is made from it.
        offline: do not install the PyTorch environment.
    """

    model: str
    exported: Input
    representative: Inputs = ()
    random: Mapping[str, Any] | None = None
    activations: str = "int8"
    quantised: Output
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Quantise the network and write its graph.

        Raises:
            EthosmithError: an operator has no such form, or there is nothing to calibrate with.
        """
        from ethosmith.pytorch.archive import archived
        from ethosmith.pytorch.quantise import quantised_program
        from ethosmith.pytorch.source import input_shapes, load_program

        program = load_program(self.exported)
        batches = self._batches(input_shapes(program))
        quantised = quantised_program(Path(self.model), program, batches, self.activations)
        write_bytes(self.quantised, archived(quantised))

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
