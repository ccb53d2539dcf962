# SPDX-License-Identifier: Apache-2.0
"""A sweep leaves out what cannot be, says so, and gives the same figures to people and programs."""

from __future__ import annotations

import csv
import errno
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import Look
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.graph.configuration import configurations, sweep_configurations
from ethosmith.graph.options import check_options
from ethosmith.graph.session import Session
from ethosmith.report.comparison import Figures
from ethosmith.report.pareto import Accuracy, Candidate, best, best_text, pareto, parse_budgets
from ethosmith.report.sweep import csv_text, json_text, plot_svg, table_text
from ethosmith.report.vela_figures import Estimate
from tests.support.project_copy import ROOT

_PLAIN = Look(live=False, colour=False)


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform(ROOT / "platforms/fvp/platform.yaml")


def test_combinations_that_cannot_be_are_left_out_with_the_reason(platform: Platform) -> None:
    given = {"npu": "ethos-u55-64,ethos-u65-256", "memory_mode": "Sram_Only,Dedicated_Sram"}
    values = check_options(given)
    found, left_out = sweep_configurations(platform, values)
    assert [(c.npu_name, c.memory_mode) for c in found] == [
        ("ethos-u55-64", "Sram_Only"),
        ("ethos-u65-256", "Sram_Only"),
        ("ethos-u65-256", "Dedicated_Sram"),
    ]
    assert [reason.split(" on ")[0] for reason in left_out] == [
        "memory mode Dedicated_Sram is not for ethos-u55-64"
    ]
    with pytest.raises(EthosmithError, match="Dedicated_Sram is not for ethos-u55-64"):
        configurations(platform, values)


def test_without_npu_every_npu_of_the_platform_is_meant(platform: Platform) -> None:
    found, left_out = sweep_configurations(platform, check_options({}))
    assert [c.npu_name for c in found] == list(platform.npu.accelerator_configs)
    assert left_out == []


@pytest.mark.parametrize("given", [{"npu": "ethos-u55-127"}, {"memory_mode": "Shared_Ram"}])
def test_a_wrong_name_is_an_error_in_a_sweep_too(platform: Platform, given: dict[str, str]) -> None:
    with pytest.raises(EthosmithError, match="unknown"):
        sweep_configurations(platform, check_options(given))


def test_nothing_that_fits_is_an_error(platform: Platform) -> None:
    values = check_options({"npu": "ethos-u55-64", "memory_mode": "Dedicated_Sram"})
    with pytest.raises(EthosmithError, match="no combination fits: memory mode Dedicated_Sram"):
        sweep_configurations(platform, values)


def _figures(accelerator: str, npu_cycles: int) -> Figures:
    return Figures(
        usecase="kws",
        usecase_name="kws",
        own_files=(),
        revision="",
        target="fvp",
        accelerator_config=accelerator,
        memory_mode="Shared_Sram",
        runtime="direct",
        estimate=Estimate(2000, 1500, 5e8, 4e-6, 10, {}, {}),
        npu_cycles=npu_cycles,
        cpu_instructions=None,
        beats={"axi0_rd": 30, "axi0_wr": 20, "axi1_rd": 10},
        answers=(),
        simulator="open board 7.2",
        remark="",
        used_bytes={"SRAM": 4096, "DDR": 65536},
        flash_bytes=70000,
        ram_bytes=40000,
        stem=Path("build/kws"),
    )


def test_csv_has_plain_numbers_and_the_table_the_same_for_people() -> None:
    images = [Candidate(_figures("ethos-u55-32", 1234567)), Candidate(_figures("ethos-u55-128", 9))]
    first, second = csv.DictReader(csv_text(images).splitlines())
    assert (first["npu"], first["npu_cycles"], first["vela_ms"]) == (
        "ethos-u55-32",
        "1234567",
        "0.004",
    )
    assert second["ddr_bytes"] == "65536"
    lines = table_text(images, ["Sram_Only is not for it"], _PLAIN).splitlines()
    assert len({len(line) for line in lines[:3]}) == 1, "the columns do not line up"
    assert "1,234,567" in lines[1]
    assert lines[3].startswith("Ran on: open board 7.2.")
    assert lines[4] == "left out: Sram_Only is not for it"


