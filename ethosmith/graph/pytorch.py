# SPDX-License-Identifier: Apache-2.0
"""The path of a PyTorch network: exported program, int8 graph, TOSA; nothing here imports torch."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedUseCase
from ethosmith.graph.runtimes import EXECUTORCH, PYTORCH, TFLITE
from ethosmith.graph.samples import obtained_file

if TYPE_CHECKING:
    from ethosmith.steps.export_pytorch import ExportPytorch

PYTHON_SUFFIX = ".py"
_SUFFIXES = (".pt2", ".onnx", PYTHON_SUFFIX)
_PYTHON_FILE = "give the Python file that builds the network (net.py:build)"
# Files that people have of PyTorch networks, and what to give instead.
_NOT_TAKEN = {
    ".pt": f"it holds weights or a pickle, and neither is a network; {_PYTHON_FILE}",
    ".pth": f"it holds weights or a pickle, and neither is a network; {_PYTHON_FILE}",
}
# Of a state_dict beside a Python file of the same name.
_WEIGHTS_SUFFIXES = (".pt", ".pth")
# Ends the names of files of a network that may leave operators to the CPU.
_PARTS = "_parts"


class PytorchModel(NamedTuple):
    """A PyTorch network as it comes.

    Attributes:
        path: a .pt2, a .onnx, or a Python file.
        files: that file, and the modules beside it that it imports.
        builder: the function of the Python file that returns the network.
        weights: its state_dict, if there is one.
        folder: below the use case's, of what is made of it; of a stage of ``optimise:``.
    """

    path: Path
    files: tuple[Path, ...]
    builder: str
    weights: Path | None
    folder: str = ""


class Int8Network(NamedTuple):
    """An int8 network on the host.

    Attributes:
        path: a .tflite; of a PyTorch network, JSON with its inputs and outputs.
        tosa: of a PyTorch network, the graph that Vela compiles.
        quantised: of a PyTorch network, PyTorch's own graph.
        program: of a ready ExecuTorch program, the .pte.
        expected: of a ready ExecuTorch program, that nothing on the host runs it.
    """

    path: Path
    tosa: Path | None = None
    quantised: Path | None = None
    program: Path | None = None
    expected: Path | None = None

    @property
    def is_pytorch(self) -> bool:
        """It comes from PyTorch, and is not a .tflite."""
        return self.quantised is not None or self.program is not None

    @property
    def files(self) -> list[Path]:
        """All of its files."""
        found = (self.path, self.tosa, self.quantised, self.program)
        return [path for path in found if path is not None]


def is_pytorch(path: Path) -> bool:
    """Say whether the model at ``path`` is a PyTorch network, by its suffix.

    Raises:
        EthosmithError: it is a file of PyTorch's world that is not taken.
    """
    suffix = path.suffix.lower()
    if suffix in _NOT_TAKEN:
        raise EthosmithError(f"{path}: {_NOT_TAKEN[suffix]}; see docs/pytorch.md")
    return suffix in _SUFFIXES


def pytorch_model(build: Build, usecase: SelectedUseCase, path: Path) -> PytorchModel:
    """Return the use case's PyTorch network at ``path``, with its state_dict."""
    model, root = usecase.descriptor.model, build.project.root
    if usecase.model_path is not None:
        builder, weights = usecase.own.builder or "build", _weights_beside(root, path)
    else:
        builder, weights = model.build, _declared_weights(build, usecase)
        weights = weights or _weights_beside(root, path)
    files = tuple(build.project.relative(file) for file in _with_imports(root / path))
    return PytorchModel(path, files, builder, weights)


def _declared_weights(build: Build, usecase: SelectedUseCase) -> Path | None:
    origin = usecase.descriptor.model.weights
    if origin is None:
        return None
    return obtained_file(
        build, origin, usecase.folder, usecase.outputs / "model" / origin.file_name
    )


def _weights_beside(root: Path, path: Path) -> Path | None:
    if path.suffix.lower() != PYTHON_SUFFIX:
        return None
    beside = (path.with_suffix(suffix) for suffix in _WEIGHTS_SUFFIXES)
    return next((file for file in beside if (root / file).is_file()), None)


def _with_imports(path: Path) -> list[Path]:
    """Return ``path`` and the modules in its folder that it imports, and that those import."""
    found = [path]
    if path.suffix.lower() == PYTHON_SUFFIX:
        for file in found:
            new = {path.with_name(f"{name}{PYTHON_SUFFIX}") for name in _imported_names(file)}
            found += sorted(one for one in new if one not in found and one.is_file())
    return found


