# SPDX-License-Identifier: Apache-2.0
"""Condition a Keras network: prune it, cluster it, or train it for int8."""

from __future__ import annotations

from ethosmith.steps.step import TENSORFLOW, Input, Inputs, OptionalInput, Output, Step, step


@step(verb="CONDITION", packages=("keras", "numpy", "tensorflow"), isolated=True)
class ConditionKeras(Step):
    """Condition a Keras network: prune it, cluster it, or train it for int8.

    Attributes:
        model: .h5 or .keras.
        stage: ``prune``, ``cluster`` or ``quantisation_aware``.
        sparsity: of ``prune``: the part of each layer's weights that is zero in the end.
        values: of ``cluster``: the most int8 values that a layer's weights have.
        keep_zeros: weights that are zero stay zero: the network was pruned.
        keep_values: of ``quantisation_aware``: the most int8 values that a layer's weights have:
            the network was clustered; 0: any number.
        script: a Python file whose function ``fine_tune`` trains meanwhile; none: no training.
        script_files: what else the script reads: the modules beside it, and its data.
        epochs: of the training.
        seed: of the training.
        output: the .keras file, in float.
    """

    model: Input
    stage: str
    sparsity: float = 0.0
    values: int = 0
    keep_zeros: bool = False
    keep_values: int = 0
    script: OptionalInput = None
    script_files: Inputs = ()
    epochs: int = 0
    seed: int = 0
    output: Output

    @property
    def server(self) -> str:
        """The fork server that has imported TensorFlow."""
        return TENSORFLOW

    def run(self) -> None:
        """Condition the network and write it.

        Raises:
            EthosmithError: it cannot be read, has nothing to condition, or the training fails.
        """
        from ethosmith.conditioning import keras_network
        from ethosmith.conditioning.stages import FineTuning, Kept, condition

        condition(
            keras_network,
            self.model,
            self.output,
            self.stage,
            sparsity=self.sparsity,
            values=self.values,
            kept=Kept(self.keep_zeros, self.keep_values),
            tuning=FineTuning(self.script, self.epochs, self.seed) if self.script else None,
        )

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model, or the script."""
        from ethosmith.conditioning.keras_network import training_crashed

        return training_crashed(self.model, self.script, signal)