def test_a_narrow_terminal_gets_images_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = ("ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256", "ethos-u65-512")
    images = [Candidate(_figures(name, 1234567 + i)) for i, name in enumerate(names)]
    text = table_text(images, [], Look(live=True, colour=False))
    assert max(map(len, text.splitlines())) <= 80
    for i, name in enumerate(names):
        assert name in text
        assert f"{1234567 + i:,}" in text


def _candidate(cycles: int, flash: int, sram: int, accuracy: float | None = None) -> Candidate:
    figures = replace(_figures("ethos-u55-128", cycles), flash_bytes=flash)
    measured = None if accuracy is None else Accuracy("top1", accuracy)
    return Candidate(replace(figures, used_bytes={"SRAM": sram}), measured)


def test_what_is_on_the_front_is_what_the_definition_says() -> None:
    """The definition is written out over all small candidates."""
    values = [
        _candidate(cycles, flash, sram, top1 / 10)
        for cycles, flash, sram, top1 in itertools.product((1, 2), (1, 3), (1, 2), (5, 6))
    ]
    values += [_candidate(1, 3, 1, 0.5), _candidate(2, 1, 2, 0.6)]

    def as_good(one: Candidate, other: Candidate) -> bool:
        assert one.accuracy is not None
        assert other.accuracy is not None
        return (
            one.figures.npu_cycles <= other.figures.npu_cycles
            and one.figures.flash_bytes <= other.figures.flash_bytes
            and one.figures.used_bytes["SRAM"] <= other.figures.used_bytes["SRAM"]
            and one.accuracy.value >= other.accuracy.value
        )

    expected = [
        not any(as_good(other, one) and not as_good(one, other) for other in values)
        for one in values
    ]
    assert pareto(values) == expected
    assert expected.count(True) == 1


def test_what_was_not_measured_neither_beats_nor_is_beaten() -> None:
    assert pareto([_candidate(1, 1, 1), _candidate(2, 2, 2, 0.5)]) == [True, True]
    # Equal ones do not beat each other.
    assert pareto([_candidate(1, 1, 1), _candidate(1, 1, 1), _candidate(1, 2, 1)]) == [
        *(True, True, False)
    ]
    low, high = (Candidate(_figures("x-1", 5), Accuracy("word_error_rate", v)) for v in (0.1, 0.2))
    assert pareto([low, high]) == [True, False]


def test_the_best_within_budgets_is_named() -> None:
    values = [_candidate(100, 10, 1, 0.9), _candidate(50, 20, 1, 0.9), _candidate(10, 10, 1, 0.8)]
    assert best(values, {}) == values[1]
    assert best(values, parse_budgets("flash:15")) == values[0]
    assert best(values, parse_budgets("cycles:20")) == values[2]
    assert best(values, parse_budgets("accuracy:0.85,cycles:0.1k")) == values[1]
    assert best(values, parse_budgets("accuracy:0.95")) is None
    assert best_text(values, parse_budgets("accuracy:0.85,cycles:20")) == (
        "None of 3 is within accuracy 0.85, cycles 20; so many keep each budget alone:"
        " accuracy: 2, cycles: 1\n"
    )
    assert json.loads(json_text(values, [], {"cycles": 20}))["best"] == 2
    # What was not measured keeps no budget of accuracy.
    assert best([_candidate(1, 1, 1)], {"accuracy": 0.1}) is None


def test_a_budget_has_a_name_and_a_number_with_a_unit() -> None:
    assert parse_budgets("cycles:200k,flash:0.5MiB") == {"cycles": 200_000, "flash": 524_288}
    for text in ("cycle:1", "cycles", "cycles:-1", "cycles:1,cycles:2", "flash:1GB"):
        with pytest.raises(EthosmithError, match="budget="):
            parse_budgets(text)


def test_the_plot_is_the_same_for_the_same_images_and_runs_nothing() -> None:
    values = [_candidate(100, 10, 1, 0.9), _candidate(50, 20, 1, 0.8)]
    text = plot_svg(values, pareto(values))
    assert text == plot_svg(values, pareto(values))
    assert "<script" not in text
    assert text.count("<circle") == 2


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nets").mkdir()
    listed = Path.iterdir

    def refusing(folder: Path) -> Iterator[Path]:
        if folder.name == "nets":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refusing)
    given = {"usecase": "kws", "model": str(tmp_path / "nets")}
    with pytest.raises(EthosmithError, match=r"model=.*nets: cannot be read: Permission denied"):
        _ = Session(given, ("sweep",), ROOT).usecases
