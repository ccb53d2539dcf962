# SPDX-License-Identifier: Apache-2.0
"""Lower PyTorch's quantised graph to TOSA for the NPU."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes, write_json
from ethosmith.steps.step import Input, OptionalOutput, Output, Step, Unsigned, step


@step(
    verb="LOWER",
    packages=("executorch", "torch"),
    isolated=True,
    environment="pytorch",
)
class LowerPytorch(Step):
    """Lower PyTorch's quantised graph to TOSA for the NPU, and say what it takes and returns.

    Attributes:
        model: what the user calls the network, for messages.
        quantised: PyTorch's quantised graph, of the step quantise-pytorch.
        label_count: values that the first output must have; 0: it has no labels.
        tosa: the whole graph as a TOSA flatbuffer with integers as inputs and outputs; none:
            operators may stay on the CPU.
        network: names, shapes and quantisation of inputs and outputs, and where in the user's
            source convolutions are, JSON.
        offline: do not install the PyTorch environment.
    """

    model: str
    quantised: Input
    label_count: int = 0
    tosa: OptionalOutput = None
    network: Output
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Lower the graph and write what is asked for.

        Raises:
            EthosmithError: an operator cannot be lowered or, with ``tosa``, stays on the CPU; or
                the labels do not fit.
        """
        from ethosmith.pytorch.lower import lowered_network, partitioned_spec
        from ethosmith.pytorch.partition import convolution_places
        from ethosmith.pytorch.source import load_program

        shown, quantised = Path(self.model), load_program(self.quantised)
        lowered = None if self.tosa is None else lowered_network(shown, quantised)
        spec = lowered.spec if lowered else partitioned_spec(shown, quantised)
        count = spec.outputs[0].element_count
        if self.label_count not in {0, count}:
            raise EthosmithError(
                f"{shown}: its output has {count} values for {self.label_count} labels; give"
                " labels=FILE with one line per value"
            )
        if lowered is not None and self.tosa is not None:
            write_bytes(self.tosa, lowered.tosa)
        places = convolution_places(quantised)
        write_json(self.network, {**spec.as_json(), "convolutions": places})

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model."""
        return f"{self.model}: ExecuTorch crashed while it lowered it to TOSA ({signal})"
