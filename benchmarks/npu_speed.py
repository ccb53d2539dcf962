# SPDX-License-Identifier: Apache-2.0
"""Run whole networks on the NPU model: are they exact, and how fast beside LiteRT.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.npu_speed [--targets NAME,...] [--rounds N]

Times are processor time, the best of N runs with loaded networks; "first" is a run with
nothing kept yet, which decodes the weights. LiteRT runs its reference kernels on one thread.
Elements that differ from LiteRT and from TFLite Micro are counted; with the latter none may.
Cycles are the model's estimate, /Vela that over Vela's own.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ethosu.vela import vela
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import PMU
from numpy.typing import NDArray

from ethosmith.core.terminal import captured_output
from ethosu_model.harness import HostRunner
from tests.support.networks.trained import NETWORKS, mobilenet_v2, quantised
from tests.support.npu_corpus.check import MicroReference, Reference
from tests.support.npu_corpus.targets import NotOnNpu, Target, compile_for, target_named
from tests.support.project_copy import ROOT

Arrays = list[NDArray[Any]]
_SEED = 7


@dataclass(frozen=True)
class Measurement:
    """One network on one target."""

    first_s: float
    npu_s: float
    litert_s: float
    cycles: int
    vela_cycles: int
    elements: int
    from_litert: int
    from_tflm: int


def measure(network: bytes, target: str, rounds: int) -> Measurement:
    """Compile, run and compare a network."""
    wanted = target_named(target)
    reference = Reference(network)
    inputs = _inputs(reference)
    runner = HostRunner(compile_for(wanted, network), wanted.config)
    begun = time.process_time()
    got = runner.run(inputs)
    first_s = time.process_time() - begun
    cycles = runner.device.read_register(PMU.PMCCNTR_LO.value)
    return Measurement(
        first_s=first_s,
        npu_s=_best(lambda: runner.run(inputs), rounds),
        litert_s=_best(lambda: reference.run(inputs), rounds),
        cycles=cycles,
        vela_cycles=vela_cycles(network, wanted),
        elements=sum(array.size for array in got),
        from_litert=_differences(got, reference.run(inputs)),
        from_tflm=_differences(got[:1], MicroReference(network).run(inputs)),
    )


def vela_cycles(network: bytes, target: Target) -> int:
    """Return Vela's own estimate of the network's cycles, from its summary."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "network.tflite"
        path.write_bytes(network)
        with captured_output():
            vela.main(
                [
                    *(str(path), "--output-dir", made, "--config", "Arm/vela.ini"),
                    *("--accelerator-config", target.accelerator, "--optimise", target.optimise),
                    *("--system-config", target.system, "--memory-mode", target.memory),
                ]
            )
        (summary,) = Path(made).glob("*_summary_*.csv")
        with summary.open(newline="") as file:
            return round(float(next(csv.DictReader(file))["cycles_total"]))


def networks(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and int8 .tflite of each network; what is in ``folder`` is not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[Path], bytes]] = {
        network.id: partial(quantised, network) for network in NETWORKS
    }
    for name, make in (makers | {"mobilenet_v2_224": mobilenet_v2}).items():
        path = folder / f"{name}.int8"
        if not path.exists():
            path.write_bytes(make(folder))
        yield name, path.read_bytes()


def _inputs(reference: Reference) -> Arrays:
    random = np.random.default_rng(_SEED)
    return [
        random.integers(-128, 128, detail["shape"], dtype=np.int8)
        for detail in reference.input_details()
    ]


def _best(run: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        run()
        best = min(best, time.process_time() - begun)
    return best


def _differences(got: Arrays, wanted: Arrays) -> int:
    return sum(
        int(np.count_nonzero(mine.ravel() != theirs.ravel()))
        for mine, theirs in zip(got, wanted, strict=True)
    )


def main(argv: Sequence[str]) -> int:
    """Print a line per network and target; 1 if TFLite Micro does not explain a difference."""
    parser = argparse.ArgumentParser(description="NPU model: exactness and speed")
    parser.add_argument("--targets", default="ethos-u55-128/Shared_Sram")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "npu_networks")
    options = parser.parse_args(argv)
    print(
        f"{'network':<46}{'target':<30}{'first ms':>9}{'ms':>9}{'LiteRT ms':>10}{'ratio':>7}"
        f"{'est. cycles':>12}{'/Vela':>6}{'elements':>9}{'!=LiteRT':>9}{'!=TFLM':>7}"
    )
    wrong = 0
    for name, network in networks(options.folder):
        for target in options.targets.split(","):
            try:
                m = measure(network, target, options.rounds)
            except NotOnNpu as refusal:
                print(f"{name}: left out: {refusal}")
                continue
            wrong += m.from_tflm
            print(
                f"{name:<46}{target:<30}{1e3 * m.first_s:>9.1f}{1e3 * m.npu_s:>9.1f}"
                f"{1e3 * m.litert_s:>10.2f}{m.npu_s / m.litert_s:>7.1f}{m.cycles:>12}"
                f"{m.cycles / m.vela_cycles:>6.2f}"
                f"{m.elements:>9}{m.from_litert:>9}{m.from_tflm:>7}"
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
