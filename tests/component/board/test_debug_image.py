# SPDX-License-Identifier: Apache-2.0
"""`debug` halts the image at reset, knows the NPU's registers, and leaves no process behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.debug_image import DebugImage
from ethosmith.steps.write_gdb_commands import WriteGdbCommands
from tests.support.needs import program
from tests.support.small_image import link


@pytest.fixture
def step(tmp_path: Path) -> DebugImage:
    commands = WriteGdbCommands(address=0x58102000, output=tmp_path / "npu registers.gdb")
    commands.run()
    image = link(tmp_path / "an image")
    return DebugImage(axf=image.axf, npu="ethos-u55-128", gdb_commands=commands.output)


def test_gdb_sees_the_reset_handler_and_the_npu_s_registers(
    step: DebugImage, capfd: pytest.CaptureFixture[str]
) -> None:
    program("gdb-multiarch")
    questions = ("output $pc", "npu", "print/x *$NPU_ID")
    options = ("-batch", *(word for text in questions for word in ("-ex", text)))
    DebugImage(**{**vars(step), "options": options}).run()
    shown = capfd.readouterr().out
    assert "reset_handler" in shown
    # Product 1, architecture 1.1.4 and so on: the ID of an Ethos-U55.
    assert "ID                   0x10104201" in shown
    assert "= 0x10104201" in shown
    assert "STATUS               0x00000000" in shown


def test_a_debugger_that_fails_is_told(step: DebugImage, tmp_path: Path) -> None:
    failing = tmp_path / "failing-gdb"
    failing.write_text("#!/bin/sh\nexit 3\n")
    failing.chmod(0o755)
    with pytest.raises(EthosmithError, match="failing-gdb ended with exit code 3"):
        DebugImage(**{**vars(step), "programs": (str(failing),)}).run()


def test_a_missing_debugger_is_told_with_what_installs_it(step: DebugImage) -> None:
    with pytest.raises(EthosmithError, match="no-gdb was not found"):
        DebugImage(**{**vars(step), "programs": ("no-gdb",)}).run()
