# SPDX-License-Identifier: Apache-2.0
"""Which NPU, platform and runtime: resolved once, the only source for Vela, driver and board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.core.errors import EthosmithError
from ethosmith.core.vela_config import check_system_config
from ethosmith.descriptors.board import PrebuiltImage
from ethosmith.descriptors.board_facts import Board
from ethosmith.descriptors.platform import Platform
from ethosmith.graph.options import words
from ethosmith.graph.runtimes import (
    DIRECT,
    EXECUTORCH,
    TFLITE,
    Runtime,
    runtime_named,
    runtimes_for_the_cpu,
)
from ethosu_model.config import AcceleratorConfig

# The value of npu= for the CPU alone.
NO_NPU = "none"
# Its outputs lie in the folder of the platform; those of others have a folder of their own.
DEFAULT_TOOLCHAIN = "gcc"


class Configuration(NamedTuple):
    """One configuration of the build.

    Attributes:
        platform: its name.
        runtime: what executes the network.
        accelerator: the NPU that the network is for; None: it runs on the CPU alone.
        board_npu: the NPU that the board has, for the network or not.
        memory_mode: which memory holds what of a network. On the CPU alone, the mode of the
            board's NPU, for the places of the network and its arena.
        system_config: of Vela; empty on the CPU alone.
        build_type: ``release`` or ``debug``.
        toolchain: name of the device's toolchain.
        prebuilt_image: the image that executes the network, where the runtime links none and has
            one for the board.
    """

    platform: str
    runtime: Runtime
    accelerator: AcceleratorConfig | None
    board_npu: AcceleratorConfig
    memory_mode: str
    system_config: str
    build_type: str
    toolchain: str = DEFAULT_TOOLCHAIN
    prebuilt_image: PrebuiltImage | None = None

    @property
    def npu_name(self) -> str:
        """The value of ``npu=``."""
        return self.accelerator.name if self.accelerator else NO_NPU

    @property
    def program(self) -> str:
        """The library that holds the image's main()."""
        return self.runtime.program if self.accelerator else self.runtime.cpu_program

    @property
    def vela_folder(self) -> str:
        """The folder of what Vela makes; runtimes that take the same of it share it."""
        form = "-tflite" if self.runtime.has_cpu_kernels else ""
        form = "-executorch" if self.runtime == EXECUTORCH else form
        return f"{self.npu_name}-{self.memory_mode.lower()}-{self.system_config.lower()}{form}"

    @property
    def npu_folder(self) -> str:
        """The folder of everything that depends on the NPU's setting and the runtime."""
        setting = "cpu"
        if self.accelerator is not None:
            setting = f"{self.accelerator.name}-{self.memory_mode.lower()}"
        return setting if self.runtime == DIRECT else f"{setting}-{self.runtime.name}"

    @property
    def title(self) -> str:
        """For people: NPU and memory mode, and the runtime where it is not the default."""
        npu = f"{self.accelerator.name} {self.memory_mode}" if self.accelerator else "CPU alone"
        return npu if self.runtime == DIRECT else f"{npu} {self.runtime.name}"

    @property
    def target_folder(self) -> str:
        """The folder of everything that depends on the platform."""
        compiler = [] if self.toolchain == DEFAULT_TOOLCHAIN else [self.toolchain]
        build_type = [] if self.build_type == "release" else [self.build_type]
        return "-".join([self.platform, *compiler, *build_type])

    @property
    def folder(self) -> Path:
        """The folder of the images, below build/."""
        return Path(self.target_folder) / self.npu_folder


class _Combination(NamedTuple):
    """What one configuration was asked to be; no ``memory_mode``: the NPU's default."""

    runtime: Runtime
    npu: str
    memory_mode: str


def configurations(platform: Platform, values: Mapping[str, str]) -> list[Configuration]:
    """Return the configurations that the command line asks for.

    Each runtime on each NPU in each memory mode; the CPU alone (``npu=none``) has no modes.

    Raises:
        EthosmithError: a name that the platform does not have, or two that do not fit.
    """
    npus = words(values["npu"]) or [platform.npu.default_accelerator_config]
    found = [_configuration(platform, one, values) for one in _combinations(values, npus)]
    if not found:
        raise EthosmithError("npu= is empty; see scons list")
    return found


