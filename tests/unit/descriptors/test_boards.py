# SPDX-License-Identifier: Apache-2.0
"""Boards that people own: every figure has a source, and what has none is never invented."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.board_facts import Board, load_board
from ethosmith.graph.configuration import values_for_board
from ethosmith.steps.check_board_fit import board_plan
from ethosmith.steps.check_fit import check_fit
from ethosmith.steps.generate_board_header import board_header
from tests.support.project_copy import ROOT

FILES = sorted((ROOT / "boards").glob("*.yaml"))


def board(name: str) -> Board:
    return load_board(ROOT / "boards" / f"{name}.yaml")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_figure_names_its_source_and_nobody_claims_a_run(path: Path) -> None:
    found = load_board(path)
    assert found.ran == "never"
    known = not any("commit are not known" in line for line in found.unknown)
    for source in (found.npu.source, *(region.source for region in found.regions)):
        assert not known or re.search(r"[0-9a-f]{40}|global_map\.h|/[\w.]+\.rst", source), source
    header = board_header(found, f"{found.npu.product}-256", found.model.memory_mode)
    assert "no image of ours has run on it" in header
    assert ("#error" in header) == (found.npu.address is None or found.npu.irq is None)
    for region in found.regions:
        assert (
            f'X("{region.name}", {region.address:#010x}u, {region.size_bytes:#010x}u, 1)' in header
        )


@dataclass(frozen=True)
class Wrong:
    """An edit of a good file, and the error it has to cause."""

    old: str
    new: str
    problem: str


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(
            "command_stream: {region: MRAM", "command_stream: {region: MRAN", "did you mean 'MRAM'"
        ),
        Wrong("    npu: true\n", "    npu: false\n", "the NPU does not reach MRAM"),
        Wrong("ethos-u55-256", "ethos-u55-255", "unknown accelerator config of ethos-u55"),
        Wrong("  irq: 55\n", "", "needs a line 'npu.irq: "),
        Wrong("ran: never", "ran: always", "ran"),
    ],
    ids=lambda wrong: wrong.new.strip() or wrong.old.strip(),
)
def test_a_board_that_contradicts_itself_is_refused(tmp_path: Path, wrong: Wrong) -> None:
    text = (ROOT / "boards" / "alif-e7-hp.yaml").read_text("utf-8")
    assert wrong.old in text
    path = tmp_path / "alif-e7-hp.yaml"
    path.write_text(text.replace(wrong.old, wrong.new, 1), encoding="utf-8")
    with pytest.raises(EthosmithError) as error:
        load_board(path)
    assert wrong.problem in str(error.value)
    assert re.match(rf"{re.escape(str(path))}:\d+", str(error.value))


def test_the_command_line_takes_the_board_s_npu_and_no_other() -> None:
    none = {"npu": "", "memory_mode": ""}
    chosen = {"npu": "ethos-u55-256", "memory_mode": "Shared_Sram"}
    assert values_for_board(none, board("alif-e7-hp")) == chosen
    assert values_for_board(chosen, board("alif-e7-hp")) == chosen
    assert values_for_board(none, None) == none
    u65 = {"npu": "ethos-u65-256", "memory_mode": ""}
    assert values_for_board(u65, board("imx93-evk"))["memory_mode"] == "Sram_Only"
    for given, name, problem in (
        (none, "imx93-evk", "no public document tells the MACs of its ethos-u65: give npu="),
        (u65, "ek-ra8p1", "has another NPU: npu=ethos-u65-256, expected one of ethos-u55"),
        ({**none, "npu": "ethos-u55-64"}, "alif-e7-hp", "expected ethos-u55-256"),
        (
            {**none, "memory_mode": "Sram_Only"},
            "alif-e7-hp",
            "places models for memory_mode=Shared",
        ),
    ):
        with pytest.raises(EthosmithError, match=problem):
            values_for_board(given, board(name))


def test_a_model_is_checked_against_the_board_s_memories() -> None:
    imx93 = board("imx93-evk")
    parts = {"command_stream": 4096, "weights": 32768, "scratch": 61440, "samples": 1 << 30}
    check_fit(board_plan(imx93, parts))  # 96 KiB, to the last byte
    with pytest.raises(EthosmithError, match=r"region OCRAM: .*\(32 bytes too many\)"):
        check_fit(board_plan(imx93, {**parts, "scratch": 61441}))
