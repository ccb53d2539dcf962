# SPDX-License-Identifier: Apache-2.0
"""Read a PyTorch network: a .pt2, or a Python file that builds it and a state_dict for it."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.pytorch.archive import MAX_MODEL_BYTES, PT2_SUFFIX, checked_archive, schema_version
from ethosmith.pytorch.places import first_line, place_of_error, quiet

Shape = tuple[int, ...]
# A function beside the builder that returns inputs, where no descriptor gives their shape.
EXAMPLE_INPUTS = "example_inputs"


@dataclass(frozen=True)
class ModelSource:
    """Where a network comes from.

    Attributes:
        path: a .pt2, a .onnx or a Python file.
        builder: the function of the Python file that returns an nn.Module.
        weights: a state_dict for it, or None: as it was built, with torch's seed 0.
    """

    path: Path
    builder: str = "build"
    weights: Path | None = None


def load_program(path: Path) -> Any:
    """Return the ExportedProgram of a .pt2 from anywhere.

    Raises:
        EthosmithError: as `checked_archive`, or PyTorch cannot read it.
    """
    import torch  # noqa: PLC0415
    import torch.ao.quantization.fx._decomposed  # noqa: PLC0415 the operators of int8

    archive = checked_archive(path)
    try:
        return torch.export.load(archive)
    except Exception as error:  # noqa: BLE001 a damaged graph fails in many ways
        reason = _other_version(archive) or first_line(error)
        raise EthosmithError(f"{path}: PyTorch cannot read this .pt2: {reason}") from None


def _other_version(archive: io.BytesIO) -> str | None:
    """Say which version of the format a .pt2 has, if PyTorch here reads another."""
    import torch  # noqa: PLC0415
    from torch._export.serde.schema import SCHEMA_VERSION  # noqa: PLC0415

    try:
        found = schema_version(archive)
    except (KeyError, TypeError, ValueError):
        return "it does not say its version"
    if found == SCHEMA_VERSION[0]:
        return None
    return (
        f"its format is version {found}, and PyTorch {torch.__version__.partition('+')[0]} reads"
        f" version {SCHEMA_VERSION[0]}; export it with that PyTorch"
    )


def read_network(source: ModelSource, input_shape: Shape | None) -> tuple[Any, tuple[Any, ...]]:
    """Return the network as a module, and inputs of zeros or the user's own for it.

    Args:
        source: where it comes from.
        input_shape: of its one input, with a batch of 1; None: the network itself tells.

    Raises:
        EthosmithError: it cannot be read or built, or an input is not a float32 batch of 1.
    """
    quiet()
    if source.path.suffix.lower() == PT2_SUFFIX:
        return _of_archive(source.path)
    return _built(source, input_shape)


def input_shapes(program: Any) -> list[tuple[int, ...]]:
    """Return the shapes of the inputs of an ExportedProgram, in their order."""
    return [tuple(node.meta["val"].shape) for node in user_inputs(program)]


def user_inputs(program: Any) -> list[Any]:
    """Return the nodes of the inputs that a caller gives, in their order."""
    names = program.graph_signature.user_inputs
    nodes = {node.name: node for node in program.graph.find_nodes(op="placeholder")}
    return [nodes[name] for name in names]


def _of_archive(path: Path) -> tuple[Any, tuple[Any, ...]]:
    import torch  # noqa: PLC0415

    program = load_program(path)
    values = [
        node.meta["val"]
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in program.graph_signature.user_inputs
    ]
    if not all(isinstance(value, torch.Tensor) for value in values):
        raise EthosmithError(f"{path}: an input is not a tensor; give each input as a tensor")
    inputs = tuple(torch.zeros(tuple(value.shape), dtype=value.dtype) for value in values)
    check_inputs(path, inputs)
    # Its guards would compare the example with itself.
    return program.module(check_guards=False), inputs


def built_module(source: ModelSource) -> Any:
    """Return what the function of a Python file builds, with its state_dict, a torch.nn.Module.

    Raises:
        EthosmithError: it cannot be built, or the state_dict does not fit.
    """
    return _built_by(source)[0]


def _built_by(source: ModelSource) -> tuple[Any, Any]:
    """Return the module, and the user's own module of Python; see `built_module`."""
    import torch  # noqa: PLC0415

    quiet()
    # What a network computes at random while it is built is the same every time.
    torch.manual_seed(0)
    user = _imported(source.path)
    build = _function(source.path, user, source.builder)
    module = _called(source.path, build)
    if not isinstance(module, torch.nn.Module):
        raise EthosmithError(
            f"{source.path}: {source.builder}() returns a {type(module).__name__}, expected a"
            " torch.nn.Module"
        )
    if source.weights is not None:
        _load_weights(source, source.weights, module)
    return module, user


