# SPDX-License-Identifier: Apache-2.0
"""Answer an evaluation set on this machine: a network on LiteRT, between the use case's own C++.

Float and int8 network get their inputs from the host program, as float32 or as int8, and give it
their outputs: the networks' arithmetic is all that differs.
"""

from __future__ import annotations

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import without_missing
from ethosmith.steps.step import Input, Output, Step, step


@step(
    verb="ANSWER",
    packages=("ai-edge-litert", "flatbuffers", "numpy", "tflite-micro"),
    distributable=True,
)
class AnswerOnHost(Step):
    """Answer an evaluation set on this machine, with a float or int8 network on LiteRT.

    Attributes:
        kind: ``float`` or ``int8``.
        network: the .tflite of that kind.
        program: the use case's host program, for pre- and post-processing.
        evaluation_set: of the step collect-evaluation-set.
        reset_state: the descriptor's ``model.reset_state``.
        output: the answers, JSON.
    """

    kind: str
    network: Input
    program: Input
    evaluation_set: Input
    reset_state: str = "sample"
    output: Output

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions it computes with; one of them does not exist for every machine."""
        return without_missing(self.traits.packages)

    def rounds(self) -> bool:
        """Say whether a float network answers; of int8 ones, reference kernels are exact."""
        return self.kind == "float"

    def run(self) -> None:
        """Run every item through the network and write the answers."""
        from ethosmith.accuracy.host_answers import host_answers
        from ethosmith.accuracy.set_file import items_of_set, write_answers
        from ethosmith.verify.host_network import HostNetwork

        kinds = {"float": HostNetwork.floating, "int8": HostNetwork.int8}
        if self.kind not in kinds:
            raise EthosmithError(f"a network is of kind {' or '.join(kinds)}, not '{self.kind}'")
        network = kinds[self.kind](self.network, self.reset_state)
        answers = host_answers(network, self.program, items_of_set(self.evaluation_set))
        write_answers(self.output, answers)
