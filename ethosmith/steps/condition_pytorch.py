# SPDX-License-Identifier: Apache-2.0
"""Condition a PyTorch network: prune it, cluster it, or train it for int8."""

from __future__ import annotations

from pathlib import Path

from ethosmith.steps.step import Inputs, OptionalInput, Output, Step, Unsigned, step


@step(
    verb="CONDITION",
    packages=("numpy", "torch", "torchao"),
    owns_terminal=True,
    isolated=True,
    environment="pytorch",
)
class ConditionPytorch(Step):
    """Condition a PyTorch network: prune it, cluster it, or train it for int8.

    Attributes:
        model: a Python file that builds the network.
        model_files: that file, and the modules beside it that it imports.
        builder: the function of the Python file that returns a torch.nn.Module.
        weights: the state_dict before; none: as it was built.
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
        output: the state_dict after, in float.
        offline: do not install the PyTorch environment.
    """

    model: Path
    model_files: Inputs
    builder: str = "build"
    weights: OptionalInput = None
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
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Condition the network and write its weights.

        Raises:
            EthosmithError: it cannot be built, has nothing to condition, or the training fails.
        """
        from ethosmith.conditioning import pytorch_network
        from ethosmith.conditioning.stages import FineTuning, Kept, condition
        from ethosmith.pytorch.source import ModelSource

        model = ModelSource(self.model, self.builder, self.weights)
        condition(
            pytorch_network,
            model,
            self.output,
            self.stage,
            sparsity=self.sparsity,
            values=self.values,
            kept=Kept(self.keep_zeros, self.keep_values),
            tuning=FineTuning(self.script, self.epochs, self.seed) if self.script else None,
        )

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model, or the script."""
        return f"{self.script or self.model}: {signal} ended the conditioning of {self.model}"

    @property
    def title(self) -> str:
        """The weights that are made."""
        return self.output.stem