def _imported_names(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(read_bytes(file))
    except (EthosmithError, SyntaxError, ValueError):
        # The step that runs it says what is wrong with it.
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def exported_network(build: Build, usecase: SelectedUseCase, model: PytorchModel) -> ExportPytorch:
    """Declare the network as one graph with fixed shapes, checked against the use case."""
    from ethosmith.steps.export_pytorch import ExportPytorch

    pattern, place = usecase.descriptor.model.input_shape, usecase.outputs / model.folder
    return build.add(
        ExportPytorch(
            model=model.path,
            model_files=model.files,
            builder=model.builder,
            weights=model.weights,
            layout=usecase.descriptor.model.layout,
            pattern=None if pattern is None else list(pattern),
            activations=usecase.descriptor.quantise.activations,
            usecase=str(usecase.path),
            exported=place / f"{usecase.model_name}_exported.pt2",
            shape=None if pattern is None else place / "input_shape.json",
            form=place / "network_inputs.json",
            offline=build.session.offline,
        )
    )


def quantised_pytorch(
    build: Build,
    usecase: SelectedUseCase,
    model: PytorchModel,
    representative: tuple[Path, ...],
    random: Mapping[str, Any] | None,
    folder: str = "",
) -> Int8Network:
    """Declare the int8 network.

    Args:
        build: where it is declared.
        usecase: whose network it is.
        model: the network as it comes.
        representative: as of the step quantise-pytorch.
        random: as there.
        folder: below the use case's, for the int8 network.
    """
    from ethosmith.steps.lower_pytorch import LowerPytorch
    from ethosmith.steps.quantise_pytorch import QuantisePytorch

    activations = usecase.descriptor.quantise.activations
    stem = usecase.outputs / folder / f"{usecase.model_name}_{activations}"
    quantised = build.add(
        QuantisePytorch(
            model=model.path.as_posix(),
            exported=exported_network(build, usecase, model).exported,
            representative=representative,
            random=random,
            activations=activations,
            quantised=stem.with_suffix(".pt2"),
            offline=build.session.offline,
        )
    ).quantised
    # Only a runtime without kernels for the CPU needs the network in one piece. Each form has files
    # of its own, so that neither is made again when the runtime changes.
    whole = any(not one.runtime.has_cpu_kernels for one in build.session.configurations)
    lowered = build.add(
        LowerPytorch(
            model=model.path.as_posix(),
            quantised=quantised,
            label_count=len(usecase.labels),
            tosa=stem.with_suffix(".tosa") if whole else None,
            network=stem.with_name(f"{stem.name}{'' if whole else _PARTS}.json"),
            offline=build.session.offline,
        )
    )
    return Int8Network(lowered.network, lowered.tosa, quantised)


def pytorch_answers(
    build: Build, usecase: SelectedUseCase, network: Int8Network, host: Path
) -> Path | None:
    """Declare what the host makes of the samples; None if the network is a .tflite."""
    if network.quantised is None:
        return network.expected
    from ethosmith.steps.compute_pytorch_expected import ComputePytorchExpected

    return build.add(
        ComputePytorchExpected(
            quantised=network.quantised,
            tosa=network.tosa,
            network=network.path,
            program=host,
            samples=tuple(sample.name for sample in usecase.samples),
            output=usecase.outputs / f"expected{'' if network.tosa else _PARTS}.json",
            offline=build.session.offline,
        )
    ).output


def pytorch_host_answers(
    build: Build,
    usecase: SelectedUseCase,
    model: PytorchModel,
    network: Int8Network,
    host: Path,
    shards: Sequence[tuple[Path, Path]],
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Declare this machine's answers to an evaluation set, with the float and the int8 network.

    Args:
        build: where they are declared.
        usecase: whose set it is.
        model: the network as it comes.
        network: the int8 network.
        host: the host program.
        shards: of each part of the set, the file with its items and the folder for answers.
    """
    from ethosmith.steps.answer_pytorch import AnswerPytorch

    exported = exported_network(build, usecase, model).exported
    of_kind: dict[str, dict[str, Path | None]] = {
        "float": {"exported": exported},
        "int8": {
            "quantised": network.quantised,
            "tosa": network.tosa,
            "network": network.path,
        },
    }
    floating, integer = (
        tuple(
            build.add(
                AnswerPytorch(
                    **given,
                    program=host,
                    evaluation_set=items,
                    output=folder / f"{kind}.json",
                    offline=build.session.offline,
                )
            ).output
            for items, folder in shards
        )
        for kind, given in of_kind.items()
    )
    return floating, integer


def refuse_runtime(network: Int8Network, configuration: Configuration) -> None:
    """Refuse a runtime that cannot execute a network of this kind; EthosmithError."""
    runtime = configuration.runtime
    if network.program is not None and runtime != EXECUTORCH:
        raise EthosmithError(
            f"{network.program}: an ExecuTorch program; give runtime={EXECUTORCH.name}, or for"
            f" runtime={runtime.name} the network that it was made from, as a .pt2 or net.py"
        )
    if network.is_pytorch and PYTORCH not in runtime.takes:
        raise EthosmithError(
            f"runtime={runtime.name} executes .tflite networks, and this one comes from PyTorch:"
            f" leave runtime= out, or give runtime={EXECUTORCH.name}"
        )
    if not network.is_pytorch and TFLITE not in runtime.takes:
        raise EthosmithError(
            f"runtime={runtime.name} executes PyTorch networks (.pt2, .onnx, net.py or .pte), and"
            f" {network.path} is none: leave runtime= out, or give model="
        )
