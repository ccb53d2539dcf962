# SPDX-License-Identifier: Apache-2.0
"""A program that the build needs is found, or its absence comes with advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.environment import tools
from tests.support.small_project import write_program


def test_program_is_found_on_the_given_path(tmp_path: Path) -> None:
    write_program(tmp_path / "arm-none-eabi-g++", "#!/bin/sh\n")
    found = tools.find_program("arm-none-eabi-g++", str(tmp_path))
    assert found == tmp_path / "arm-none-eabi-g++"


@pytest.mark.parametrize("name", ["arm-none-eabi-objcopy", "/opt/x/arm-none-eabi-gcc"])
def test_missing_program_comes_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    write_program(tmp_path / "brew", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EthosmithError) as error:
        tools.find_program(name)
    assert str(error.value) == (
        f"{name} was not found; it is the compiler for Cortex-M; "
        "install with: brew install gcc-arm-embedded"
    )


def test_unknown_system_is_told_every_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EthosmithError, match=r"apt-get install.*dnf.*pacman.*brew install qemu"):
        tools.find_program("qemu-system-arm")


def test_version_is_read_and_a_mute_program_is_an_error(tmp_path: Path) -> None:
    good, mute = tmp_path / "good", tmp_path / "mute"
    write_program(good, '#!/bin/sh\necho "tool (15:12.2-1) 12.2.1"\necho more\n')
    write_program(mute, "#!/bin/sh\nexit 1\n")
    assert tools.program_version(good) == "tool (15:12.2-1) 12.2.1"
    with pytest.raises(EthosmithError, match="--version failed"):
        tools.program_version(mute)


@pytest.mark.parametrize("variable", [None, "FVP_PATH"])
def test_fvp_stands_in_for_the_other_simulator(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str | None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("FVP_PATH", raising=False)
    assert "qemu-system-arm" in [need.name for need in tools.missing()]
    if variable:
        monkeypatch.setenv(variable, "/opt/fvp")
    else:
        write_program(tmp_path / "FVP_Corstone_SSE-300_Ethos-U65", "#!/bin/sh\n")
    assert "qemu-system-arm" not in [need.name for need in tools.missing()]


def test_every_need_has_one_check_and_packages_for_every_manager() -> None:
    for need in tools.needs():
        checks = [need.any_of, need.arm_library, need.python_module]
        assert sum(map(bool, checks)) == 1, need
        assert all(need.packages[manager] for manager in ("apt", "dnf", "pacman", "brew")), need
