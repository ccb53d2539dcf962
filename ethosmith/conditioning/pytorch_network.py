# SPDX-License-Identifier: Apache-2.0
"""A PyTorch network as `ethosmith.conditioning.stages` takes it.

What is held is held behind each step of an optimiser, by torch's own hook for that, so a training
loop of whichever form does not have to know of it.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.conditioning import stages
from ethosmith.conditioning.holds import HeldTraining
from ethosmith.conditioning.pytorch_rounding import rounded_twin
from ethosmith.conditioning.stages import FUNCTION, FineTuning, Kept
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes
from ethosmith.pytorch.source import ModelSource, built_module

Array = npt.NDArray[Any]
_SIGNATURE = f"{FUNCTION}(network, *, epochs, seed, begin_epoch)"


@dataclass(frozen=True)
class Kernel:
    """The weights of one module.

    Attributes:
        parameter: torch's; float32.
        channels: the axes of its output channels; negative.
        is_depthwise: it has few weights, and a network misses each of them.
    """

    parameter: Any
    channels: tuple[int, ...]
    is_depthwise: bool = False

    @property
    def values(self) -> Array:
        """The weights, a copy."""
        return np.array(self.parameter.detach().numpy())

    def assign(self, values: Array) -> None:
        """Give the module other weights."""
        import torch  # noqa: PLC0415 takes seconds

        with torch.no_grad():
            self.parameter.copy_(torch.from_numpy(np.asarray(values, np.float32)))


@dataclass(frozen=True)
class PytorchNetwork:
    """A PyTorch network.

    Attributes:
        path: where it came from.
        module: the torch.nn.Module whose weights change.
        trained: what the script gets: the module, or a twin of it that shares its weights.
    """

    path: Path
    module: Any
    trained: Any

    def weights(self) -> list[Kernel]:
        """Return the weights of all modules that have any; EthosmithError if they are computed."""
        found = {id(one.parameter): one for one in _kernels(self.path, self.module)}
        return list(found.values())

    def fine_tune(self, tuning: FineTuning, held: HeldTraining) -> None:
        """Train it in place.

        Raises:
            EthosmithError: the script fails, with its line; has no such function; or did not
                train the network.
        """
        function = tuning.function(_SIGNATURE)
        _make_repeatable(tuning.seed)
        epochs: list[int] = []

        def begin_epoch(epoch: int) -> None:
            epochs.append(epoch)
            held.unround()
            held.begin_epoch(epoch)
            held.begin_batch()

        self.trained.train()
        hook = _after_steps(self.module, held)
        try:
            tuning.called(
                lambda: function(
                    self.trained, epochs=tuning.epochs, seed=tuning.seed, begin_epoch=begin_epoch
                )
            )
        finally:
            hook.remove()
        held.unround()
        self.module.eval()
        _check_trained(tuning, epochs, held.batches)


def _make_repeatable(seed: int) -> None:
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


def _after_steps(module: Any, held: HeldTraining) -> Any:
    """Have torch call ``held`` behind each step of an optimiser of ``module``; removable."""
    from torch.optim.optimizer import register_optimizer_step_post_hook  # noqa: PLC0415

    own = {id(one) for one in module.parameters()}

    def after(optimiser: Any, *unused: Any) -> None:
        del unused
        given = {id(one) for group in optimiser.param_groups for one in group["params"]}
        if given & own:
            held.end_batch()
            held.begin_batch()

    return register_optimizer_step_post_hook(after)


def _check_trained(tuning: FineTuning, epochs: list[int], batches: int) -> None:
    if not batches:
        raise EthosmithError(
            f"{tuning.script}: {FUNCTION}() did not train the network: it has to take steps of a"
            " torch.optim optimiser of network.parameters()"
        )
    if not epochs:
        raise EthosmithError(
            f"{tuning.script}: {FUNCTION}() did not call begin_epoch(epoch) at the start of each"
            " epoch, counted from 0"
        )


def _kernels(path: Path, module: Any) -> Iterator[Kernel]:
    import torch  # noqa: PLC0415

    nn = torch.nn
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    for name, one in module.named_modules():
        if not isinstance(one, (nn.Linear, *convolutions, *transposed)):
            continue
        if not isinstance(one._parameters.get("weight"), nn.Parameter):
            raise EthosmithError(
                f"{path}: the weights of '{name}' are computed from others (weight_norm, or another"
                " parametrisation), and 'optimise' changes weights themselves: remove it there"
            )
        dimensions = one.weight.ndim
        if isinstance(one, transposed):
            yield Kernel(one.weight, (1 - dimensions,))
        else:
            groups = getattr(one, "groups", 1)
            depthwise = groups > 1 and groups == getattr(one, "in_channels", 0)
            yield Kernel(one.weight, (-dimensions,), depthwise)


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
