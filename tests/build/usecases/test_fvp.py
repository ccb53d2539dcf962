# SPDX-License-Identifier: Apache-2.0
"""A build whose images run on an FVP; a fake one, which is the open board behind an FVP's words."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from open_board.fvp import FVP_PROGRAMS
from tests.conftest import NewCopy

_VERIFIED = "build/fvp/ethos-u55-128-shared_sram/kws_verified.json"
_FAKE = """\
import re, subprocess, sys, time

words = dict(word.split("=", 1) for word in sys.argv if word.count("=") == 1)
axf = sys.argv[sys.argv.index("-a") + 1]
board = [sys.executable, "-m", "open_board", "--simulator=open", "--npu=ethos-u55-128", "-a", axf]
said = subprocess.run(board, stdout=subprocess.PIPE, check=True, env={{"PYTHONPATH": {path!r},
                                                                  "PATH": {tools!r}}}).stdout
if words.get("ethosu.extra_args") == "--fast":
    # As an FVP that simulates no time: what it counts is neither right nor nothing.
    said = re.sub(rb"(npu_\\w+|axi\\w+)=\\d+", rb"\\1=7", said)
print("Fast Models [11.27.42 (Sep 5 2024)]", flush=True)
with open(words["mps3_board.uart0.out_file"], "wb") as uart:
    uart.write(said + b"\\x04\\x00")
time.sleep(60)
"""


def test_without_simulated_time_answers_are_compared_and_nothing_is_counted(
    copy_of_built: NewCopy, tmp_path: Path
) -> None:
    project = copy_of_built(FVP_PATH=str(tmp_path))
    program = tmp_path / FVP_PROGRAMS["ethos-u55"]
    path = os.pathsep.join(sys.path)
    fake = tmp_path / "fake.py"
    fake.write_text(_FAKE.format(path=path, tools=os.environ["PATH"]))
    # The paths of a first line have no spaces.
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake}" "$@"\n')
    program.chmod(0o755)

    said = project.build("usecase=kws", "simulator=fvp_fast").stdout
    assert "RUN build/fvp/ethos-u55-128-shared_sram/kws.axf" in " ".join(said.split())
    assert "Ran on: FVP 11.27.42. As fvp_fast it counts nothing" in said
    assert "Equal: every output tensor" in said
    assert "cycles=" not in said.partition("Equal:")[2]
    assert "NPU cycles" not in said
    assert all(
        sample["counts"] == {} and not any(sample["windows"])
        for sample in json.loads(project.read(_VERIFIED))["samples"]
    )
    refused = project.scons("usecase=kws", "simulator=fvp_fast", "report")
    assert refused.exit_code == 2
    assert "simulator=fvp_fast counts no cycles, which 'report' shows" in refused.text
