# SPDX-License-Identifier: Apache-2.0
"""Find out which operator of the network each command of the NPU came from."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes, write_text
from ethosmith.steps.step import Input, Output, Step, step

_TOSA = ".tosa"


@step(
    verb="MAP",
    packages=("ai-edge-litert", "ethos-u-vela", "numpy"),
    distributable=True,
    isolated=True,
)
class MapCommands(Step):
    """Compile a network as the step compile-with-vela does, with Vela's debug database.

    Attributes:
        network: the int8 .tflite, or a .tosa.
        network_name: its name.
        compiled: what that step made of it: a raw output or a .tflite.
        accelerator_config: Vela's name of the NPU, such as ``ethos-u55-128``.
        system_config: Vela's name of the system's timing.
        memory_mode: Vela's name of where the model lies, such as ``Shared_Sram``.
        optimise: ``Performance`` or ``Size``.
        arena_cache_size_bytes: limit of the NPU's fast memory; none: as the memory mode says.
        output: operators with Vela's estimates, and the commands of each stream, JSON.
    """

    network: Input
    network_name: str
    compiled: Input
    accelerator_config: str
    system_config: str
    memory_mode: str
    optimise: str = "Performance"
    arena_cache_size_bytes: int | None = None
    output: Output

    def run(self) -> None:
        """Compile and write the map.

        Raises:
            EthosmithError: Vela refuses the network, or compiles it otherwise than before.
        """
        from ethosmith.models.command_map import read_command_map
        from ethosmith.models.vela import call_vela, vela_arguments

        arguments = vela_arguments(
            self.accelerator_config,
            self.system_config,
            self.memory_mode,
            self.optimise,
            self.arena_cache_size_bytes,
        )
        is_raw = self.compiled.suffix == ".npz"
        with tempfile.TemporaryDirectory(prefix="vela-") as temporary:
            source = Path(temporary) / f"{self.network_name}{self.network.suffix}"
            source.write_bytes(read_bytes(self.network, limit_bytes=MAX_MODEL_BYTES))
            form = ("--output-format", "raw" if is_raw else "tflite")
            call_vela(source, [*arguments, *form, "--enable-debug-db"])
            made = source.with_name(f"{source.stem}_vela{self.compiled.suffix}")
            if _commands(made) != _commands(self.compiled):
                raise EthosmithError(
                    f"{self.compiled}: Vela compiles the network to other commands now; build it"
                    " again"
                )
            known = None if self.network.suffix == _TOSA else source
            found = read_command_map(source.with_name(f"{source.stem}_debug.xml"), known)
        write_text(self.output, json.dumps(found.data(), indent=1) + "\n")

    @property
    def title(self) -> str:
        """The network, the NPU and the memory mode."""
        return f"{self.network_name} {self.accelerator_config} {self.memory_mode}"


def _commands(compiled: Path) -> bytes:
    """Return the commands in a raw output of Vela; of a .tflite, all of it."""
    if compiled.suffix != ".npz":
        return read_bytes(compiled, limit_bytes=MAX_MODEL_BYTES)
    import numpy as np

    with np.load(compiled, allow_pickle=False) as arrays:
        return bytes(arrays["cmd_data"].tobytes())
