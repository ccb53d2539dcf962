# SPDX-License-Identifier: Apache-2.0
"""`scons train` calls the descriptor's script with the host program, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project_copy import ProjectCopy

# Says with what it was called.
_SCRIPT = """import pathlib, sys
pathlib.Path("called").write_text(" ".join(sys.argv[1:]), "utf-8")
"""

# Trains a part of the host program; what it leaves outside of the folder is not taken over.
_WORKERS_SCRIPT = """import os, pathlib, sys
import ethosmith.accuracy.metrics
folder = pathlib.Path(__file__).resolve().parent
assert not os.path.exists("ethosmith") and not os.path.exists("firmware")
print("  seen:", *sorted(path.name for path in folder.parent.iterdir()))
(folder / "weights.bin").write_bytes(pathlib.Path(sys.argv[2]).read_bytes()[:100])
pathlib.Path("outside").touch()
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = ProjectCopy.fresh(tmp_path_factory.mktemp("training") / "a project").cached()
    copy.write("usecases/asr/model/train.py", _SCRIPT)
    return copy


def test_train_runs_the_script_with_the_host_program(project: ProjectCopy) -> None:
    outcome = project.build("train", "usecase=asr")
    program = "build/usecases/asr/host/asr_host"
    assert "TRAIN     usecases/asr/model/train.py" in outcome.stdout.splitlines()
    assert project.read("called") == f"--program {program}"
    assert (project.root / program).is_file()
    assert not any(step.startswith(("VELA", "RUN", "QUANTISE")) for step in outcome.steps)

    (project.root / "my clips").mkdir()
    project.build("train", "usecase=asr", "evaluation=my clips")
    assert project.read("called") == f"--program {program} --recorded my clips"


def test_a_worker_trains_in_a_copy_and_the_folder_gets_what_changed(project: ProjectCopy) -> None:
    before = project.read("usecases/asr/usecase.yaml")
    project.write("usecases/asr/model/train.py", _WORKERS_SCRIPT)
    try:
        outcome = project.build("train", "usecase=asr", "steps=local:1")
    finally:
        project.write("usecases/asr/model/train.py", _SCRIPT)
    assert "note: steps" not in outcome.text
    # What it prints comes back, and what it read was all that it could see.
    assert "  seen: model samples src usecase.yaml" in outcome.stdout
    assert "          usecases/asr/model/weights.bin" in outcome.stdout
    program = project.read_bytes("build/usecases/asr/host/asr_host")
    assert project.read_bytes("usecases/asr/model/weights.bin") == program[:100]
    assert project.read("usecases/asr/usecase.yaml") == before
    assert not (project.root / "outside").exists()


def test_only_train_trains(project: ProjectCopy) -> None:
    outcome = project.scons("-n", "usecase=asr")
    assert "TRAIN" not in outcome.text
    assert "QUANTISE" in outcome.text


def test_train_without_a_script_says_so(project: ProjectCopy) -> None:
    outcome = project.scons("train", "usecase=kws")
    assert outcome.exit_code == 2
    assert outcome.stderr == "error: train: no training script in the descriptor of kws\n"


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    copy = ProjectCopy.fresh(tmp_path).cached()
    copy.replace("usecases/asr/usecase.yaml", "train: model/train.py", "train: model/tarin.py")
    outcome = copy.scons("train", "usecase=asr")
    assert outcome.exit_code == 2
    assert "usecase.yaml:12:8: file not found" in outcome.stderr
    assert "train.py" in outcome.stderr
