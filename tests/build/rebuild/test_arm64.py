# SPDX-License-Identifier: Apache-2.0
"""On an arm64 host the pre- and post-processing gets the same bits as on this one."""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NewCopy
from tests.support import needs
from tests.support.project_copy import ProjectCopy

_USECASES = ("kws", "ad", "img_class")
# The answer of `ad` needs the input too; its post-processing is no part of this test.
_OUTPUT = {"kws": "1x12", "img_class": "1x10"}


def _host_entries(project: ProjectCopy, usecase: str) -> list[dict[str, Any]]:
    """Return how the host program of ``usecase`` is compiled."""
    (project.root / "compile_commands.json").unlink(missing_ok=True)
    project.build(f"usecase={usecase}", "compile_commands")
    entries = json.loads(project.read("compile_commands.json"))
    return [entry for entry in entries if Path(entry["arguments"][0]).name in ("cc", "c++")]


def _program_for_arm64(project: ProjectCopy, usecase: str, folder: Path) -> Path:
    objects = []
    for number, entry in enumerate(_host_entries(project, usecase)):
        program, *options = entry["arguments"]
        gcc = "aarch64-linux-gnu-g++" if program.endswith("c++") else "aarch64-linux-gnu-gcc"
        objects.append(str(folder / f"{number}.o"))
        options[options.index("-o") + 1] = objects[-1]
        subprocess.run([gcc, *options], cwd=project.root, check=True, timeout=60)
    program = folder / f"{usecase}_host"
    link = ["aarch64-linux-gnu-g++", "-static", "-Wl,--gc-sections", "-o", str(program)]
    subprocess.run([*link, *objects], check=True, timeout=60)
    return program


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="compares with x86-64")
@pytest.mark.parametrize("usecase", _USECASES)
def test_features_and_answers_are_equal_to_the_bit(
    copy_of_built: NewCopy, tmp_path: Path, usecase: str
) -> None:
    needs.program("aarch64-linux-gnu-g++")
    emulator = needs.program("qemu-aarch64-static")
    project = copy_of_built()
    project.build(f"usecase={usecase}", f"build/usecases/{usecase}/expected.json")
    programs = [
        [str(project.root / f"build/usecases/{usecase}/host/{usecase}_host")],
        [emulator, str(_program_for_arm64(project, usecase, tmp_path))],
    ]
    for arguments, given in _runs(project, usecase):
        outputs = [
            subprocess.run(
                [*program, *arguments], input=given, capture_output=True, check=True, timeout=120
            ).stdout
            for program in programs
        ]
        assert outputs[0] == outputs[1], arguments
        assert outputs[0], arguments


def _runs(project: ProjectCopy, usecase: str) -> list[tuple[list[str], bytes]]:
    """Return arguments and standard input of runs: every sample's features, and one answer."""
    expected = json.loads(project.read(f"build/usecases/{usecase}/expected.json"))
    shape = "x".join(
        map(str, json.loads(project.read(f"build/usecases/{usecase}/input_shape.json")))
    )
    count = len(expected["samples"])
    features = [(["preprocess", str(i), "float32", "0", "0", shape], b"") for i in range(count)]
    if usecase not in _OUTPUT:
        return features
    values = bytes((37 * i + 11) % 256 for i in range(int(_OUTPUT[usecase].partition("x")[2])))
    return [*features, (["postprocess", "int8", "0.00390625", "-128", _OUTPUT[usecase]], values)]
