# SPDX-License-Identifier: Apache-2.0
"""Train a Keras network while it is rounded as int8 will round it."""

from __future__ import annotations

from ethosmith.steps.step import Input, Inputs, Output, Step, step


@step(verb="QAT", packages=("keras", "numpy", "tensorflow"), isolated=True)
class TrainRoundedNetwork(Step):
    """Train a network on, its weights and activations rounded as int8 rounds them.

    Attributes:
        model: .h5 or .keras.
        keep_zeros: weights that are zero stay zero: the network was pruned.
        keep_values: the most int8 values that a layer's weights have: the network was clustered;
            0: any number.
        script: a Python file whose function ``fine_tune`` trains.
        script_files: what else the script reads: the modules beside it, and its data.
        epochs: of the training.
        seed: of the training.
        output: the .keras file, in float.
    """

    model: Input
    keep_zeros: bool = False
    keep_values: int = 0
    script: Input
    script_files: Inputs = ()
    epochs: int
    seed: int = 0
    output: Output

    def run(self) -> None:
        """Train and write."""
        from ethosmith.conditioning.making import Kept
        from ethosmith.conditioning.script import FineTuning
        from ethosmith.conditioning.stages import train_rounded

        kept = Kept(self.keep_zeros, self.keep_values)
        tuning = FineTuning(self.script, self.epochs, self.seed)
        train_rounded(self.model, self.output, kept, tuning)

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model, or the script."""
        from ethosmith.conditioning.fine_tuning import training_crashed

        return training_crashed(self.model, self.script, signal)
