# SPDX-License-Identifier: Apache-2.0
"""A shell completes targets, use cases, variables and values as bash would ask for them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.environment.tools import find_program
from ethosmith.graph.help import completion_script
from ethosmith.graph.project import Project
from tests.support.project_copy import ROOT


def completed(folder: Path, *words: str) -> set[str]:
    """Return bash's answers behind ``words``, which are split at = as bash does."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        f"{completion_script('bash', Project(ROOT))}\n"
        f"compopt() {{ :; }}\nCOMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}\n"
        "_ethosmith; printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    done = subprocess.run(
        [str(find_program("bash")), "--norc", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def test_a_word_is_a_target_a_use_case_or_a_variable(tmp_path: Path) -> None:
    assert completed(tmp_path, "./scons", "ac") == {"accuracy"}
    assert completed(tmp_path, "./scons", "kws") == {"kws", "kws_micro"}
    assert completed(tmp_path, "./scons", "kws", "memory_m") == {"memory_mode="}


def test_behind_a_variable_come_its_values_alone(tmp_path: Path) -> None:
    assert completed(tmp_path, "./scons", "build_type", "=") == {"release", "debug"}
    assert completed(tmp_path, "./scons", "npu", "=", "ethos-u65") == {
        "ethos-u65-256",
        "ethos-u65-512",
    }
    assert "run" not in completed(tmp_path, "./scons", "usecase", "=")


def test_use_cases_of_the_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "usecases/door").mkdir(parents=True)
    (tmp_path / "usecases/door/usecase.yaml").touch()
    assert completed(tmp_path, "ethosmith", "usecase", "=", "do") == {"door"}
    assert completed(tmp_path, "ethosmith", "doo") == {"door"}


def test_a_variable_with_a_path_completes_files(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").touch()
    assert completed(tmp_path, "ethosmith", "model", "=", "n") == {"net.tflite"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_scripts_for_other_shells_parse_and_hold_the_same_words(shell: str, tmp_path: Path) -> None:
    script = completion_script(shell, Project(ROOT))
    for word in ("doctor", "kws_micro", "memory_mode=", "ethos-u55-128", "Sram_Only"):
        assert word in script
    assert "@" not in script.replace("@(", "")
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


def test_another_shell_is_refused() -> None:
    with pytest.raises(EthosmithError, match="unknown shell 'csh'"):
        completion_script("csh", Project(ROOT))
