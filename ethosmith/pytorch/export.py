# SPDX-License-Identifier: Apache-2.0
"""Export a PyTorch network as one program with a batch of 1 and fixed shapes.

With the layout ``nchw``, inputs and outputs of four dimensions have their channels last on the
outside, as an application fills and reads them; the program moves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.cells import without_cells
from ethosmith.pytorch.onnx_file import ONNX_SUFFIX, onnx_network
from ethosmith.pytorch.places import (
    NOWHERE,
    keep_places_only,
    place_of,
    place_of_error,
    quiet,
    reason_of,
)
from ethosmith.pytorch.source import ModelSource, Shape, check_inputs, read_network

NCHW, NHWC = "nchw", "nhwc"
_ANY = "any"


def exported_program(source: ModelSource, layout: str, pattern: Sequence[int | str] | None) -> Any:
    """Return the network as a ``torch.export.ExportedProgram`` that keeps no place of this machine.

    Args:
        source: where it comes from.
        layout: `NCHW` or `NHWC`.
        pattern: the sizes that an application can fill, channels last, without the batch, for a
            network that does not tell its input's shape; None: it has to.

    Raises:
        EthosmithError: it cannot be read, built or exported.
    """
    if source.path.suffix.lower() == ONNX_SUFFIX:
        quiet()
        module, inputs = onnx_network(source.path, _shape_inside(pattern, layout))
        check_inputs(source.path, inputs)
    else:
        module, inputs = read_network(source, _shape_inside(pattern, layout))
    if layout == NCHW:
        module, inputs = _channels_last(module), tuple(_to_outside(one) for one in inputs)
    program = _exported(source.path, module, inputs)
    keep_places_only(program.graph.nodes)
    return program


def check_shapes(
    source: ModelSource,
    layout: str,
    shapes: Sequence[Shape],
    pattern: Sequence[int | str],
    usecase: str,
) -> None:
    """Check that an application which fills ``pattern`` fits the network.

    Args:
        source: for messages.
        layout: as for `exported_program`.
        shapes: of the inputs of the exported program, with their batch.
        pattern: as for `exported_program`.
        usecase: the descriptor, for messages.

    Raises:
        EthosmithError: it does not.
    """
    expected = f"{usecase} fills one input of {_text(pattern)}"
    if len(shapes) != 1:
        raise EthosmithError(f"{source.path}: has {len(shapes)} inputs; {expected}")
    sizes = shapes[0][1:]
    if len(sizes) != len(pattern) or any(
        want not in {_ANY, size} for want, size in zip(pattern, sizes, strict=True)
    ):
        raise EthosmithError(
            f"{source.path}: its input is {_text(sizes)} (layout {layout}, channels last);"
            f" {expected}"
        )


def _text(sizes: Sequence[int | str]) -> str:
    return " x ".join(map(str, sizes)) or "no size"


def _shape_inside(pattern: Sequence[int | str] | None, layout: str) -> Shape | None:
    if pattern is None or any(not isinstance(size, int) for size in pattern):
        return None
    sizes = [int(size) for size in pattern]
    if layout == NCHW and len(sizes) == 3:
        sizes = [sizes[2], sizes[0], sizes[1]]
    return (1, *sizes)


def _exported(path: Path, module: Any, inputs: tuple[Any, ...]) -> Any:
    import torch  # noqa: PLC0415

    try:
        with torch.no_grad():
            program = without_cells(torch.export.export(module, inputs))
    except EthosmithError as error:
        raise EthosmithError(f"{path}: {error}") from None
    except Exception as error:  # noqa: BLE001 the user's forward() and torch raise what they like
        place = place_of_error(error) or path
        reason = reason_of(error)
        if "data-dependent" in reason:
            reason += "; its path may not depend on values, see docs/pytorch.md"
        raise EthosmithError(f"{place}: cannot be exported: {reason}") from None
    _check_sizes(path, program)
    for node in program.graph.find_nodes(op="output")[0].all_input_nodes:
        if not isinstance(node.meta.get("val"), torch.Tensor):
            raise EthosmithError(f"{path}: an output is not a tensor")
    return program


def _check_sizes(path: Path, program: Any) -> None:
    """Refuse a tensor whose size depends on values, with the line that makes it."""
    for node in program.graph.nodes:
        shape = getattr(node.meta.get("val"), "shape", ())
        if not all(isinstance(size, int) for size in shape):
            place = place_of(node)
            at = path if place == NOWHERE else place
            raise EthosmithError(
                f"{at}: cannot be exported: the result of {node.target} has a size that depends on"
                f" values ({'x'.join(map(str, shape))}); every size has to be fixed"
            )


def _channels_last(module: Any) -> Any:
    import torch  # noqa: PLC0415

    class ChannelsLast(torch.nn.Module):  # type: ignore[misc] # torch is not installed here
        """The network with NHWC outside, for every input and output of four dimensions."""

        def __init__(self) -> None:
            super().__init__()
            self.network = module

        def forward(self, *inputs: Any) -> Any:
            made = self.network(*(_to_inside(one) for one in inputs))
            if isinstance(made, torch.Tensor):
                return _to_outside(made)
            _check_outputs(made)
            return tuple(_to_outside(one) for one in made)

    wrapped = ChannelsLast()
    # An exported module is in the mode of its export, and has no other.
    with suppress(NotImplementedError):
        wrapped.eval()
    return wrapped


def _check_outputs(made: Any) -> None:
    import torch  # noqa: PLC0415

    kinds = made if isinstance(made, (tuple, list)) else (made,)
    for one in kinds:
        if not isinstance(one, torch.Tensor):
            raise EthosmithError(
                f"its forward() returns a {type(one).__name__}; expected a tensor or a tuple of"
                " tensors"
            )


def _to_inside(tensor: Any) -> Any:
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor


def _to_outside(tensor: Any) -> Any:
    return tensor.permute(0, 2, 3, 1) if tensor.ndim == 4 else tensor
