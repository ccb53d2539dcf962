# SPDX-License-Identifier: Apache-2.0
"""Answer an evaluation set on this machine with a PyTorch network, float or int8."""

from __future__ import annotations

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.step import Input, OptionalInput, Output, Step, Unsigned, step


@step(
    verb="ANSWER",
    packages=("executorch", "numpy", "torch", "tosa-tools"),
    isolated=True,
    environment="pytorch",
)
class AnswerPytorch(Step):
    """Answer an evaluation set on this machine, with a float or int8 PyTorch network.

    The float network is computed by PyTorch, the int8 one by TOSA's reference model. Both get their
    inputs from the host program, and give it their outputs.

    Attributes:
        exported: the float network, of the step export-pytorch; none: the int8 one answers.
        quantised: PyTorch's int8 graph, of the step quantise-pytorch.
        tosa: the same as TOSA.
        network: its inputs and outputs, of the step lower-pytorch.
        program: the use case's host program, for pre- and post-processing.
        evaluation_set: of the step collect-evaluation-set.
        output: the answers, JSON.
        offline: do not install the PyTorch environment.
    """

    exported: OptionalInput = None
    quantised: OptionalInput = None
    tosa: OptionalInput = None
    network: OptionalInput = None
    program: Input
    evaluation_set: Input
    output: Output
    offline: Unsigned[bool] = False

    def rounds(self) -> bool:
        """Say whether the float network answers; TOSA's reference model is exact."""
        return self.exported is not None

    def run(self) -> None:
        """Run every item through the network and write the answers."""
        from ethosmith.accuracy.host_answers import host_answers
        from ethosmith.accuracy.set_file import items_of_set, write_answers
        from ethosmith.pytorch.reference import FloatNetwork, TosaNetwork

        network: FloatNetwork | TosaNetwork
        if self.exported is not None:
            network = FloatNetwork.of_file(self.exported)
        elif self.quantised is not None and self.network is not None:
            network = TosaNetwork.of_files(self.tosa, self.network, self.quantised)
        else:
            raise EthosmithError("answer-pytorch needs a float or an int8 network")
        answers = host_answers(network, self.program, items_of_set(self.evaluation_set))
        write_answers(self.output, answers)
