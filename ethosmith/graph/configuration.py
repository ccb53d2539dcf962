# SPDX-License-Identifier: Apache-2.0
"""Which NPU on which platform: resolved once, and the only source for Vela, driver and board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ethosmith.descriptors.platform import Platform
from ethosmith.errors import EthosmithError
from ethosmith.graph.options import words
from ethosmith.models.vela_config import check_system_config
from ethosmith.npu.config import AcceleratorConfig


@dataclass(frozen=True)
class Configuration:
    """One configuration of the build."""

    platform: str
    accelerator: AcceleratorConfig
    memory_mode: str
    system_config: str
    build_type: str

    @property
    def npu_folder(self) -> str:
        """The folder of everything that depends on the NPU's setting."""
        return f"{self.accelerator.name}-{self.memory_mode.lower()}"

    @property
    def target_folder(self) -> str:
        """The folder of everything that depends on the platform."""
        return self.platform if self.build_type == "release" else f"{self.platform}-debug"

    @property
    def folder(self) -> Path:
        """The folder of the images, below build/."""
        return Path(self.target_folder) / self.npu_folder


def configurations(platform: Platform, values: dict[str, str]) -> list[Configuration]:
    """Return the configurations that the command line asks for: each NPU in each memory mode.

    Raises:
        EthosmithError: a name that the platform does not have, or two that do not fit.
    """
    accelerators = words(values["npu"]) or [platform.npu.default_config]
    found = [
        _configuration(platform, accelerator, mode, values)
        for accelerator in accelerators
        for mode in words(values["memory_mode"]) or [""]
    ]
    if not found:
        raise EthosmithError("npu= names no accelerator config")
    return found


def sweep_configurations(
    platform: Platform, values: dict[str, str]
) -> tuple[list[Configuration], list[str]]:
    """Return the configurations that fit the platform, and why the others do not, a line each.

    Without ``npu=`` every NPU of the platform is meant.

    Raises:
        EthosmithError: a name that the platform does not have, or nothing that fits.
    """
    found, left_out = [], []
    for accelerator in words(values["npu"]) or platform.npu.configs:
        product = platform.product_of(accelerator)
        for mode in words(values["memory_mode"]) or [product.memory_mode]:
            platform.memory_mode(mode)
            try:
                found.append(_configuration(platform, accelerator, mode, values))
            except EthosmithError as error:
                left_out.append(str(error))
    if not found:
        raise EthosmithError(f"no combination fits: {left_out[0]}")
    return found, left_out


def _configuration(
    platform: Platform, accelerator: str, memory_mode: str, values: dict[str, str]
) -> Configuration:
    product = platform.product_of(accelerator)
    mode = memory_mode or product.memory_mode
    platform.check_combination(accelerator, mode)
    return Configuration(
        platform=platform.name,
        accelerator=AcceleratorConfig.parse(accelerator),
        memory_mode=mode,
        system_config=check_system_config(values["system_config"] or product.system_config),
        build_type=values["build_type"],
    )
