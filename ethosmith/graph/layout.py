# SPDX-License-Identifier: Apache-2.0
"""Where each output lies below build/: two configurations share what they can, never more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ethosmith.descriptors.package import Package
from ethosmith.descriptors.usecase import UseCase
from ethosmith.graph.configuration import Configuration

BUILD = "build"
HOST_LIBRARIES = f"{BUILD}/host/lib"


@dataclass(frozen=True)
class SelectedUseCase:
    """A use case of this build, perhaps with another model than its own.

    Attributes:
        descriptor: what usecase.yaml says.
        path: of usecase.yaml, relative to the project.
        model_path: the model of ``model=``, relative to the project; none: the descriptor's.
    """

    descriptor: UseCase
    path: Path
    model_path: Path | None = None

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
        return f"{self.name}@{self.model_path.stem}" if self.model_path else self.name

    @property
    def folder(self) -> Path:
        """The folder that the descriptor's paths are relative to."""
        return self.path.parent

    @property
    def outputs(self) -> str:
        """The folder of what does not depend on the NPU."""
        return f"{BUILD}/usecases/{self.variant}"


def package_folder(package: Package) -> str:
    """Return the folder of a package's extracted members."""
    return f"{BUILD}/packages/{package.name}-{package.version}"


def vela_folder(usecase: SelectedUseCase, configuration: Configuration) -> str:
    """Return the folder of Vela's outputs; every platform with the same NPU shares it."""
    npu = f"{configuration.npu_folder}-{configuration.system_config.lower()}"
    return f"{BUILD}/vela/{npu}/{usecase.variant}"


def image_folder(configuration: Configuration) -> str:
    """Return the folder of the images of one configuration."""
    return f"{BUILD}/{configuration.folder.as_posix()}"


def object_folder(usecase: SelectedUseCase, configuration: Configuration) -> str:
    """Return the folder of a use case's own objects in one configuration."""
    return f"{image_folder(configuration)}/obj/{usecase.variant}"


def shared_library_folder(configuration: Configuration) -> str:
    """Return the folder of device libraries that are the same for every NPU setting."""
    return f"{BUILD}/{configuration.target_folder}/lib"
