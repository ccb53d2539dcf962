# SPDX-License-Identifier: Apache-2.0
"""Compile an int8 network for the NPU with Vela; every output is named beforehand."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import (
    MAX_MODEL_BYTES,
    read_bytes,
    read_json,
    write_bytes,
    write_text,
)
from ethosmith.steps.step import Input, OptionalInput, OptionalOutput, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.models.vela import CpuOperator

_TOSA = ".tosa"


@step(
    verb="VELA",
    packages=("ai-edge-litert", "ethos-u-vela", "numpy"),
    distributable=True,
    isolated=True,
)
class CompileWithVela(Step):
    """Compile an int8 network for the NPU with Vela.

    Attributes:
        network: the int8 .tflite, or a .tosa.
        described: of a .tosa, where in the user's source its convolutions are, of the step
            lower-pytorch.
        network_name: its name.
        accelerator_config: Vela's name of the NPU, such as ``ethos-u55-128``.
        system_config: Vela's name of the system's timing.
        memory_mode: Vela's name of where the model lies, such as ``Shared_Sram``.
        optimise: ``Performance`` or ``Size``.
        arena_cache_size_bytes: limit of the NPU's fast memory; none: as the memory mode says.
        tflite: the network with its NPU operators compiled; none: of a .tosa there is none.
        summary: Vela's estimate for the whole network, CSV.
        per_layer: Vela's estimate for each layer, CSV.
        operators: which operators stay on the CPU, JSON.
        raw: command stream, weights and offsets, for which the whole network must be on the NPU;
            none: operators may stay on the CPU.
    """

    network: Input
    described: OptionalInput = None
    network_name: str
    accelerator_config: str
    system_config: str
    memory_mode: str
    optimise: str = "Performance"
    arena_cache_size_bytes: int | None = None
    tflite: OptionalOutput = None
    summary: Output
    per_layer: Output
    operators: Output
    raw: OptionalOutput = None

    def run(self) -> None:
        """Run Vela and write its outputs.

        Raises:
            EthosmithError: Vela refuses the network or an option, or there is to be a raw output
                and operators would run on the CPU: then with a table of them.
        """
        from ethosmith.models.compiled import with_zero_points

        with tempfile.TemporaryDirectory(prefix="vela-") as temporary:
            # Vela names its outputs after the network.
            source = Path(temporary) / f"{self.network_name}{self.network.suffix}"
            source.write_bytes(read_bytes(self.network, limit_bytes=MAX_MODEL_BYTES))
            is_tosa = self.network.suffix == _TOSA
            # TOSA is compiled as a whole, or refused.
            left = [] if is_tosa else self._compile_tflite(source)
            if self.raw is not None or is_tosa:
                self._vela(source, "raw")
            if self.raw is not None:
                made = source.with_name(f"{source.stem}_vela.npz")
                write_bytes(self.raw, read_bytes(made) if is_tosa else with_zero_points(made))
            for output, end in (
                (self.tflite, "vela.tflite"),
                (self.summary, f"summary_{self.system_config}.csv"),
                (self.per_layer, "per-layer.csv"),
            ):
                if output is not None:
                    made = source.with_name(f"{source.stem}_{end}")
                    write_bytes(output, read_bytes(made, limit_bytes=MAX_MODEL_BYTES))
        report = {"cpu_operators": [asdict(operator) for operator in left]}
        write_text(self.operators, json.dumps(report, indent=2) + "\n")

    def _compile_tflite(self, source: Path) -> list[CpuOperator]:
        """Compile the .tflite to a .tflite, and return what stays on the CPU."""
        from ethosmith.models.int8_check import verify_tflite
        from ethosmith.models.vela import (
            OperatorsLeftError,
            cpu_operators,
            fallback_table,
            nowhere_message,
        )

        # Vela's reader trusts its input: a damaged file would crash the process.
        verify_tflite(read_bytes(source, limit_bytes=MAX_MODEL_BYTES), str(self.network))
        said = self._vela(source, "tflite")
        left = cpu_operators(source.with_name(f"{source.stem}_vela.tflite"), said)
        nowhere = nowhere_message(str(self.network), left)
        if nowhere is not None:
            raise EthosmithError(nowhere)
        if self.raw is not None and left:
            raise OperatorsLeftError(fallback_table(str(self.network), left))
        return left

    def _vela(self, network: Path, output_format: str) -> str:
        """Run Vela beside ``network``, and return what it printed."""
        from ethosmith.models.vela import call_vela, vela_arguments

        arguments = vela_arguments(
            self.accelerator_config,
            self.system_config,
            self.memory_mode,
            self.optimise,
            self.arena_cache_size_bytes,
        )
        try:
            return call_vela(network, [*arguments, "--output-format", output_format])
        except EthosmithError as error:
            place = self._place(str(error))
            if not place:
                raise
            raise EthosmithError(f"{error}{place}") from None

    def _place(self, said: str) -> str:
        """Return where the convolutions are, if Vela refuses one of a .tosa; it names none."""
        if self.described is None:
            return ""
        from ethosmith.pytorch.places import among_places

        at = among_places(said, read_json(self.described).get("convolutions", []))
        return f" (a convolution{at})" if at else ""

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the network."""
        from ethosmith.models.vela import vela_crashed

        return vela_crashed(self.network, signal)

    @property
    def title(self) -> str:
        """The network, the NPU and the memory mode."""
        return f"{self.network_name} {self.accelerator_config} {self.memory_mode}"
