# SPDX-License-Identifier: Apache-2.0
"""Set the smallest weights of a Keras network to zero."""

from __future__ import annotations

from ethosmith.steps.step import Input, Inputs, OptionalInput, Output, Step, step


@step(verb="PRUNE", packages=("keras", "numpy", "tensorflow"), isolated=True)
class PruneNetwork(Step):
    """Set the smallest weights of each dense and convolutional layer to zero.

    Attributes:
        model: .h5 or .keras.
        sparsity: the part of each layer's weights that is zero in the end.
        script: a Python file whose function ``fine_tune`` trains meanwhile; none: no training.
        script_files: what else the script reads: the modules beside it, and its data.
        epochs: of the training.
        seed: of the training.
        output: the .keras file.
    """

    model: Input
    sparsity: float
    script: OptionalInput = None
    script_files: Inputs = ()
    epochs: int = 0
    seed: int = 0
    output: Output

    def run(self) -> None:
        """Prune, train and write."""
        from ethosmith.conditioning.script import FineTuning
        from ethosmith.conditioning.stages import prune

        tuning = FineTuning(self.script, self.epochs, self.seed) if self.script else None
        prune(self.model, self.output, self.sparsity, tuning)

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model, or the script."""
        from ethosmith.conditioning.fine_tuning import training_crashed

        return training_crashed(self.model, self.script, signal)
