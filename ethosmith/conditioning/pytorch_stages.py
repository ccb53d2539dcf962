# SPDX-License-Identifier: Apache-2.0
"""The stages of conditioning of PyTorch: each reads a network and writes a state_dict of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from ethosmith.conditioning import stages
from ethosmith.conditioning.pytorch_network import PytorchNetwork
from ethosmith.conditioning.pytorch_rounding import rounded_twin
from ethosmith.conditioning.script import FineTuning
from ethosmith.conditioning.stages import Kept
from ethosmith.core.files import write_bytes
from ethosmith.pytorch.source import ModelSource, built_module


def prune(model: ModelSource, output: Path, sparsity: float, tuning: FineTuning | None) -> None:
    """Prune a network; see `stages.prune`.

    Args:
        model: a Python file.
        output: the state_dict to write.
        sparsity: as there.
        tuning: as there.

    Raises:
        EthosmithError: as there, or the network cannot be built.
    """
    _staged(model, output, lambda network: stages.prune(network, sparsity, tuning))


def cluster(
    model: ModelSource, output: Path, values: int, kept: Kept, tuning: FineTuning | None
) -> None:
    """Cluster a network; see `stages.cluster`, for files and errors `prune`."""
    _staged(model, output, lambda network: stages.cluster(network, values, kept, tuning))


def train_rounded(model: ModelSource, output: Path, kept: Kept, tuning: FineTuning) -> None:
    """Train a network while its weights and activations are rounded as int8 rounds them.

    Args:
        model: a Python file.
        output: the state_dict to write: the trained weights, as float.
        kept: of earlier stages.
        tuning: how it is trained.

    Raises:
        EthosmithError: as `prune`, or its forward() is not one graph.
    """

    def stage(network: PytorchNetwork) -> None:
        twin = rounded_twin(model.path, network.module)
        stages.train_rounded(PytorchNetwork(model.path, network.module, twin), kept, tuning)

    _staged(model, output, stage)


def _staged(model: ModelSource, output: Path, stage: Callable[[PytorchNetwork], None]) -> None:
    import torch  # noqa: PLC0415 takes seconds

    module = built_module(model)
    stage(PytorchNetwork(model.path, module, module))
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    write_bytes(output, buffer.getvalue())
