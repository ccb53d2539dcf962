# SPDX-License-Identifier: Apache-2.0
"""A real board's log and port, by the real scons: the open board is behind a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
import tty

import pytest

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.verify.simulator import choose_simulator
from open_board.job import BoardJob
from tests.conftest import NewCopy
from tests.support.project_copy import ProjectCopy

_AXF = "build/fvp/ethos-u55-128-shared_sram/kws.axf"
_EQUAL = "6 samples and 14 tensors, compared with LiteRT's reference kernels: equal, byte for byte"


def _boot(project: ProjectCopy, line: int) -> None:
    """Run the project's image and send what its UART sends, as a board does."""
    accelerator = parse_accelerator("ethos-u55-128")
    job = BoardJob(accelerator=accelerator, axf=project.root / _AXF)
    result = choose_simulator("open", accelerator).run(job, lambda data: _send(line, data))
    _send(line, bytes((0x04, result.exit_code or 0)))


def _send(line: int, data: bytes) -> None:
    while data:
        data = data[os.write(line, data) :]


@pytest.mark.long
def test_a_board_is_verified_on_its_port_and_by_its_log(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    board, terminal = pty.openpty()
    tty.setraw(terminal)
    port = os.ttyname(terminal)
    command = project.command("usecase=kws", "verify_board", f"port={port}")
    with subprocess.Popen(
        command,
        cwd=project.root,
        env=project.process_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = []
        thread = threading.Thread(target=_boot, args=(project, board))
        for output in process.stdout:
            said.append(output)
            if "reset the board" in output:
                thread.start()
        assert process.wait(60) == 0, said
    thread.join()
    os.close(board)
    os.close(terminal)
    assert f"{port}: {_EQUAL}\n" in said
    assert any(line.startswith("identity: image=") for line in said)
    assert not any(line.startswith("tensor ") for line in said)

    # What it kept is a log as any other.
    log = f"{_AXF.removesuffix('.axf')}_board.log"
    assert f"{log}: {_EQUAL}" in project.build("usecase=kws", f"verify_log={log}").text
    project.write("damaged.log", project.read(log).replace("7f8080", "7f8081", 1))
    outcome = project.scons("usecase=kws", "verify_log=damaged.log")
    assert outcome.exit_code != 0
    assert "error: damaged.log:1: kws/yes: output 0 differs from the host's in 1 of" in outcome.text

    for words, problem in (
        (("usecase=kws", "verify_board"), "verify_board needs port=NAME of the board; found: "),
        (("verify_log=damaged.log",), "verify_log= takes one image, not "),
        (("monitor",), "monitor needs port=NAME of the board; found: "),
    ):
        outcome = project.scons(*words)
        assert outcome.exit_code == 2
        assert f"error: {problem}" in outcome.text


def test_an_export_for_a_board_has_its_addresses(copy_of_built: NewCopy) -> None:
    project = copy_of_built().cached()
    project.build("usecase=kws", "board=alif-e7-hp", "export=library")
    header = project.read("library/board/platform.h")
    assert "#define PLATFORM_NPU_ADDRESS 0x400e1000u" in header
    assert '#define PLATFORM_NPU_CONFIG "ethos-u55-256"' in header
    assert "no image of ours has run" in project.read("library/README.md")
    include = ["-Ilibrary/board", "-Ilibrary/firmware/runtime", "-Ilibrary/firmware/npu"]
    include += ["-Ilibrary/firmware/hal", "-Ilibrary/firmware/support"]
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m55", "-Wall", "-Wextra", "-Werror", *include]
    source = "library/firmware/runtime/inference.c"
    subprocess.run([*command, "-fsyntax-only", source], cwd=project.root, check=True)
