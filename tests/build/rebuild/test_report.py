# SPDX-License-Identifier: Apache-2.0
"""Looking at a build runs nothing of it again, and shows the steps that it is made of."""

from __future__ import annotations

import csv
import json

import pytest

from tests.conftest import NewCopy

_IMAGE = "build/fvp/ethos-u55-128-shared_sram/kws"
_LABELS = "build/usecases/kws/generated/labels.c"


def test_a_report_of_a_built_image_runs_only_itself(copy_of_built: NewCopy) -> None:
    project = copy_of_built().cached()
    report = project.build("usecase=kws", "report")
    # The pipeline may come from the cache.
    assert report.steps - {f"PIPELINE {_IMAGE}_pipeline.json"} == {
        f"REPORT {_IMAGE}_report.htm",
        "REPORT build/report.htm",
    }
    assert 'href="fvp/ethos-u55-128-shared_sram/kws_report.htm"' in project.read("build/report.htm")
    assert project.build("usecase=kws").steps == set()


def test_the_way_in_a_report_goes_from_the_download_to_the_verified_run(
    copy_of_built: NewCopy,
) -> None:
    project = copy_of_built().cached()
    project.build("usecase=kws", "report")
    steps = json.loads(project.read(f"{_IMAGE}_pipeline.json"))
    made_by = {output: step for step in steps for output in step["outputs"]}
    way = [made_by[f"{_IMAGE}_verified.json"]]
    for step in way:
        way += [steps[need] for need in step["needs"] if steps[need] not in way]
    assert made_by["build/usecases/kws/model/keyword_spotting.h5"] in way
    verbs = {step["verb"] for step in way}
    assert {"SAMPLE", "FEATURES", "QUANTISE", "VELA", "FIT", "LINK", "RUN", "EXPECT"} <= verbs
    assert verbs.isdisjoint({"CC", "CXX", "AR"})
    link = made_by[f"{_IMAGE}.axf"]
    assert link["command"].startswith("arm-none-eabi-g++ -o ")
    assert all(step["command"] for step in steps)


@pytest.mark.long
def test_times_stand_beside_the_outputs_and_change_none_of_them(copy_of_built: NewCopy) -> None:
    project = copy_of_built().cached()
    (project.root / _LABELS).unlink()
    project.build("usecase=kws", "cache=none")
    kept = json.loads(project.read("build/.step_times.json"))
    assert kept[_LABELS] > 0
    manifest = project.read(f"{_IMAGE}_manifest.json")
    project.build("usecase=kws", "run", "report")
    newer = json.loads(project.read("build/.step_times.json"))
    changed = {name for name in newer if newer[name] != kept.get(name)}
    made = ("_result.json", "_pipeline.json", "_report.htm")
    assert changed <= {*(f"{_IMAGE}{suffix}" for suffix in made), "build/report.htm"}
    assert newer[_LABELS] == kept[_LABELS]
    assert project.read(f"{_IMAGE}_manifest.json") == manifest


def test_a_sweep_of_a_built_image_only_shows_it(copy_of_built: NewCopy) -> None:
    project = copy_of_built().cached()
    modes = "memory_mode=Shared_Sram,Dedicated_Sram"
    sweep = project.build("usecase=kws", "npu=ethos-u55-128", modes, "sweep")
    assert sweep.steps == set()
    assert "left out: memory mode Dedicated_Sram is not for ethos-u55-128" in sweep.stdout
    (row,) = csv.DictReader(project.read("build/sweep.csv").splitlines())
    run = json.loads(project.read(f"{_IMAGE}_verified.json"))
    inferences = [i for s in run["samples"] for i in s["windows"] or [s["counts"]]]
    most = max(inference["npu_cycles"] for inference in inferences)
    assert (row["npu"], row["memory_mode"]) == ("ethos-u55-128", "Shared_Sram")
    assert int(row["npu_cycles"]) == most
