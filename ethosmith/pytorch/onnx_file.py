# SPDX-License-Identifier: Apache-2.0
"""Read an ONNX file as a PyTorch network, and compare the two on one input.

onnx2pytorch converts it. The oracle is ONNX's own reference evaluator. The file may come from
anywhere: it is data, and nothing in it is executed but the operators that ONNX defines.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.core.terminal import captured_output
from ethosmith.pytorch.archive import MAX_MODEL_BYTES
from ethosmith.pytorch.constants_traced import traced_module
from ethosmith.pytorch.places import first_line

ONNX_SUFFIX = ".onnx"
# Of the largest magnitude in an output: what float32 loses by another order of additions.
_TOLERANCE = 1e-4
_OWN_DOMAINS = ("", "ai.onnx")
# The converter imports it for five operators of boxes and pictures, which no NPU has.
_NOT_INSTALLED = ("torchvision", "torchvision.ops", "torchvision.io")

Tensor = npt.NDArray[Any]


def onnx_network(path: Path) -> tuple[Any, tuple[Any, ...]]:
    """Return the network of an ONNX file as a torch.nn.Module, and inputs of zeros for it.

    Raises:
        EthosmithError: it is damaged, of a newer version, has operators or inputs that are not
            taken, or the module computes something else.
    """
    import torch  # noqa: PLC0415 takes seconds

    model = _read(path)
    shapes = _input_shapes(path, model)
    network = _converted(path, model)
    generator = np.random.default_rng(0)
    first, second = (
        [generator.standard_normal(shape).astype(np.float32) for shape in shapes] for _ in range(2)
    )
    try:
        network = traced_module(network, [torch.from_numpy(one) for one in first])
    except Exception as error:  # noqa: BLE001 converted operators raise what they like
        raise EthosmithError(f"{path}: PyTorch cannot run it: {first_line(error)}") from None
    # Other values than those that it was traced with.
    _compare(path, _outputs(network, second), _evaluated(path, model, second))
    return network, tuple(torch.zeros(shape) for shape in shapes)


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


def _input_shapes(path: Path, model: Any) -> list[tuple[int, ...]]:
    """Return the shapes of the inputs; a batch that is not fixed is 1."""
    import onnx  # noqa: PLC0415

    initial = {one.name for one in model.graph.initializer}
    found = []
    for value in model.graph.input:
        if value.name in initial:
            continue
        kind = value.type.tensor_type
        if kind.elem_type != onnx.TensorProto.FLOAT:
            name = onnx.TensorProto.DataType.Name(kind.elem_type)
            raise EthosmithError(f"{path}: input '{value.name[:60]}' is {name}, expected FLOAT")
        sizes = [one.dim_value for one in kind.shape.dim]
        sizes[:1] = [size or 1 for size in sizes[:1]]
        if not sizes or min(sizes) < 1:
            shown = " x ".join(one.dim_param or str(one.dim_value) for one in kind.shape.dim)
            raise EthosmithError(
                f"{path}: input '{value.name[:60]}' is {shown or 'of no shape'}; every size but the"
                " batch has to be fixed"
            )
        found.append(tuple(sizes))
    return found


def _without_constant_nodes(model: Any) -> Any:
    """Return the model with constants as initial values, which the converter knows better."""
    import onnx  # noqa: PLC0415

    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    for node in model.graph.node:
        if node.op_type == "Constant" and [one.name for one in node.attribute] == ["value"]:
            made.graph.initializer.add().CopyFrom(node.attribute[0].t)
            made.graph.initializer[-1].name = node.output[0]
        else:
            made.graph.node.add().CopyFrom(node)
    return made


def _converted(path: Path, model: Any) -> Any:
    for name in _NOT_INSTALLED:
        sys.modules.setdefault(name, _placeholder(name))
    from onnx2pytorch import ConvertModel  # noqa: PLC0415

    try:
        with captured_output():
            return ConvertModel(_without_constant_nodes(model)).eval()
    except Exception as error:  # noqa: BLE001 the converter raises what it likes
        raise EthosmithError(
            f"{path}: onnx2pytorch cannot convert it: {first_line(error)}"
        ) from None


def _placeholder(name: str) -> types.ModuleType:
    """Return a module whose every public name is a function that says that it is not there."""

    def missing(*_: object, **__: object) -> object:
        raise NotImplementedError("an operator of boxes or pictures, which needs torchvision")

    module = types.ModuleType(name)
    names = ("ops", "io", "decode_image", "ImageReadMode", "deform_conv2d", "roi_pool", "roi_align")
    vars(module).update(dict.fromkeys(names, missing))
    return module


def _outputs(network: Any, given: list[Tensor]) -> list[Tensor]:
    import torch  # noqa: PLC0415

    with torch.no_grad():
        return [one.numpy() for one in network(*(torch.from_numpy(one) for one in given))]


def _evaluated(path: Path, model: Any, given: list[Tensor]) -> list[Tensor]:
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

    try:
        evaluator = ReferenceEvaluator(model)
        names = [name for name in evaluator.input_names if name not in _initial(model)]
        return list(evaluator.run(None, dict(zip(names, given, strict=True))))
    except Exception as error:  # noqa: BLE001 operators raise what they like
        raise EthosmithError(
            f"{path}: ONNX's reference evaluator cannot run it: {first_line(error)}"
        ) from None


def _initial(model: Any) -> set[str]:
    return {one.name for one in model.graph.initializer}


def _compare(path: Path, made: list[Tensor], expected: list[Tensor]) -> None:
    """Refuse a module that computes something else than the file says; EthosmithError."""
    if [one.shape for one in made] != [one.shape for one in expected]:
        raise EthosmithError(
            f"{path}: as a PyTorch network its outputs are {[one.shape for one in made]}, expected"
            f" {[one.shape for one in expected]}"
        )
    for number, (ours, theirs) in enumerate(zip(made, expected, strict=True)):
        allowed = _TOLERANCE * max(1.0, float(np.abs(theirs).max(initial=0)))
        if not np.allclose(ours, theirs, rtol=0, atol=allowed):
            apart = float(np.abs(ours.astype(np.float64) - theirs).max(initial=0))
            raise EthosmithError(
                f"{path}: onnx2pytorch makes another network of it: output {number} differs by"
                f" {apart:.3g} from ONNX's reference evaluator, and rounding explains {allowed:.3g}"
            )
