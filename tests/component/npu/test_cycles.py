# SPDX-License-Identifier: Apache-2.0
"""The cycle estimate knows what the memories cost, as Vela's own estimate does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.core.errors import EthosmithError
from ethosmith.core.vela_config import memory_timing
from ethosmith.report.vela_figures import read_estimate
from ethosmith.steps.compile_with_vela import CompileWithVela
from ethosu_model.harness import HostRunner, RawModel
from ethosu_model.memory_timing import MemoryTiming, SystemTiming
from tests.support.project_copy import ProjectCopy

U55, U65 = "Ethos_U55_High_End_Embedded", "Ethos_U65_High_End"
# 144 pairs of network and configuration are in docs/npu-model.md.
CASES = (
    ("ethos-u55-32", U55, "Shared_Sram"),
    ("ethos-u55-128", U55, "Sram_Only"),
    ("ethos-u55-256", U55, "Shared_Sram"),
    ("ethos-u65-256", U65, "Dedicated_Sram"),
)
TOLERANCE = 0.2


def _cycles(network: Path, folder: Path, npu: str, system: str, mode: str) -> tuple[int, int]:
    """Return the model's estimate for the DS-CNN, and Vela's."""
    step = CompileWithVela(
        network=network,
        network_name="net",
        accelerator_config=npu,
        system_config=system,
        memory_mode=mode,
        tflite=folder / "vela.tflite",
        summary=folder / "summary.csv",
        per_layer=folder / "per-layer.csv",
        operators=folder / "operators.json",
        raw=folder / "vela.npz",
    )
    step.run()
    model = RawModel.load(folder / "vela.npz")
    axi1 = {
        "Sram_Only": (),
        "Shared_Sram": (model.weights_region,),
        "Dedicated_Sram": (model.weights_region, model.scratch_region),
    }
    runner = HostRunner(model, parse_accelerator(npu, system), axi1_regions=axi1[mode])
    runner.run([np.zeros(one.shape, one.dtype) for one in model.inputs])
    return runner.device.totals.cycles, read_estimate(folder / "summary.csv").cycles


def test_totals_and_their_order_are_vela_s(built: ProjectCopy, tmp_path: Path) -> None:
    network = built.root / "build/usecases/kws/ds_cnn_int8.tflite"
    found = {case: _cycles(network, tmp_path, *case) for case in CASES}
    for case, (ours, vela) in found.items():
        assert ours == pytest.approx(vela, rel=TOLERANCE), case
    assert sorted(CASES, key=lambda one: found[one][0]) == sorted(
        CASES, key=lambda one: found[one][1]
    )


def test_a_system_config_gives_the_memories_behind_the_ports() -> None:
    assert memory_timing(U65) == SystemTiming(
        MemoryTiming(1.0, 32, 32, 32, 1, 16, 16), MemoryTiming(0.234375, 128, 500, 250, 1, 24, 12)
    )
    # Several ports to a memory share its transfers.
    assert memory_timing("Ethos_U85_SYS_DRAM_High") == SystemTiming(
        MemoryTiming(4.0, 64, 32, 32, 4, 8, 8), MemoryTiming(1.5, 128, 500, 250, 2, 64, 32)
    )
    with pytest.raises(EthosmithError, match="Ethos_U65_High_End"):
        memory_timing("Ethos_U65_High_Ent")
