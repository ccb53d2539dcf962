# SPDX-License-Identifier: Apache-2.0
"""What an application is made of beside its own sources and the network: samples and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ethosmith.descriptors.origin import Origin, Package
from ethosmith.descriptors.usecase import Mix
from ethosmith.graph.build import Build
from ethosmith.graph.layout import SelectedSample, SelectedUseCase, package_folder
from ethosmith.steps.convert_sample import ConvertSample
from ethosmith.steps.generate_labels import GenerateLabels
from ethosmith.steps.generate_parameters import GenerateParameters
from ethosmith.steps.generate_samples import GenerateSamples
from ethosmith.steps.mix_samples import MixSamples
from ethosmith.steps.obtain_file import ObtainFile
from ethosmith.steps.obtain_members import ObtainMembers


def application_parameters(build: Build, usecase: SelectedUseCase) -> Path:
    """Declare application_parameters.h."""
    return build.add(
        GenerateParameters(
            parameters=usecase.descriptor.c_parameters,
            source=shown(build, usecase),
            output=usecase.outputs / "generated/application_parameters.h",
        )
    ).output


def labels_source(build: Build, usecase: SelectedUseCase) -> Path:
    """Declare labels.c."""
    return build.add(
        GenerateLabels(
            labels=usecase.labels,
            source=shown(build, usecase),
            output=usecase.outputs / "generated/labels.c",
        )
    ).output


def sample_files(build: Build, usecase: SelectedUseCase, network: Path | None) -> list[Path]:
    """Declare the samples, in the form that the device's pre-processing takes.

    Args:
        build: where they are declared.
        usecase: whose.
        network: of `ethosmith.graph.models.network_inputs`.
    """
    folder = usecase.outputs / "samples"
    return [sample_file(build, usecase, one, folder, network) for one in usecase.samples]


def sample_file(
    build: Build,
    usecase: SelectedUseCase,
    sample: SelectedSample,
    folder: Path,
    network: Path | None = None,
) -> Path:
    """Declare one sample below ``folder``, as the device's pre-processing takes it."""
    if sample.mix is not None:
        return _mixed_file(build, usecase, sample.mix, folder, sample.name)
    seeded = sample.seed is not None
    return build.add(
        ConvertSample(
            input=None if seeded else _source_of(build, usecase, sample, folder / sample.name),
            format=None if seeded else sample.format,
            form=None if seeded else usecase.descriptor.sample_form,
            network=network if sample.format == "npy" else None,
            seed=sample.seed,
            output=folder / f"{sample.name}.bin",
        )
    ).output


def _mixed_file(build: Build, usecase: SelectedUseCase, mix: Mix, folder: Path, name: str) -> Path:
    sound = usecase.descriptor.sound
    return build.add(
        MixSamples(
            parts=tuple(folder / f"{part.sample}.bin" for part in mix.parts),
            at_s=tuple(part.at_s for part in mix.parts),
            rate_hz=sound.rate_hz if sound else 0,
            duration_s=mix.duration_s,
            noise_rms=mix.noise_rms,
            seed=mix.seed,
            output=folder / f"{name}.bin",
        )
    ).output


def _source_of(
    build: Build, usecase: SelectedUseCase, sample: SelectedSample, folder: Path
) -> Path:
    if sample.file is not None:
        return sample.file
    if sample.source is None:
        raise ValueError(f"sample {sample.name} has neither a seed, a mix, a file nor a source")
    return obtained_file(build, sample.source, usecase.folder, folder / sample.file_name)


def samples_source(build: Build, usecase: SelectedUseCase, files: Sequence[Path]) -> Path:
    """Declare samples.c, with ``files`` in the order of the use case's samples."""
    return build.add(
        GenerateSamples(
            usecase=usecase.name,
            names=tuple(sample.name for sample in usecase.samples),
            files=tuple(files),
            originals=tuple(sample.file_name for sample in usecase.samples),
            source=shown(build, usecase),
            output=usecase.outputs / "generated/samples.c",
        )
    ).output


def shown(build: Build, usecase: SelectedUseCase) -> str:
    """Return how generated files name the descriptor that they come from."""
    return build.project.shown(usecase.path)


def obtained_file(build: Build, origin: Origin, folder: Path, target: Path) -> Path:
    """Return the file that ``origin`` names: a local one itself, any other fetched to ``target``.

    Args:
        build: where it is declared.
        origin: of a descriptor.
        folder: of the descriptor.
        target: where a fetched file goes.
    """
    if origin.path:
        return build.project.relative(folder / origin.path)
    source: dict[str, Any] = build.project.source_of(origin)
    step = build.add(ObtainFile(source=source, output=target, offline=build.session.offline))
    build.engine.alias("deps", [step.output])
    return step.output


def obtained_members(build: Build, package: Package, members: Sequence[str]) -> list[Path]:
    """Declare ``members`` of a package, extracted below its folder."""
    folder = package_folder(package)
    prefix = f"{package.root}/" if package.root else ""
    step = build.add(
        ObtainMembers(
            source=package.source(None),
            members=tuple(prefix + member for member in members),
            strip_prefix=package.root or "",
            folder=folder,
            files=tuple(folder / member for member in members),
            offline=build.session.offline,
        )
    )
    build.engine.alias("deps", step.files)
    return list(step.files)
