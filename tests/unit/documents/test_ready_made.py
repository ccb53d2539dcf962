# SPDX-License-Identifier: Apache-2.0
"""The workflow, the Dockerfile and the devcontainer name commands and files that are there."""

from __future__ import annotations

import json
import re
import shlex

import pytest
import yaml

from tests.support.project_copy import ROOT

_WORKFLOW = ROOT / ".github/workflows/test.yml"
_DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def test_the_workflow_runs_commands_of_the_readme() -> None:
    jobs = yaml.safe_load(_WORKFLOW.read_text("utf-8"))["jobs"]
    runs = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {"./scons usecase=kws target=fvp", "./scons test"} <= set(runs)
    for command in runs:
        program = shlex.split(command)[0]
        assert (ROOT / program.removeprefix("./")).is_file()
        assert program in readme


def test_the_workflow_asks_for_no_rights_to_write() -> None:
    text = _WORKFLOW.read_text("utf-8")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in text
    # A tag can be moved to other code.
    actions = re.findall(r"uses: \S+@(\S+)", text)
    assert actions and all(re.fullmatch("[0-9a-f]{40}", action) for action in actions)
    # Text of an event in a shell command would be run.
    assert not re.search(r"run:.*\$\{\{", text)


def test_the_image_runs_the_wrapper_and_leaves_machine_files_out() -> None:
    entry = re.search(r"^ENTRYPOINT (\[.*\])$", _DOCKERFILE, re.MULTILINE)
    copied = re.search(r"^COPY \. (\S+)$", _DOCKERFILE, re.MULTILINE)
    assert entry and copied
    assert json.loads(entry[1]) == [f"{copied[1]}/scons"]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert {".git", ".venv", "build"} <= set(ignored)
    assert re.search(r"^FROM \S+:\S+$", _DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("program", ["git", "python3", "python3-venv"])
def test_the_image_has_what_the_wrapper_needs_first(program: str) -> None:
    assert program in re.findall(r"[\w.-]+", _DOCKERFILE)


def test_the_devcontainer_begins_with_the_readme_s_first_command() -> None:
    settings = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
    assert settings["postCreateCommand"] == "./scons usecase=kws target=fvp"
