# SPDX-License-Identifier: Apache-2.0
"""Vela's estimates of the parts of one network, added up."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.vela_estimate import whole_summary
from ethosmith.report.vela_figures import read_estimate, weight_bytes

_MEMORIES = ("sram", "dram", "on_chip_flash", "off_chip_flash")


def _part(cycles: int, used_kib: float, moved: int, weights: int) -> dict[str, str]:
    return {
        "network": "out",
        "core_clock": "500000000.0",
        "inferences_per_second": "0",
        "inference_time": repr(cycles / 5e8),
        "nn_macs": "100",
        "nn_tops": "0",
        "cycles_npu": str(cycles // 2),
        "cycles_total": str(cycles),
        "total_npu_encoded_weights": str(weights),
        **{f"{one}_memory_used": repr(used_kib) for one in _MEMORIES},
        **{f"{one}_total_bytes": str(moved) for one in _MEMORIES},
    }


def test_parts_add_up_and_share_their_memory(tmp_path: Path) -> None:
    path = tmp_path / "net_summary.csv"
    parts = [_part(1000, 2.0, 30, 400), _part(500, 3.0, 7, 50)]
    path.write_text(whole_summary(Path("net.py"), parts), "utf-8")
    whole = read_estimate(path)
    assert (whole.cycles, whole.npu_cycles, whole.macs) == (1500, 750, 200)
    assert whole.clock_hz == 5e8
    assert whole.seconds == pytest.approx(3e-6)
    assert whole.used_bytes["sram"] == 3 * 1024
    assert whole.used_bytes["off_chip_flash"] == 5 * 1024
    assert set(whole.moved_bytes.values()) == {37}
    assert weight_bytes(path) == 450


def test_one_without_an_estimate_or_with_other_columns_is_one_line() -> None:
    with pytest.raises(EthosmithError, match=r"net\.py: Vela wrote no summary"):
        whole_summary(Path("net.py"), [])
    broken = _part(1, 1.0, 1, 1)
    del broken["nn_macs"]
    with pytest.raises(EthosmithError, match=r"net\.py: not a valid summary of Vela"):
        whole_summary(Path("net.py"), [broken])
