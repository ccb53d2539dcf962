# SPDX-License-Identifier: Apache-2.0
"""`doctor` reports what this machine lacks, and fails only for what every build needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ethosmith.environment import doctor
from ethosmith.environment.doctor import MISSING, OK, OPTIONAL, WRONG, Finding, examine, is_ready


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine whose PATH is one empty folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("FVP_PATH", raising=False)
    return folder


def program(folder: Path, name: str, said: str, code: int = 0) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{said}'\nexit {code}\n")
    (folder / name).chmod(0o755)


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


@pytest.mark.usefixtures("bare")
def test_a_bare_machine_lacks_compilers_and_may_lack_the_rest() -> None:
    found = by_name(examine(None))
    assert {found[name].status for name in ("cc", "arm-none-eabi-gcc", "qemu-system-arm")} == {
        MISSING
    }
    assert {found[name].status for name in ("git", "ccache", "FVP")} == {OPTIONAL}
    assert "gcc-arm-none-eabi" in found["arm-none-eabi-gcc"].advice
    assert not is_ready(found.values())


def test_programs_are_shown_with_version_and_place(bare: Path) -> None:
    program(bare, "gcc", "gcc 14.2.0")
    program(bare, "git", "cannot load", code=127)
    program(bare, "FVP_Corstone_SSE-300_Ethos-U55", "must not be started", code=1)
    found = by_name(examine(None))
    assert (found["gcc"].status, found["gcc"].version) == (OK, "gcc 14.2.0")
    assert found["gcc"].path == str(bare / "gcc")
    assert found["git"].status == WRONG
    assert found["FVP_Corstone_SSE-300_Ethos-U55"].status == OK


@pytest.mark.usefixtures("bare")
def test_a_wrong_fvp_path_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FVP_PATH", "/none")
    assert by_name(examine(None))["FVP"].status == WRONG


def test_packages_are_compared_with_the_lock(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(
        "SCons==0.1 \\\n    --hash=sha256:00\nno_such.package==2\n"
        "not-here==1 ; sys_platform == 'beos' \\\n    --hash=sha256:00\n"
    )
    found = by_name(examine(tmp_path))
    assert found["no-such-package"].status == MISSING
    assert "not-here" not in found
    assert found["packages"].purpose == "0 of 2 as in requirements.lock"
    wrong = next(f for f in examine(tmp_path) if f.name == "scons")
    assert (wrong.status, wrong.purpose) == (WRONG, "Python package, locked at 0.1")


@pytest.mark.usefixtures("bare")
def test_the_table_is_narrow_and_the_document_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main([]) == 1
    shown = capsys.readouterr().out
    assert max(map(len, shown.split("To make builds work")[0].splitlines())) <= 80
    assert doctor.main(["format=json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["ready"] is False
    for finding in document["findings"]:
        assert f" {finding['name']} " in shown or f" {finding['name']}\n" in shown
    assert doctor.main(["format=yaml"]) == 1
    assert "unknown argument 'format=yaml'" in capsys.readouterr().err