def _built(source: ModelSource, input_shape: Shape | None) -> tuple[Any, tuple[Any, ...]]:
    import torch  # noqa: PLC0415

    module, user = _built_by(source)
    if hasattr(user, EXAMPLE_INPUTS):
        inputs = _called(source.path, _function(source.path, user, EXAMPLE_INPUTS))
        inputs = (inputs,) if isinstance(inputs, torch.Tensor) else tuple(inputs)
    elif input_shape is not None:
        inputs = (torch.zeros(input_shape),)
    else:
        raise EthosmithError(
            f"{source.path}: the shape of its input is not known: add a function"
            f" {EXAMPLE_INPUTS}() that returns a tuple of tensors, or give the use case input_shape"
        )
    check_inputs(source.path, inputs)
    return module.eval(), inputs


def _imported(path: Path) -> Any:
    name = path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    loader = spec.loader if spec else None
    if spec is None or loader is None:
        raise EthosmithError(f"{path}: not a model: expected {PT2_SUFFIX}, .onnx or a Python file")
    module = importlib.util.module_from_spec(spec)
    # Its neighbours are its own modules; pickles and stack traces find it by its name.
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[name] = module
    _called(path, lambda: loader.exec_module(module))
    return module


def _function(path: Path, module: Any, name: str) -> Callable[[], Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise EthosmithError(f"{path}: has no function {name}(); give model={path}:NAME")
    return function  # type: ignore[no-any-return] # getattr


def _called(path: Path, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except EthosmithError:
        raise
    except Exception as error:  # noqa: BLE001 the user's own code
        place = place_of_error(error) or path
        raise EthosmithError(f"{place}: {type(error).__name__}: {first_line(error)}") from None


def _refused(error: Exception) -> str:
    """Return what torch.load says, without its advice to unpickle all the same."""
    foreign = re.search(r"GLOBAL (\S+)", str(error))
    return f"it calls {foreign[1]}" if foreign else first_line(error)[:120]


def _load_weights(source: ModelSource, weights: Path, module: Any) -> None:
    """Load the state_dict strictly; a name or a shape that differs is an error."""
    import torch  # noqa: PLC0415

    content = read_bytes(weights, limit_bytes=MAX_MODEL_BYTES)
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 a damaged or hostile file fails in many ways
        raise EthosmithError(
            f"{weights}: not a state_dict of plain tensors, and nothing else is unpickled:"
            f" {_refused(error)}; save it with torch.save(net.state_dict(), ...)"
        ) from None
    if not isinstance(state, dict):
        raise EthosmithError(
            f"{weights}: holds a {type(state).__name__}, expected a state_dict; save it"
            " with torch.save(net.state_dict(), ...)"
        )
    try:
        module.load_state_dict(state, strict=True)
    except (RuntimeError, TypeError, AttributeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise EthosmithError(
            f"{weights}: does not fit {source.builder}() of {source.path}: {said[:300]}"
        ) from None


def check_inputs(path: Path, inputs: Sequence[Any]) -> None:
    """Refuse inputs that no application here fills; EthosmithError."""
    import torch  # noqa: PLC0415

    for number, one in enumerate(inputs, start=1):
        if not isinstance(one, torch.Tensor) or one.dtype != torch.float32:
            kind = getattr(one, "dtype", type(one).__name__)
            raise EthosmithError(f"{path}: input {number} is {kind}, expected a float32 tensor")
        if one.ndim < 2 or one.shape[0] != 1:
            raise EthosmithError(
                f"{path}: input {number} is {_text(one.shape)}, expected a batch of 1 and more"
                " dimensions behind it"
            )


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a single value"
