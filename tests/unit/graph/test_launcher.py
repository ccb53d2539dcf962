# SPDX-License-Identifier: Apache-2.0
"""Compilers start through what was asked for, and only compilers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.environment import Launcher, find_launcher, process_environment

_COMPILE = ["arm-none-eabi-gcc", "-c", "-o", "x.o", "x.c"]
_LINK = ["arm-none-eabi-g++", "-o", "x.axf", "x.o"]


@pytest.fixture
def everything(tmp_path: Path) -> str:
    """A PATH with all launchers on it."""
    for name in ("ccache", "distcc", "icecc"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("option", "program"),
    [("auto", "ccache"), ("ccache", "ccache"), ("distcc", "distcc"), ("icecc", "icecc")],
)
def test_compilers_start_through_it_and_linkers_do_not(
    option: str, program: str, everything: str
) -> None:
    launcher = find_launcher(option, everything)
    assert launcher.command(_COMPILE) == [program, *_COMPILE]
    assert launcher.command(_LINK) == _LINK


def test_none_is_used_if_none_is_wanted_or_auto_finds_none(everything: str, tmp_path: Path) -> None:
    assert find_launcher("none", everything) == Launcher()
    assert find_launcher("auto", str(tmp_path / "empty")) == Launcher()
    assert Launcher().command(_COMPILE) == _COMPILE


def test_a_missing_one_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match="launcher=icecc: icecc was not found"):
        find_launcher("icecc", str(tmp_path))


def test_their_own_variables_reach_them() -> None:
    given = {"CCACHE_REMOTE_STORAGE": "redis://host", "DISTCC_HOSTS": "a b", "ICECC_VERSION": "x"}
    assert given.items() <= process_environment(given).items()
