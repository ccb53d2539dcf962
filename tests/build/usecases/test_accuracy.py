# SPDX-License-Identifier: Apache-2.0
"""`scons accuracy`: three columns, the device's from the device, and limits that fail the build."""

from __future__ import annotations

import csv
import json
import shutil
import wave
from pathlib import Path

import pytest

from tests.support.kills import kill_at_first_note
from tests.support.project_copy import ROOT, ProjectCopy

pytestmark = pytest.mark.long

_USECASE = "usecases/kws/usecase.yaml"
_RESULT = "build/fvp/ethos-u55-128-shared_sram/kws_accuracy.json"
# The twelve words in reverse, on the device alone.
_HOST = "        answer->text = sure || !kws::is_word(labels[best]) ? labels[best] : kUnsure;\n"
_DEVICE = (
    "#if defined(__arm__)\n        answer->text = labels[label_count - 1 - best];\n"
    f"#else\n{_HOST}#endif\n"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """Keyword spotting, measured on its five words and a variant of each."""
    project = ProjectCopy.fresh(tmp_path_factory.mktemp("accuracy") / "a project").cached()
    project.replace(_USECASE, "count: 100", "count: 5")
    project.replace(_USECASE, "minimum: 0.6", "minimum: 0.5")
    project.build("accuracy", "usecase=kws")
    return project


def _place(project: ProjectCopy, words: str, value: str) -> str:
    """Return ``file:line:column`` of the value behind ``words``."""
    for number, line in enumerate(project.read(_USECASE).splitlines(), start=1):
        if words in line:
            return f"{_USECASE}:{number}:{line.index(value, line.index(words)) + 1}"
    raise AssertionError(f"{_USECASE} has no '{words}'")


def test_a_second_call_makes_nothing_and_shows_the_table(project: ProjectCopy) -> None:
    before = project.read(_RESULT)
    outcome = project.build("accuracy", "usecase=kws")
    assert outcome.steps == set()
    (row,) = [line.split() for line in outcome.stdout.splitlines() if line.startswith("kws ")]
    values = json.loads(before)["values"]
    assert row[1:6] == ["top1", "10", *(f"{values[c]:.4f}" for c in ("float", "int8", "device"))]
    assert row[-1] == "pass"
    assert project.read(_RESULT) == before


def test_a_device_that_is_wrong_fails_the_build(project: ProjectCopy) -> None:
    """The host's columns stay as they are: nothing of the device's comes from there."""
    before = json.loads(project.read(_RESULT))["values"]
    project.replace("usecases/kws/src/kws.cc", _HOST, _DEVICE)
    try:
        outcome = project.scons("accuracy", "usecase=kws")
    finally:
        project.replace("usecases/kws/src/kws.cc", _DEVICE, _HOST)
    assert outcome.exit_code != 0
    assert json.loads(project.read(_RESULT))["values"] == {**before, "device": 0.0}
    errors = [line for line in outcome.text.splitlines() if line.startswith("error: ")]
    drop, limit = _place(project, "device: 0.0", "0.0"), _place(project, "minimum: 0.5", "0.5")
    assert errors == [
        f"error: {limit}: accuracy.minimum: kws on ethos-u55-128 Shared_Sram: top1 of the device"
        " is 0, below 0.5",
        f"error: {drop}: accuracy.max_drop.device: kws on ethos-u55-128 Shared_Sram: top1 is"
        f" {before['int8']:g} worse from int8 to device, more than 0",
    ]


@pytest.mark.slow
def test_an_own_set_is_measured_beside_the_use_cases(project: ProjectCopy) -> None:
    wav = next((ROOT / "usecases/ad/samples").glob("*.wav"))
    for label in ("silence", "unknown"):
        (project.root / "my set" / label).mkdir(parents=True, exist_ok=True)
        (project.root / "my set" / label / "motor.wav").write_bytes(wav.read_bytes())
    words = ("accuracy", "usecase=kws", "evaluation=my set")
    outcome = project.scons(*words)
    assert outcome.exit_code != 0
    # A motor is neither, and the use case's own limit holds for every set.
    place = _place(project, "minimum: 0.5", "0.5")
    assert f"error: {place}: accuracy.minimum: kws on" in outcome.stderr
    own = json.loads(project.read(_RESULT.replace("accuracy.json", "accuracy@my set.json")))
    assert [row["name"] for row in own["answers"]] == ["silence-motor", "unknown-motor"]
    (project.root / "my set" / "silence").rename(project.root / "my set" / "silense")
    outcome = project.scons(*words)
    assert outcome.exit_code != 0
    assert "my set/silense/motor.wav: unknown label 'silense'; did you mean" in outcome.text


@pytest.mark.slow
def test_a_sweep_shows_the_accuracy_that_is_measured_with_it(project: ProjectCopy) -> None:
    """Also where ``sweep`` is named first."""
    words = ("sweep", "accuracy", "usecase=kws", "npu=ethos-u55-128")
    outcome = project.build(*words, "budget=accuracy:0.5")
    (row,) = csv.DictReader(project.read("build/sweep.csv").splitlines())
    assert float(row["accuracy"]) == json.loads(project.read(_RESULT))["values"]["device"]
    assert "Best within accuracy 0.5: kws ethos-u55-128" in outcome.stdout
    # What nobody measures cannot be within a budget.
    outcome = project.scons("sweep", "usecase=kws", "budget=accuracy:0.5")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("error: budget=accuracy needs the target 'accuracy'")


def _many_clips(folder: Path, count: int) -> None:
    """Write clips of half a second, each of another content."""
    for number in range(count):
        path = folder / ("silence", "unknown")[number % 2] / f"{number:02}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(number.to_bytes(2, "little") * 8_000)


@pytest.mark.slow
def test_a_killed_run_goes_on_behind_its_last_shard(project: ProjectCopy, tmp_path: Path) -> None:
    project = project.copy(tmp_path / "a copy")
    # So that few items make several shards.
    limits = "MIN_ITEMS, MAX_ITEMS = 32, 512"
    project.replace("ethosmith/accuracy/shards.py", limits, "MIN_ITEMS, MAX_ITEMS = 2, 2")
    _many_clips(project.root / "many", 6)
    words = ("accuracy", "usecase=kws", "evaluation=many")
    done = f"DEVICE    {_RESULT.replace('.json', '.axf')}, shard 1 of 3, 2 items"
    kill_at_first_note(project, *words)
    outcome = project.scons(*words)
    assert "RESUMED   " in outcome.stdout
    assert done not in outcome.stdout
    assert ": 6 of 6 items, " in outcome.stdout
    resumed = project.read(_RESULT.replace("accuracy.json", "accuracy@many.json"))
    names = [row["name"] for row in json.loads(resumed)["answers"]]
    assert names == [f"silence-{n:02}" for n in (0, 2, 4)] + [f"unknown-{n:02}" for n in (1, 3, 5)]
    # All at once, without any memory of before, the result is the same.
    shutil.rmtree(project.root / "build" / ".ethosmith")
    for path in project.root.glob("build/fvp/*/kws_accuracy@many*"):
        path.unlink() if path.is_file() else shutil.rmtree(path)
    assert "RESUMED   " not in project.scons(*words).stdout
    assert project.read(_RESULT.replace("accuracy.json", "accuracy@many.json")) == resumed


def test_what_cannot_be_measured_is_told_in_one_line(project: ProjectCopy) -> None:
    outcome = project.scons("accuracy", "usecase=kws", f"evaluation={_USECASE}")
    assert outcome.exit_code == 2
    assert outcome.stderr == f"error: evaluation={_USECASE}: give a folder, not a file\n"
    outcome = project.scons("usecase=kws", "evaluation=usecases")
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "error: evaluation= is only valid with the targets accuracy, live and train\n"
    )
