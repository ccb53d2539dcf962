# SPDX-License-Identifier: Apache-2.0
"""Where each output lies below build/: two configurations share what they can, never more."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ethosmith.descriptors.origin import Origin, Package
from ethosmith.descriptors.usecase import Mix, Sample, TimedLabel, UseCase
from ethosmith.descriptors.words import SampleFormat
from ethosmith.graph.configuration import Configuration

BUILD = Path("build")
# What builds know of files; it can be deleted at any time, and no output depends on it.
NOTES = BUILD / ".ethosmith"
BUILD_OPTIONS = "build_options.c"
HOST_LIBRARIES = BUILD / "host/lib"


class SelectedSample(NamedTuple):
    """A sample of this build: the descriptor's, or the user's own ``file``."""

    name: str
    source: Origin | None = None
    file: Path | None = None
    format: SampleFormat | None = None
    mix: Mix | None = None
    seed: int | None = None
    expect: str | None = None
    expect_times: tuple[TimedLabel, ...] | None = None

    @property
    def file_name(self) -> str:
        """The last part of the file's name; empty for a mix or a seed."""
        if self.file is not None:
            return self.file.name
        return self.source.file_name if self.source is not None else ""

    @classmethod
    def of(cls, sample: Sample) -> SelectedSample:
        """Return the descriptor's ``sample``."""
        return cls(
            name=sample.name,
            source=sample.source,
            format=sample.format,
            mix=sample.mix,
            seed=sample.seed,
            expect=sample.expect,
            expect_times=sample.expect_times,
        )


class OwnFiles(NamedTuple):
    """What the user gave in place of the descriptor's; paths relative to the project.

    Attributes:
        model: of ``model=``.
        builder: of ``model=FILE.py:BUILDER``; empty: none is named.
        labels: of ``labels=``, and ``labels_file`` its name.
        samples: of ``samples=``, and ``samples_folder`` its name.
        runs: of ``runs=``, how many seeds; 0: those of the descriptor.
    """

    model: Path | None = None
    builder: str = ""
    labels: tuple[str, ...] | None = None
    labels_file: Path | None = None
    samples: tuple[SelectedSample, ...] | None = None
    samples_folder: Path | None = None
    runs: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what was given, as they stand in the names of outputs."""
        given = (self.model, self.labels_file, self.samples_folder)
        named = [path.stem for path in given if path]
        return (*named, *([f"{self.runs}-runs"] if self.runs else []))


class SelectedUseCase(NamedTuple):
    """A use case of this build, perhaps with another model, labels or samples than its own.

    Attributes:
        descriptor: what usecase.yaml says.
        path: of usecase.yaml, relative to the project.
        own: what the user gave in its place.
    """

    descriptor: UseCase
    path: Path
    own: OwnFiles = OwnFiles()

    @property
    def name(self) -> str:
        """The use case's name."""
        return self.descriptor.name

    @property
    def model_name(self) -> str:
        """The network's name, in file names and on the device."""
        return self.model_path.stem if self.model_path else self.descriptor.model.name

    @property
    def variant(self) -> str:
        """Names the outputs: another model does not disturb those of the use case's own."""
        return "@".join((self.name, *self.own.names))

    @property
    def model_path(self) -> Path | None:
        """The model of ``model=``; none: the descriptor's."""
        return self.own.model

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of ``labels=``, or the descriptor's."""
        return self.descriptor.labels if self.own.labels is None else self.own.labels

    @property
    def samples(self) -> tuple[SelectedSample, ...]:
        """The samples of ``samples=``, or the descriptor's.

        With another model or other labels, the descriptor's answers are not expected.
        """
        if self.own.samples is not None:
            return self.own.samples
        if self.own.runs:
            seeds = range(1, self.own.runs + 1)
            return tuple(SelectedSample(f"run-{seed}", seed=seed) for seed in seeds)
        own = tuple(SelectedSample.of(sample) for sample in self.descriptor.samples)
        if self.own.model or self.own.labels:
            return tuple(sample._replace(expect=None, expect_times=None) for sample in own)
        return own

    @property
    def folder(self) -> Path:
        """The folder that the descriptor's paths are relative to."""
        return self.path.parent

    @property
    def outputs(self) -> Path:
        """The folder of what does not depend on the NPU."""
        return BUILD / "usecases" / self.variant


def package_folder(package: Package) -> Path:
    """Return the folder of a package's extracted members."""
    return BUILD / "packages" / f"{package.name}-{package.version}"


def repository_link(name: str) -> str:
    """Return the link to a git repository's files: its checkout, or the user's folder."""
    return (BUILD / "repositories" / name).as_posix()


def vela_folder(usecase: SelectedUseCase, configuration: Configuration) -> Path:
    """Return the folder of Vela's outputs; every platform with the same NPU shares it."""
    return BUILD / "vela" / configuration.vela_folder / usecase.variant


def image_folder(configuration: Configuration) -> Path:
    """Return the folder of the images of one configuration."""
    return BUILD / configuration.folder


def image_file(usecase: SelectedUseCase, configuration: Configuration, suffix: str) -> Path:
    """Return the file of one image whose name ends in ``suffix``: ``.axf``, ``_result.json``."""
    return image_folder(configuration) / f"{usecase.variant}{suffix}"


def object_folder(configuration: Configuration, image: str) -> Path:
    """Return the folder of the objects that only the image of that name has."""
    return image_folder(configuration) / "obj" / image


def shared_library_folder(configuration: Configuration) -> Path:
    """Return the folder of device libraries that are the same for every NPU setting."""
    return BUILD / configuration.target_folder / "lib"
