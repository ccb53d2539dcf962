# SPDX-License-Identifier: Apache-2.0
"""The NPU configurations that the corpus is compiled for, and Vela called in this process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from ethosu import regor
from ethosu.vela.architecture_features import ArchitectureFeatures
from ethosu.vela.vela import get_compiler_config

from ethosmith.core.terminal import captured_output
from ethosu_model.config import AcceleratorConfig
from ethosu_model.harness import RawModel
from ethosu_model.u85.config import U85Config

_U55 = "Ethos_U55_High_End_Embedded"
_U65 = "Ethos_U65_High_End"
_U85_FLASH = "Ethos_U85_SYS_Flash_High"
_U85_DRAM = "Ethos_U85_SYS_DRAM_Mid"
_FAMILIES = {"ethos-u55": "EthosU55", "ethos-u65": "EthosU65", "ethos-u85": "EthosU85"}


class NotOnNpu(Exception):  # noqa: N818 - an answer of Vela's, not an error of ours
    """Vela would leave an operator to the CPU; the message is its reason."""


@dataclass(frozen=True)
class Target:
    """What Vela is told to compile for.

    Attributes:
        accelerator: Such as ``ethos-u55-128``.
        system: Vela's system config.
        memory: Vela's memory mode.
        optimise: ``Performance`` or ``Size``: the latter cascades and stripes more.
        arena_bytes: Limit of the arena, if not the memory mode's own.
    """

    accelerator: str
    system: str
    memory: str
    optimise: str = "Performance"
    arena_bytes: int | None = None

    @property
    def name(self) -> str:
        parts = [self.accelerator, self.memory]
        if self.optimise != "Performance":
            parts.append(self.optimise)
        if self.arena_bytes is not None:
            parts.append(f"{self.arena_bytes // 1024}KiB")
        return "/".join(parts)

    @property
    def config(self) -> AcceleratorConfig:
        parse = U85Config.parse if "-u85-" in self.accelerator else AcceleratorConfig.parse
        return parse(self.accelerator)


TARGETS = (
    *(
        Target(f"ethos-u55-{macs}", _U55, memory)
        for macs in (32, 64, 128, 256)
        for memory in ("Shared_Sram", "Sram_Only")
    ),
    *(
        Target(f"ethos-u65-{macs}", _U65, memory)
        for macs in (256, 512)
        for memory in ("Dedicated_Sram", "Dedicated_Sram_256KB", "Shared_Sram", "Sram_Only")
    ),
    Target("ethos-u55-128", _U55, "Shared_Sram", "Size"),
    Target("ethos-u65-512", _U65, "Dedicated_Sram_256KB", "Size"),
    Target("ethos-u55-64", _U55, "Shared_Sram", arena_bytes=16 << 10),
    Target("ethos-u65-256", _U65, "Dedicated_Sram", arena_bytes=16 << 10),
)
U85_TARGETS = (
    *(
        Target(f"ethos-u85-{macs}", _U85_DRAM, memory)
        for macs in (128, 256, 512, 1024, 2048)
        for memory in ("Dedicated_Sram_384KB", "Shared_Sram")
    ),
    *(Target(f"ethos-u85-{macs}", _U85_FLASH, "Sram_Only") for macs in (128, 256, 512, 1024, 2048)),
    Target("ethos-u85-256", _U85_DRAM, "Dedicated_Sram_512KB", "Size"),
    Target("ethos-u85-1024", _U85_DRAM, "Dedicated_Sram_256KB"),
    Target("ethos-u85-512", _U85_DRAM, "Dedicated_Sram", arena_bytes=16 << 10),
)


def target_named(name: str) -> Target:
    """Return the target of this name; KeyError if there is none."""
    return {target.name: target for target in (*TARGETS, *U85_TARGETS)}[name]


@cache
def _vela_settings(target: Target, *, disassemble: bool = False) -> tuple[str, str, str]:
    """Return regor's architecture name, system config and options, as Vela's main makes them."""
    ini = files("ethosu").joinpath("config_files/Arm/vela.ini")
    with captured_output():
        arch = ArchitectureFeatures(
            vela_config_files=[str(ini)],
            system_config=target.system,
            memory_mode=target.memory,
            accelerator_config=target.accelerator,
            max_blockdep=ArchitectureFeatures.MAX_BLOCKDEP,
            verbose_config=False,
            arena_cache_size=target.arena_bytes,
        )
    system = (
        f"[architecture]\nmacs={arch.num_macs_per_cycle}\ncores={arch.ncores}\n"
        f"[vela]\nsystem_config_name={target.system}\nmemory_mode_name={target.memory}\n"
    )
    options = get_compiler_config(
        enable_debug_db=False,
        verbose_all=False,
        verbose_high_level_command_stream=False,
        verbose_register_command_stream=disassemble,
        optimize=target.optimise,
        arena_cache_size=arch.arena_cache_size,
        verbose_schedule=False,
        verbose_allocation=False,
        verbose_graph=False,
        verbose_quantization=False,
        verbose_packing=False,
        verbose_performance=False,
        show_cpu_operations=False,
        output_format="raw",
        disable_chaining=False,
        disable_fwd=False,
        disable_cascading=False,
        disable_buffering=False,
        disable_ifm_reuse=False,
        cop_format="COP1",
        separate_io_regions=False,
        cpu_tensor_alignment=16,
        tensor_allocator="hillclimb",
        softmax_int16_neg_exp_range=10.0,
    )
    return _FAMILIES[target.config.product], system + ini.read_text(), options


def compile_for(target: Target, network: bytes, kind: str = "TFLITE") -> RawModel:
    """Compile a .tflite, or a flatbuffer of the kind ``TOSA``, with Vela.

    Raises:
        NotOnNpu: The network does not map wholly to the NPU.
    """
    return RawModel.from_arrays(compiled_arrays(target, network, kind))


def compiled_arrays(target: Target, network: bytes, kind: str = "TFLITE") -> dict[str, Any]:
    """Compile as ``compile_for`` does; return the arrays of the .npz file that Vela would write."""
    family, system, options = _vela_settings(target)
    with captured_output() as said:
        try:
            made = regor.compile(family, network, kind, system, options=options, verbose=False)
        except RuntimeError as refused:
            raise NotOnNpu(f"{refused} {said()}".strip()) from None
    return _arrays(made)


def disassembled(target: Target, network: bytes) -> tuple[RawModel, str]:
    """Compile a .tflite as ``compile_for`` does; also return what Vela says of the commands."""
    family, system, options = _vela_settings(target, disassemble=True)
    with captured_output() as said:
        made = regor.compile(family, network, "TFLITE", system, options=options, verbose=False)
        text = said()
    return RawModel.from_arrays(_arrays(made)), text


def _arrays(made: Any) -> dict[str, Any]:
    """Return the arrays that Vela's rawdata_writer would put into an .npz file."""
    arrays: dict[str, Any] = {
        "cmd_data": np.frombuffer(made.command_stream, np.uint8),
        "weight_data": np.frombuffer(made.read_only.data, np.uint8),
        "weight_region": made.read_only.region,
        "scratch_region": made.scratch.region,
        "scratch_size": made.scratch.size,
        "scratch_fast_region": made.scratch_fast.region,
        "scratch_fast_size": made.scratch_fast.size,
    }
    ends = (("input", made.inputs), ("output", made.outputs), ("variable", made.variables))
    for kind, tensors in ends:
        arrays |= {
            f"{kind}_shape": [t.shape for t in tensors],
            f"{kind}_elem_size": [t.element_size for t in tensors],
            f"{kind}_region": [t.region for t in tensors],
            f"{kind}_offset": [t.address for t in tensors],
        }
    return arrays
