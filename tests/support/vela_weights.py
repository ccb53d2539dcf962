# SPDX-License-Identifier: Apache-2.0
"""How large a network's weights are in Vela's stream."""

from __future__ import annotations

import csv
from pathlib import Path

from ethosmith.steps.compile_with_vela import CompileWithVela


def stream_bytes(network: Path) -> int:
    """Return how large Vela's compressed weights of a .tflite or .tosa are."""
    folder = network.parent / "vela"
    folder.mkdir(exist_ok=True)
    step = CompileWithVela(
        network=network,
        network_name=network.stem,
        accelerator_config="ethos-u55-128",
        system_config="Ethos_U55_High_End_Embedded",
        memory_mode="Shared_Sram",
        summary=folder / f"{network.stem}.csv",
        per_layer=folder / f"{network.stem}_layers.csv",
        operators=folder / f"{network.stem}.json",
    )
    step.run()
    with step.summary.open(newline="") as file:
        return int(next(csv.DictReader(file))["total_npu_encoded_weights"])
