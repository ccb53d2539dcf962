# SPDX-License-Identifier: Apache-2.0
"""The network's path: float model, int8 network, Vela's output, and the C that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import PTE_SUFFIX
from ethosmith.descriptors.load import error_at
from ethosmith.descriptors.usecase import InputArrays, RandomInputs
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.executorch import declare_program, executorch_program, ready_program
from ethosmith.graph.layout import SelectedUseCase, vela_folder
from ethosmith.graph.preflight import check_model
from ethosmith.graph.pytorch import (
    Int8Network,
    PytorchModel,
    exported_network,
    is_pytorch,
    pytorch_model,
    quantised_pytorch,
    refuse_runtime,
)
from ethosmith.graph.runtimes import EXECUTORCH
from ethosmith.graph.samples import obtained_file
from ethosmith.steps.compile_with_vela import CompileWithVela
from ethosmith.steps.compute_features import ComputeFeatures
from ethosmith.steps.quantise_network import QuantiseNetwork
from ethosmith.steps.read_input_shape import ReadInputShape


class FloatModel(NamedTuple):
    """A model as it comes: a file, or a folder.

    Attributes:
        path: of the file or folder.
        files: the file, or all files of the folder; of a Python file also what it imports.
        pytorch: more of a PyTorch network; None: it is a Keras network or a .tflite.
    """

    path: Path
    files: tuple[Path, ...]
    pytorch: PytorchModel | None = None


def float_model(build: Build, usecase: SelectedUseCase) -> FloatModel:
    """Return the use case's model, fetched if need be, or that of ``model=``."""
    path = usecase.model_path
    if path is None:
        source = usecase.descriptor.model.source
        target = usecase.outputs / "model" / source.file_name
        path = obtained_file(build, source, usecase.folder, target)
    check_model(build, usecase, path)
    if is_pytorch(path):
        found = pytorch_model(build, usecase, path)
        return FloatModel(path, found.files, found)
    folder = build.project.root / path
    if not folder.is_dir():
        return FloatModel(path, (path,))
    inside = sorted(file for file in folder.rglob("*") if file.is_file())
    return FloatModel(path, tuple(build.project.relative(file) for file in inside))


def input_shape(build: Build, usecase: SelectedUseCase, model: FloatModel) -> Path | None:
    """Declare the input's shape, checked; None if the use case takes every network."""
    pattern = usecase.descriptor.model.input_shape
    if pattern is None or model.path.suffix.lower() == PTE_SUFFIX:
        return None
    if model.pytorch:
        return exported_network(build, usecase, model.pytorch).shape
    return build.add(
        ReadInputShape(
            model=model.path,
            model_files=model.files,
            pattern=list(pattern),
            usecase=str(usecase.path),
            output=usecase.outputs / "input_shape.json",
        )
    ).output


def network_inputs(build: Build, usecase: SelectedUseCase, model: FloatModel) -> Path | None:
    """Declare the form of the network's inputs, where arrays fill them as they are; else None."""
    declared = usecase.descriptor.sample_form["array"]["shape"] is not None
    if declared or all(sample.format != "npy" for sample in usecase.samples):
        return None
    if model.pytorch:
        return exported_network(build, usecase, model.pytorch).form
    from ethosmith.steps.read_network_inputs import ReadNetworkInputs

    return build.add(
        ReadNetworkInputs(
            model=model.path,
            model_files=model.files,
            output=usecase.outputs / "network_inputs.json",
        )
    ).output


def features(
    build: Build, usecase: SelectedUseCase, host_program: Path, shape: Path | None
) -> list[Path]:
    """Declare the samples' features, as float32, for quantisation."""
    if usecase.descriptor.quantise.representative != "samples" or shape is None:
        return []
    return [
        build.add(
            ComputeFeatures(
                program=host_program,
                shape=shape,
                index=index,
                output=usecase.outputs / "features" / f"{sample.name}.f32",
            )
        ).output
        for index, sample in enumerate(usecase.samples)
    ]


