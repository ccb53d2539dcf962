# SPDX-License-Identifier: Apache-2.0
"""A twin of a PyTorch network whose activations are rounded as int8 while it is trained.

The twin is torch.fx's graph of the network, with torchao's fake quantisation behind its operators;
both have the same modules, and so the same weights. torchao's own flow (`prepare_qat_pt2e`) needs
an exported program, and Arm's quantizer rewrites that for one batch size, which no training keeps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.places import first_line, place_of_error

# What becomes one operator with the one before it.
_FUSED = frozenset({"batchnorm", "batchnorm1d", "batchnorm2d", "batchnorm3d", "relu", "relu6"})
# Their outputs are values of their inputs, or no tensors.
_MOVING = frozenset(
    {"chunk", "clone", "contiguous", "detach", "dim", "expand", "flatten", "getattr", "getitem"}
    | {"dropout", "dropout1d", "dropout2d", "dropout3d", "identity", "movedim", "permute"}
    | {"maxpool1d", "maxpool2d", "maxpool3d", "reshape", "shape", "size", "split", "squeeze"}
    | {"transpose", "unflatten", "unsqueeze", "view"}
)
# How fast a range follows the batches.
_FOLLOWS = 0.1


def rounded_twin(path: Path, module: Any) -> Any:
    """Return a module that computes as ``module``, rounds activations, and shares its weights.

    Raises:
        EthosmithError: the forward() of the network at ``path`` is not one graph.
    """
    import torch  # noqa: PLC0415 takes seconds

    module.train()
    try:
        traced = torch.fx.symbolic_trace(module)
    except Exception as error:  # noqa: BLE001 the user's forward() and torch raise what they like
        place = place_of_error(error) or path
        raise EthosmithError(
            f"{place}: quantisation-aware training takes a network whose forward() does not depend"
            f" on values or sizes: leave out 'quantisation_aware', or rewrite it:"
            f" {first_line(error)}"
        ) from None
    for index, node in enumerate(list(traced.graph.nodes)):
        if _is_rounded(traced, node):
            name = f"rounded_to_int8_{index}"
            traced.add_submodule(name, _rounding())
            with traced.graph.inserting_after(node):
                made = traced.graph.call_module(name, (node,))
            node.replace_all_uses_with(made, lambda user, made=made: user is not made)
    traced.recompile()
    return traced


def _is_rounded(traced: Any, node: Any) -> bool:
    """Say whether int8 rounds behind the node: not where it moves values, or is fused on."""
    if not node.op.startswith("call_") or _kind(traced, node) in _MOVING:
        return False
    users = list(node.users)
    if any(user.op == "output" for user in users):
        return False
    return not (len(users) == 1 and _kind(traced, users[0]) in _FUSED)


def _kind(traced: Any, node: Any) -> str:
    """Return the name of what a node calls, such as ``maxpool2d``, however it is called."""
    if node.op == "call_module":
        name = type(traced.get_submodule(node.target)).__name__
    else:
        name = node.target if isinstance(node.target, str) else node.target.__name__
    return name.replace("_", "").lower()


def _rounding() -> Any:
    import torch  # noqa: PLC0415
    from torchao.quantization.pt2e.fake_quantize import FakeQuantize  # noqa: PLC0415
    from torchao.quantization.pt2e.observer import MovingAverageMinMaxObserver  # noqa: PLC0415

    class RoundToInt8(torch.nn.Module):  # type: ignore[misc] # torch is not installed here
        """Rounds to 256 values between limits that follow the batches seen in training."""

        def __init__(self) -> None:
            super().__init__()
            self.rounding = FakeQuantize(
                observer=MovingAverageMinMaxObserver,
                quant_min=-128,
                quant_max=127,
                dtype=torch.int8,
                qscheme=torch.per_tensor_affine,
                averaging_constant=_FOLLOWS,
            )

        def forward(self, values: Any) -> Any:
            if not isinstance(values, torch.Tensor) or not values.is_floating_point():
                return values
            self.rounding.enable_observer(self.training)
            return self.rounding(values)

    return RoundToInt8()
