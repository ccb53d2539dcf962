# SPDX-License-Identifier: Apache-2.0
"""What a build ends with fits 80 columns and leaves no figure out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ethosmith.descriptors.platform import load_platform
from ethosmith.graph.configuration import configurations
from ethosmith.graph.engine import StepCounts
from ethosmith.graph.options import check_options
from ethosmith.graph.summary import BuiltImage, summary_text
from tests.support.project_copy import ROOT

_COUNTS = ("npu_cycles", "axi0_rd", "axi0_wr", "axi1_rd", "axi1_wr", "cpu_instructions")
_LONG = "yes@1.47s no@3.07s down@4.19s stop@5.47s go@6.75s left@8.01s right@9.33s"


def sample(name: str, answer: str, first: int) -> dict[str, Any]:
    counts = {key: 1_000_000 * (first + index) for index, key in enumerate(_COUNTS)}
    verdict = {"judgement": "right", "equal": True}
    return {"name": name, "answer": answer, "score": "0.9232", "counts": counts, **verdict}


@pytest.fixture
def image(tmp_path: Path) -> BuiltImage:
    platform = load_platform(ROOT / "platforms/fvp/platform.yaml")
    names = ("ITCM", "DTCM", "SRAM", "DDR", "BRAM")
    regions = [{"region": name, "used_bytes": 123_456, "size_bytes": 1 << 20} for name in names]
    (tmp_path / "size.json").write_text(json.dumps({"regions": regions}))
    samples = [sample("yes", "yes", 10), sample("several_words", _LONG, 20)]
    simulator = {"name": "open board", "version": "7.2.22"}
    verified = {"simulator": simulator, "samples": samples, "oracle": "LiteRT's kernels"}
    (tmp_path / "verified.json").write_text(json.dumps(verified))
    (configuration,) = configurations(platform, check_options({}))
    usage, checked = (str(tmp_path / f"{name}.json") for name in ("size", "verified"))
    return BuiltImage("kws", configuration, "build/kws.axf", usage, checked)


def test_every_figure_is_there_within_80_columns(image: BuiltImage) -> None:
    shown = summary_text([image], ran=True)
    assert max(map(len, shown.splitlines())) <= 80
    for first in (10, 20):
        for index in range(len(_COUNTS)):
            assert f"{1_000_000 * (first + index):,}" in shown
    for word in (*_LONG.split(), "ITCM", "BRAM", "0.9232", "build/kws.axf"):
        assert word in shown


def test_only_what_was_counted_has_a_column(image: BuiltImage) -> None:
    assert "AXI1 wr" in summary_text([image], ran=True)
    run = json.loads(Path(image.verified).read_text())
    for one in run["samples"]:
        del one["counts"]["axi1_wr"]
    Path(image.verified).write_text(json.dumps(run))
    assert "AXI1 wr" not in summary_text([image], ran=True)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        (StepCounts(7, 34, 0), "7 of 41 steps ran, 34 from the cache"),
        (StepCounts(1, 0, 40), "1 of 41 steps ran, 40 up to date"),
        (StepCounts(0, 2, 39), "0 of 41 steps ran, 2 from the cache, 39 up to date"),
        (StepCounts(0, 0, 41), ""),
        (StepCounts(0, 0, 0), ""),
    ],
    ids=str,
)
def test_one_line_says_what_a_build_did(counts: StepCounts, text: str) -> None:
    assert counts.text == text