def quantised_network(
    build: Build,
    usecase: SelectedUseCase,
    model: FloatModel,
    representative: Sequence[Path],
    folder: str = "",
) -> Int8Network:
    """Declare the int8 network made from ``model`` with ``representative`` data.

    A ``folder`` below the use case's keeps it apart from the one that images run.
    """
    asked = usecase.descriptor.quantise.representative
    random, arrays = None, _arrays(build, usecase)
    if isinstance(asked, RandomInputs):
        random = {"seed": asked.seed, "count": asked.count, "low": asked.low, "high": asked.high}
    if model.path.suffix.lower() == PTE_SUFFIX:
        return ready_program(build, usecase, model.path)
    if model.pytorch:
        if arrays:
            raise EthosmithError(
                f"{usecase.path}: arrays in files calibrate Keras and .tflite networks; a PyTorch"
                " network takes 'representative: samples', or '{seed: 0}'"
            )
        calibration = () if random else tuple(representative)
        return quantised_pytorch(build, usecase, model.pytorch, calibration, random, folder)
    if usecase.descriptor.quantise.activations != "int8":
        message = f"is for PyTorch networks, and the model is {model.path.name}: remove it"
        raise error_at(usecase.path, ("quantise", "activations"), message)
    step = build.add(
        QuantiseNetwork(
            model=model.path,
            model_files=model.files,
            representative=() if random else tuple(representative),
            arrays=arrays,
            random=random,
            label_count=len(usecase.labels),
            output=usecase.outputs / folder / f"{usecase.model_name}_int8.tflite",
        )
    )
    return Int8Network(step.output)


def _arrays(build: Build, usecase: SelectedUseCase) -> tuple[Path, ...]:
    """Return the .npz files that the descriptor calibrates with; none: it names no folder."""
    asked = usecase.descriptor.quantise.representative
    if not isinstance(asked, InputArrays):
        return ()
    folder = build.project.root / usecase.folder / asked.folder
    files = tuple(build.project.relative(file) for file in sorted(folder.glob("*.npz")))
    if not files:
        raise EthosmithError(f"{usecase.path}: there is no .npz file in {asked.folder}")
    return files


class CompiledNetwork(NamedTuple):
    """What a runtime executes, and what Vela says of it (nothing on the CPU alone).

    Attributes:
        model: Vela's raw output, its .tflite, or the int8 network, as the configuration's
            runtime and NPU want.
        per_layer: Vela's table of layers.
        summary: Vela's totals.
    """

    model: Path
    per_layer: Path | None = None
    summary: Path | None = None


def compiled_network(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, network: Int8Network
) -> CompiledNetwork:
    """Declare ``network`` as the configuration executes it.

    Raises:
        EthosmithError: the runtime takes no network of that kind.
    """
    refuse_runtime(network, configuration)
    declare_program(build, usecase, configuration, network)
    if configuration.runtime == EXECUTORCH:
        return CompiledNetwork(executorch_program(build, usecase, configuration, network))
    if configuration.accelerator is None:
        return CompiledNetwork(network.path)
    stem = f"{vela_folder(usecase, configuration)}/{usecase.model_name}_vela"
    with_cpu = configuration.runtime.has_cpu_kernels
    step = compile_with_vela(
        build,
        usecase,
        configuration,
        network,
        tflite=None if network.tosa else Path(f"{stem}.tflite"),
        raw=None if with_cpu else Path(f"{stem}.npz"),
    )
    return CompiledNetwork(step.raw or step.outputs[0], step.per_layer, step.summary)


def compile_with_vela(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    network: Int8Network,
    *,
    folder: str = "",
    tflite: Path | None = None,
    raw: Path | None = None,
) -> CompileWithVela:
    """Declare what Vela makes of a network.

    Args:
        build: where it is declared.
        usecase: whose network it is.
        configuration: the NPU.
        network: its int8 form.
        folder: below Vela's, for a stage of the network.
        tflite: the .tflite with the NPU's parts, if it is wanted.
        raw: the command stream and what belongs to it, likewise.
    """
    vela, name = usecase.descriptor.vela, usecase.model_name
    place = Path(vela_folder(usecase, configuration)) / folder
    return build.add(
        CompileWithVela(
            network=network.tosa or network.path,
            described=network.path if network.tosa else None,
            network_name=name,
            accelerator_config=configuration.npu_name,
            system_config=configuration.system_config,
            memory_mode=configuration.memory_mode,
            optimise=vela.optimise,
            arena_cache_size_bytes=vela.arena_cache_size_bytes,
            tflite=tflite,
            summary=place / f"{name}_summary.csv",
            per_layer=place / f"{name}_per-layer.csv",
            operators=place / f"{name}_operators.json",
            raw=raw,
        )
    )
