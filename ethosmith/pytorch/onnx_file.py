# SPDX-License-Identifier: Apache-2.0
"""Read an ONNX file as a PyTorch network, and compare the two on one input.

onnx2pytorch converts it. The oracle is ONNX Runtime. The file may come from anywhere: it is data,
and nothing in it is executed but the operators that ONNX defines.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.pytorch.archive import MAX_MODEL_BYTES
from ethosmith.pytorch.constants_traced import traced_module
from ethosmith.pytorch.onnx_nodes import apart, converted, described, is_converted_rightly, outputs
from ethosmith.pytorch.onnx_oracle import evaluated, every_value
from ethosmith.pytorch.onnx_rewrite import spelled_out, without_constant_nodes
from ethosmith.pytorch.places import first_line

ONNX_SUFFIX = ".onnx"
_OWN_DOMAINS = ("", "ai.onnx")
_FIXING_TOOL = "onnxruntime.tools.make_dynamic_shape_fixed"

Tensor = npt.NDArray[Any]


def onnx_network(path: Path, expected: Sequence[int] | None = None) -> tuple[Any, tuple[Any, ...]]:
    """Return the network of an ONNX file as a torch.nn.Module, and inputs of zeros for it.

    Args:
        path: the file.
        expected: sizes of its one input as the use case fills it, in the network's own order and
            with the batch; they fix those that the file leaves open. None: it has to fix all.

    Raises:
        EthosmithError: it is damaged, of a newer version, has operators or inputs that are not
            taken, or the module computes something else.
    """
    import torch  # noqa: PLC0415 takes seconds

    model = without_constant_nodes(_read(path))
    shapes = _input_shapes(path, model, expected)
    generator = np.random.default_rng(0)
    first, second = (
        {
            name: generator.standard_normal(shape).astype(np.float32)
            for name, shape in shapes.items()
        }
        for _ in range(2)
    )
    values = every_value(path, model, first)
    network = _converted(path, spelled_out(path, model, values))
    try:
        network = traced_module(network, [torch.from_numpy(one) for one in first.values()])
    except Exception as error:  # noqa: BLE001 converted operators raise what they like
        raise EthosmithError(f"{path}: PyTorch cannot run it: {first_line(error)}") from None
    # Other values than those that it was traced with.
    made = outputs(network, list(second.values()))
    _compare(path, made, evaluated(path, model, second), lambda: _wrong_node(path, model, values))
    return network, tuple(torch.zeros(shape) for shape in shapes.values())


def _read(path: Path) -> Any:
    import onnx  # noqa: PLC0415

    try:
        model = onnx.load_model_from_string(read_bytes(path, limit_bytes=MAX_MODEL_BYTES))
    except EthosmithError:
        raise
    except Exception as error:  # noqa: BLE001 protobuf's errors have no class of their own
        raise EthosmithError(f"{path}: not an ONNX file: {first_line(error)}") from None
    _check_versions(path, model)
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise EthosmithError(
                f"{path}: the weights '{tensor.name[:60]}' are in another file; save them inside"
                " (onnx.save without save_as_external_data)"
            )
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # noqa: BLE001 the checker and its C++ raise what they like
        raise EthosmithError(f"{path}: not a usable ONNX file: {first_line(error)}") from None
    return model


def _tensors(message: Any) -> Iterator[Any]:
    """Yield the tensors anywhere in a message: weights, attributes, and those of inner graphs."""
    import onnx  # noqa: PLC0415

    if isinstance(message, onnx.TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else (value,):
                yield from _tensors(one)


def _check_versions(path: Path, model: Any) -> None:
    import onnx  # noqa: PLC0415

    if not model.ir_version or not model.graph.node:
        raise EthosmithError(f"{path}: not an ONNX file: it has no version, or no operators")
    known, ours = onnx.defs.onnx_opset_version(), f"ONNX {onnx.__version__} reads"
    if model.ir_version > onnx.IR_VERSION:
        raise EthosmithError(
            f"{path}: its format is version {model.ir_version}, and {ours} up to {onnx.IR_VERSION}"
        )
    versions = {one.domain: one.version for one in model.opset_import}
    for domain in _OWN_DOMAINS:
        if versions.get(domain, 0) > known:
            raise EthosmithError(
                f"{path}: its operators are of opset {versions[domain]}, and {ours} up to {known}"
            )
    foreign = [node for node in model.graph.node if node.domain not in _OWN_DOMAINS]
    if foreign:
        node = foreign[0]
        raise EthosmithError(
            f"{path}: node '{node.name[:60]}': {node.op_type} is an operator of {node.domain}, not"
            " of ONNX; export the network with ONNX's own operators"
        )


def _input_shapes(
    path: Path, model: Any, expected: Sequence[int] | None
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the inputs, and fix them in ``model``; a batch that is open is 1."""
    import onnx  # noqa: PLC0415

    initial = {one.name for one in model.graph.initializer}
    found = {}
    for value in model.graph.input:
        if value.name in initial:
            continue
        kind = value.type.tensor_type
        if kind.elem_type != onnx.TensorProto.FLOAT:
            name = onnx.TensorProto.DataType.Name(kind.elem_type)
            raise EthosmithError(f"{path}: input '{value.name[:60]}' is {name}, expected FLOAT")
        dims = kind.shape.dim
        sizes = [one.dim_value for one in dims]
        sizes[:1] = [size if size > 0 else 1 for size in sizes[:1]]
        if expected is not None and len(expected) == len(sizes):
            sizes = [one if one > 0 else other for one, other in zip(sizes, expected, strict=True)]
        if not sizes or min(sizes) < 1:
            raise EthosmithError(_open_sizes(path, value, sizes))
        for dim, size in zip(dims, sizes, strict=True):
            dim.dim_value = size
        found[value.name] = tuple(sizes)
    return found


