# SPDX-License-Identifier: Apache-2.0
"""./scons prepares what is missing once, survives interruptions, and stays out of the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.small_project import COMPLETE, SmallProject, write_program


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject.make(tmp_path)


def test_first_use_prepares_later_uses_run_and_a_new_lock_updates(
    project: SmallProject, tmp_path: Path
) -> None:
    project.lock({"toy_lib": "1.0", "toy_extra": "1.0"})
    first = project.run("usecase=a b", "*", cwd=tmp_path)
    assert first.stdout == "toy scons 1.0 ['usecase=a b', '*']\n", first.stderr
    assert "making .venv" in first.stderr

    # Neither a Python to prepare with nor pip's configuration is right any more: none is needed.
    second = project.run(
        "--help", TOY_EXIT="7", ETHOSMITH_PYTHON="/none", PIP_FIND_LINKS="/none", PYTHONPATH="/none"
    )
    assert (second.returncode, second.stderr) == (7, "")
    assert second.stdout == "toy scons 1.0 ['--help']\n"

    project.lock({"toy_lib": "2.0"})
    third = project.run()
    assert third.stdout == "toy scons 2.0 []\n"
    assert "requirements.lock has changed" in third.stderr
    assert list((project.root / ".venv").rglob("toy_extra*")) == []


def test_a_build_without_changes_is_answered_before_scons_starts(project: SmallProject) -> None:
    project.run()
    asked = project.root / "ethosmith" / "environment" / "null_build.py"
    asked.write_text(
        "import os, sys\nprint('nothing new', sys.argv[1:], os.environ['SCONSFLAGS'])\n"
        "print('byte code is kept:', 'PYTHONDONTWRITEBYTECODE' not in os.environ)\n"
    )
    answered = project.run("usecase=a b", "-j2", PYTHONDONTWRITEBYTECODE="1")
    assert (answered.returncode, answered.stderr) == (0, "")
    assert answered.stdout == "nothing new ['usecase=a b', '-j2'] -Q\nbyte code is kept: True\n"
    asked.write_text(
        "def answers(words):\n    return False\n"
        "if __name__ == '__main__':\n    raise SystemExit(1)\n"
    )
    assert project.run("usecase=a b").stdout == "toy scons 1.0 ['usecase=a b']\n"


@pytest.mark.long
def test_package_that_is_not_the_pinned_one_is_refused(project: SmallProject) -> None:
    wheel = project.wheels / "toy_lib-1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes() + b"tampered")
    refused = project.run()
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "error: pip could not install requirements.lock" in refused.stderr
    assert not (project.root / ".venv" / "made-for").exists()


@pytest.mark.long
def test_killed_preparation_is_done_again(project: SmallProject) -> None:
    process = project.start()
    deadline_s = time.monotonic() + 60
    while not (project.root / ".venv" / "bin" / "python").exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert not (project.root / ".venv" / "made-for").exists()
    result = project.run()
    assert result.stdout == "toy scons 1.0 []\n", result.stderr


def leave_behind(project: SmallProject, files: dict[str, str]) -> None:
    """Put a .venv there as an earlier ./scons could have left it."""
    (project.root / ".venv" / "bin").mkdir(parents=True)
    (project.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for name, text in {"made-by-ethosmith": "", "half-written": "", **files}.items():
        (project.root / ".venv" / name).write_text(text)


@pytest.mark.long
def test_environment_made_for_another_folder_is_made_again(project: SmallProject) -> None:
    lock = (project.root / "requirements.lock").read_text()
    leave_behind(project, {"made-for": "/another/folder\n", "requirements.lock": lock})
    assert project.run().stdout == "toy scons 1.0 []\n"
    assert not (project.root / ".venv" / "half-written").exists()


@pytest.mark.long
def test_two_at_once_prepare_once(project: SmallProject) -> None:
    results = [process.communicate(timeout=120) for process in [project.start(), project.start()]]
    assert [output for output, _ in results] == ["toy scons 1.0 []\n"] * 2
    assert sum("making .venv" in errors for _, errors in results) == 1


def test_environment_of_somebody_else_is_left_alone(project: SmallProject) -> None:
    theirs = project.root / ".venv" / "precious"
    theirs.parent.mkdir()
    theirs.touch()
    result = project.run()
    assert result.returncode == 1
    assert ".venv was not made by ./scons; move it away" in result.stderr
    assert theirs.exists()


def test_machine_without_python_is_told_which(project: SmallProject) -> None:
    environment = project.environment()
    del environment["ETHOSMITH_PYTHON"]
    result = subprocess.run(
        [str(project.root / "scons")], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: Python 3.11, 3.12 or 3.13 is needed; install it")
    assert "apt-get install python3 python3-venv" in result.stderr


FAKE_APT = """#!/bin/sh
echo "$*" >>"{log}"
case " $* " in
*" install "*) ln -s "{folder}/cc" "{folder}/qemu-system-arm" ;;
esac
"""


def give_apt(project: SmallProject, log: Path) -> None:
    folder = project.machine.folder
    write_program(folder / "apt-get", FAKE_APT.format(log=log, folder=folder))
    # Root is asked for through sudo unless the test runs as root.
    write_program(folder / "sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')


def test_missing_system_package_is_installed_with_apt(tmp_path: Path) -> None:
    project = SmallProject.make(tmp_path, COMPLETE[:-1])
    log = tmp_path / "apt.log"
    give_apt(project, log)
    result = project.run()
    assert result.stdout == "toy scons 1.0 []\n", result.stderr
    update, install = log.read_text().splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install --no-install-recommends qemu-system-arm")


@pytest.mark.parametrize("manager", ["apt-get", "dnf", "pacman", "brew"])
def test_missing_system_packages_are_named_where_installing_is_forbidden(
    tmp_path: Path, manager: str
) -> None:
    project = SmallProject.make(tmp_path, ("cc", "c++"))
    write_program(project.machine.folder / manager, "#!/bin/sh\nexit 99\n")
    result = project.run(ETHOSMITH_NO_INSTALL="1")
    assert result.returncode == 1
    assert not (project.root / ".venv").exists()
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: missing: arm-none-eabi-gcc (the compiler for Cortex-M)")
    command = line.partition("install with: ")[2].removeprefix("sudo ")
    expected = {
        "apt-get": "apt-get install -y --no-install-recommends gcc-arm-none-eabi "
        "libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm",
        "dnf": "dnf install -y arm-none-eabi-gcc-cs arm-none-eabi-gcc-cs-c++ "
        "arm-none-eabi-newlib qemu-system-arm",
        "pacman": "pacman -S --needed arm-none-eabi-gcc arm-none-eabi-newlib qemu-system-arm",
        "brew": "brew install gcc-arm-embedded qemu",
    }
    assert command == expected[manager]


def test_doctor_examines_before_anything_is_installed_and_installs_nothing(
    project: SmallProject,
) -> None:
    examined = project.run("doctor")
    assert examined.returncode == 1, examined.stderr
    assert examined.stdout.startswith("Ethosmith ")
    assert not (project.root / ".venv").exists()
