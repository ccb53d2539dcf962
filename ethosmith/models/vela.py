# SPDX-License-Identifier: Apache-2.0
"""Compile an int8 network for the NPU with Vela; every output is named beforehand.

For the accelerator, system config and memory mode given, writes into the output
folder: NAME_vela.tflite, NAME_summary.csv, NAME_per-layer.csv, NAME_operators.json
(which operators are on the NPU and which fall back to the CPU) and, unless the CPU may
have operators, NAME_vela.npz (command stream, weights and offsets).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_bytes, write_text
from ethosmith.core.program import run_step
from ethosmith.core.terminal import captured_output
from ethosmith.core.vela_config import CONFIG_FILE
from ethosmith.models.fallback import CpuOperator, cpu_operators, fallback_table
from ethosmith.models.int8_check import load_interpreter
from ethosmith.models.outputs import VelaOutputs


@dataclass(frozen=True)
class VelaOptions:
    """What Vela is told; each is one of Vela's own options."""

    accelerator_config: str
    system_config: str
    memory_mode: str
    optimise: str = "Performance"
    arena_cache_size_bytes: int | None = None
    extra: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """Return the command line for Vela, without the network and the folder."""
        arguments = [
            *("--config", CONFIG_FILE),
            *("--accelerator-config", self.accelerator_config),
            *("--system-config", self.system_config),
            *("--memory-mode", self.memory_mode),
            *("--optimise", self.optimise),
            "--verbose-performance",
            *self.extra,
        ]
        if self.arena_cache_size_bytes is not None:
            arguments += ["--arena-cache-size", str(self.arena_cache_size_bytes)]
        return arguments


def compile_network(
    network: Path, name: str, folder: Path, options: VelaOptions, *, need_raw: bool = True
) -> VelaOutputs:
    """Compile ``network`` (.tflite, int8) and write the outputs named by `VelaOutputs`.

    Args:
        network: the quantised network.
        name: the network's name, which names the outputs.
        folder: where the outputs go.
        options: accelerator, system config, memory mode and optimisation.
        need_raw: make the raw output too, for which the whole network must be on the NPU.

    Raises:
        EthosmithError: Vela refuses the network or an option, or ``need_raw`` and
            operators would run on the CPU: then with a table of them.
    """
    # Vela's reader trusts its input: a damaged file would crash the process.
    load_interpreter(network)
    outputs = VelaOutputs.of(name, folder)
    with tempfile.TemporaryDirectory(prefix="vela-") as temporary:
        work = Path(temporary)
        source = work / f"{name}.tflite"
        source.write_bytes(network.read_bytes())
        said = _run(source, work, options, "tflite")
        made = VelaOutputs.of(name, work)
        left = cpu_operators(made.tflite, said)
        if left and need_raw:
            raise EthosmithError(fallback_table(str(network), left))
        if need_raw:
            _run(source, work, options, "raw")
            write_bytes(outputs.raw, made.raw.read_bytes())
        _keep(made, outputs, work / f"{name}_summary_{options.system_config}.csv", left)
    return outputs


def _keep(made: VelaOutputs, outputs: VelaOutputs, summary: Path, left: list[CpuOperator]) -> None:
    write_bytes(outputs.tflite, made.tflite.read_bytes())
    write_bytes(outputs.summary, summary.read_bytes())
    write_bytes(outputs.per_layer, made.per_layer.read_bytes())
    report = {"cpu_operators": [asdict(operator) for operator in left]}
    write_text(outputs.operators, json.dumps(report, indent=2) + "\n")


def _run(network: Path, folder: Path, options: VelaOptions, output_format: str) -> str:
    """Run Vela in this process and return what it printed."""
    from ethosu.vela import vela  # noqa: PLC0415 takes half a second

    arguments = [str(network), "--output-dir", str(folder), "--output-format", output_format]
    failure = None
    with captured_output() as said:
        try:
            code = vela.main([*arguments, *options.arguments()])
        except SystemExit as stop:
            code = stop.code
        except Exception as error:  # noqa: BLE001 Vela raises many kinds; all mean "refused"
            failure = f"{error}"
            code = 1
        text = str(said())
    if code:
        raise EthosmithError(f"Vela refuses {network.name}: {_reason(failure, text)}")
    return text


def _reason(failure: str | None, text: str) -> str:
    lines = [line.strip() for line in (failure or text).splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line]
    return (errors or lines or ["no reason given"])[-1][:400]


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ethosmith.models.vela", description=__doc__)
    parser.add_argument("--network", type=Path, required=True, help="int8 .tflite")
    parser.add_argument("--name", required=True, help="names the outputs")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--accelerator-config", required=True)
    parser.add_argument("--system-config", required=True)
    parser.add_argument("--memory-mode", required=True)
    parser.add_argument("--optimise", choices=["Performance", "Size"], default="Performance")
    parser.add_argument("--arena-cache-size", type=int, help="bytes")
    parser.add_argument("--allow-cpu", action="store_true", help="operators may stay on the CPU")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    given = _parse(argv)
    options = VelaOptions(
        accelerator_config=given.accelerator_config,
        system_config=given.system_config,
        memory_mode=given.memory_mode,
        optimise=given.optimise,
        arena_cache_size_bytes=given.arena_cache_size,
    )
    compile_network(
        given.network, given.name, given.output_dir, options, need_raw=not given.allow_cpu
    )


if __name__ == "__main__":
    sys.exit(run_step(main))