def _open_sizes(path: Path, value: Any, sizes: Sequence[int]) -> str:
    """Say which sizes of an input are not fixed, and the command that fixes them."""
    name, dims = value.name[:60], value.type.tensor_type.shape.dim
    if not dims:
        return f"{path}: input '{name}' is of no shape; export it with one"
    shown = " x ".join(one.dim_param or str(one.dim_value) for one in dims)
    wanted = ",".join(str(size) if size > 0 else f"SIZE{k}" for k, size in enumerate(sizes))
    fixed = path.with_name(f"{path.stem}_fixed{path.suffix}")
    command = [sys.executable, "-m", _FIXING_TOOL, "--input_name", value.name]
    command += ["--input_shape", wanted, str(path), str(fixed)]
    return (
        f"{path}: input '{name}' is {shown}; every size but the batch has to be fixed: give the use"
        f" case input_shape, or write the sizes into the file with: {shlex.join(command)}"
    )


def _converted(path: Path, model: Any) -> Any:
    try:
        return converted(model)
    except Exception as error:  # noqa: BLE001 the converter raises what it likes
        raise EthosmithError(
            f"{path}: onnx2pytorch cannot convert it: {first_line(error)}"
        ) from None


def _wrong_node(path: Path, model: Any, values: dict[str, Tensor]) -> str:
    """Return what is known of the first node that alone becomes something else; or nothing."""
    whole = spelled_out(path, model, values)
    constants = {one.name: one for one in whole.graph.initializer}
    for node in whole.graph.node:
        if not is_converted_rightly(model, [node], values, constants):
            return f" ({described(node)})"
    return ""


def _compare(
    path: Path, made: list[Tensor], expected: list[Tensor], place: Callable[[], str]
) -> None:
    """Refuse a module that computes something else than the file says; EthosmithError."""
    if [one.shape for one in made] != [one.shape for one in expected]:
        raise EthosmithError(
            f"{path}: as a PyTorch network its outputs are {[one.shape for one in made]}, expected"
            f" {[one.shape for one in expected]}{place()}"
        )
    for number, (ours, theirs) in enumerate(zip(made, expected, strict=True)):
        distance, allowed = apart(ours, theirs)
        if distance > allowed:
            raise EthosmithError(
                f"{path}: onnx2pytorch makes another network of it{place()}: output {number}"
                f" differs by {distance:.3g} from ONNX Runtime's; rounding explains {allowed:.3g}"
            )
