# SPDX-License-Identifier: Apache-2.0
"""The files of .vscode/ fit one another and what they start, and replace no file of a user."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.options import check_options
from ethosmith.graph.typed_words import Place, sort_words
from ethosmith.steps.write_vscode import WriteVscode
from open_board.arguments import parse_arguments, parser
from tests.support.project_copy import ROOT

_IMAGE = {
    "name": "kws ethos-u55-128",
    "axf": "build/fvp/ethos-u55-128-shared_sram/kws.axf",
    "npu": "ethos-u55-128",
    "arguments": ["usecase=kws", "npu=ethos-u55-128", "runtime=direct", "build_type=debug"],
}


@pytest.fixture
def step(tmp_path: Path) -> WriteVscode:
    return WriteVscode(
        images=(_IMAGE,),
        gdb_commands="build/fvp/npu_registers.gdb",
        command="ethosmith",
        folder=tmp_path / ".vscode",
    )


def read(step: WriteVscode, name: str) -> Any:
    _, _, text = (step.folder / name).read_text("utf-8").partition("\n")
    return json.loads(text)


def test_f5_builds_then_starts_the_board_then_attaches_where_it_listens(step: WriteVscode) -> None:
    step.run()
    (launch,) = read(step, "launch.json")["configurations"]
    tasks = {task["label"]: task for task in read(step, "tasks.json")["tasks"]}
    board = tasks[launch["preLaunchTask"]]
    job = parse_arguments(parser().parse_args(board["args"][1:]))
    assert launch["miDebuggerServerAddress"] == f"localhost:{job.gdb_port}"
    assert launch["program"].endswith(f"/{job.job.axf}")
    assert job.job.accelerator.name == "ethos-u55-128"
    assert board["dependsOn"] in tasks


def test_tasks_start_what_the_command_line_takes(step: WriteVscode) -> None:
    step.run()
    for task in read(step, "tasks.json")["tasks"]:
        words = [word for word in task["args"] if not task["label"].startswith("board")]
        given = dict(word.split("=", 1) for word in words if "=" in word)
        check_options(given)
        sort_words([word for word in words if "=" not in word], (), Place(ROOT, ROOT))


def test_every_descriptor_has_its_schema(step: WriteVscode) -> None:
    step.run()
    schemas = read(step, "settings.json")["yaml.schemas"]
    assert {Path(name).name for name in schemas} == {p.name for p in (ROOT / "schemas").iterdir()}
    assert schemas["schemas/usecase.json"] == "usecases/*/usecase.yaml"


def test_own_files_are_renewed_and_a_user_s_is_kept(step: WriteVscode) -> None:
    step.run()
    step.run()
    theirs = step.folder / "tasks.json"
    theirs.write_text("{}")
    (step.folder / "launch.json").unlink()
    with pytest.raises(EthosmithError, match=r"tasks\.json: is your own file"):
        step.run()
    assert theirs.read_text() == "{}"
    assert not (step.folder / "launch.json").exists()
