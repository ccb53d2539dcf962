# SPDX-License-Identifier: Apache-2.0
"""Let each layer of a Keras network have few different weights."""

from __future__ import annotations

from ethosmith.steps.step import Input, Inputs, OptionalInput, Output, Step, step


@step(verb="CLUSTER", packages=("keras", "numpy", "tensorflow"), isolated=True)
class ClusterNetwork(Step):
    """Let the weights of each dense and convolutional layer have few int8 values.

    Attributes:
        model: .h5 or .keras.
        values: the most values that a layer's weights have in the int8 network.
        keep_zeros: weights that are zero stay zero: the network was pruned.
        script: a Python file whose function ``fine_tune`` trains meanwhile; none: no training.
        script_files: what else the script reads: the modules beside it, and its data.
        epochs: of the training.
        seed: of the training.
        output: the .keras file.
    """

    model: Input
    values: int
    keep_zeros: bool = False
    script: OptionalInput = None
    script_files: Inputs = ()
    epochs: int = 0
    seed: int = 0
    output: Output

    def run(self) -> None:
        """Cluster, train and write."""
        from ethosmith.conditioning.making import Kept
        from ethosmith.conditioning.script import FineTuning
        from ethosmith.conditioning.stages import cluster

        tuning = FineTuning(self.script, self.epochs, self.seed) if self.script else None
        cluster(self.model, self.output, self.values, Kept(self.keep_zeros), tuning)

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model, or the script."""
        from ethosmith.conditioning.fine_tuning import training_crashed

        return training_crashed(self.model, self.script, signal)