def values_for_board(values: Mapping[str, str], board: Board | None) -> Mapping[str, str]:
    """Return the command line's values with the board's NPU and memory mode where none is given.

    Raises:
        EthosmithError: another NPU or memory mode than the board's is given, or none is known.
    """
    if board is None:
        return values
    asked = f"board={board.name}"
    config = board.npu.accelerator_config or values["npu"]
    if not config:
        raise EthosmithError(
            f"{asked}: no public document tells the MACs of its {board.npu.product}: give npu=,"
            f" such as npu={board.npu.product}-256"
        )
    if values["npu"] not in {"", config} or not config.startswith(f"{board.npu.product}-"):
        expected = board.npu.accelerator_config or f"one of {board.npu.product}"
        raise EthosmithError(f"{asked} has another NPU: npu={values['npu']}, expected {expected}")
    mode = board.model.memory_mode
    if values["memory_mode"] not in {"", mode}:
        raise EthosmithError(
            f"{asked} places models for memory_mode={mode}, not {values['memory_mode']}"
        )
    return {**values, "npu": config, "memory_mode": mode}


def sweep_configurations(
    platform: Platform, values: Mapping[str, str]
) -> tuple[list[Configuration], list[str]]:
    """Return the configurations that fit the platform, and why the others do not, a line each.

    Without ``npu=`` every NPU of the platform is meant.

    Raises:
        EthosmithError: a name that the platform does not have, or nothing that fits.
    """
    found, left_out = [], []
    for one in _combinations(values, words(values["npu"]) or platform.npu.accelerator_configs):
        if one.npu != NO_NPU:
            platform.product_of(one.npu)
        if one.memory_mode:
            platform.memory_mode(one.memory_mode)
        try:
            found.append(_configuration(platform, one, values))
        except EthosmithError as error:
            left_out.append(str(error))
    if not found:
        raise EthosmithError(f"no combination fits: {left_out[0]}")
    return found, left_out


def _combinations(values: Mapping[str, str], npus: Sequence[str]) -> list[_Combination]:
    runtimes = [runtime_named(name) for name in words(values["runtime"])]
    if not runtimes:
        raise EthosmithError("runtime= is empty; see scons -h")
    for option in ("memory_mode", "system_config"):
        if values[option] and all(npu == NO_NPU for npu in npus):
            raise EthosmithError(f"{option}= cannot be used with npu=none")
    modes = words(values["memory_mode"]) or [""]
    return [
        _Combination(runtime, npu, mode)
        for runtime in runtimes
        for npu in npus
        for mode in (modes if npu != NO_NPU else [""])
    ]


def _configuration(
    platform: Platform, one: _Combination, values: Mapping[str, str]
) -> Configuration:
    if one.npu == NO_NPU:
        return _on_the_cpu(platform, one.runtime, values)
    product = platform.product_of(one.npu)
    mode = one.memory_mode or product.memory_mode
    platform.check_combination(one.npu, mode)
    if one.runtime.products and product.name not in one.runtime.products:
        raise EthosmithError(
            f"runtime={one.runtime.name} drives {' and '.join(one.runtime.products)} only, not"
            f" {one.npu}: leave runtime= out"
        )
    accelerator = parse_accelerator(one.npu)
    return Configuration(
        platform=platform.name,
        runtime=one.runtime,
        accelerator=accelerator,
        board_npu=accelerator,
        memory_mode=mode,
        system_config=check_system_config(values["system_config"] or product.system_config),
        build_type=values["build_type"],
        toolchain=values["toolchain"],
        prebuilt_image=_prebuilt_image(platform, one.runtime, product.name, mode),
    )


def _on_the_cpu(platform: Platform, runtime: Runtime, values: Mapping[str, str]) -> Configuration:
    if not runtime.has_cpu_kernels or TFLITE not in runtime.takes:
        raise EthosmithError(
            f"npu=none: runtime={runtime.name} runs no network on the CPU alone; give"
            f" {runtimes_for_the_cpu()}"
        )
    image = None if runtime.links_image else platform.prebuilt_image_for_the_cpu
    board_npu = (
        _first_npu(platform, image.product) if image else platform.npu.default_accelerator_config
    )
    product = platform.product_of(board_npu)
    return Configuration(
        platform=platform.name,
        runtime=runtime,
        accelerator=None,
        board_npu=parse_accelerator(board_npu),
        memory_mode=product.memory_mode,
        system_config="",
        build_type=values["build_type"],
        toolchain=values["toolchain"],
        prebuilt_image=image,
    )


def _first_npu(platform: Platform, product: str) -> str:
    found = (
        config for config in platform.npu.accelerator_configs if config.startswith(f"{product}-")
    )
    return next(found)


def _prebuilt_image(
    platform: Platform, runtime: Runtime, product: str, mode: str
) -> PrebuiltImage | None:
    if runtime.links_image:
        return None
    image = platform.prebuilt_image(runtime.name, product, mode)
    if image is None and not runtime.runs_on_host:
        raise EthosmithError(platform.no_prebuilt_image(runtime.name, product, mode))
    return image
