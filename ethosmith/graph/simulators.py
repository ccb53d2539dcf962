# SPDX-License-Identifier: Apache-2.0
"""Which simulator boots an image here, and whether one does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.executorch import no_runner
from ethosmith.graph.runtimes import DIRECT

_OPEN, _FVP, _AUTO = "open", "fvp", "auto"
# Targets that are about booting images: they fail where nothing can.
_BOOTING = frozenset({"run", "test"})
FVP_TIME_LIMIT_S = 600.0  # as `open_board.fvp` has it


def simulator(build: Build) -> str:
    """Return the value of ``simulator=``; without the open board there is only the FVP.

    Raises:
        EthosmithError: the open board is asked for and cannot be this platform.
    """
    platform, asked = build.platform.descriptor, build.session.simulator
    check_strict(build)
    if platform.open_board:
        return _OPEN if build.session.strict else asked
    if asked == _OPEN:
        raise EthosmithError(
            f"simulator=open: the open board has no {platform.name}, which runs on its FVP only"
        )
    return _FVP


def check_strict(build: Build) -> None:
    """Raise an `EthosmithError` if ``strict=1`` is asked of a board that is not the open one."""
    platform, asked = build.platform.descriptor, build.session.simulator
    if build.session.strict and not platform.open_board:
        raise EthosmithError(f"strict=1 is the open board's, which has no {platform.name}")
    if build.session.strict and asked == _FVP:
        raise EthosmithError("strict=1 is the open board's; leave out simulator=")


def is_strict(build: Build, configuration: Configuration) -> bool:
    """Say whether the open board refuses what a board would not forgive: asked for, or a test."""
    if build.session.strict or "test" not in build.session.targets:
        return build.session.strict
    asked = simulator(build)
    return asked == _OPEN or (asked == _AUTO and not _installed_fvp(build, configuration))


def simulator_versions(build: Build, configuration: Configuration) -> tuple[str, ...]:
    """Return what tells one simulator from another; a missing one is named by the run itself."""
    asked = build.session.simulator
    found = [] if asked == _OPEN else _installed_fvp(build, configuration)
    if found or simulator(build) == _FVP:
        return tuple(found)
    try:
        return (f"QEMU {program_version(find_program('qemu-system-arm'))}",)
    except EthosmithError:
        return ()


def fvp_programs(build: Build, configuration: Configuration) -> tuple[str, ...]:
    """Return the FVP's program for the platform and the NPU on it; nothing if there is none."""
    fvp = build.platform.descriptor.fvp
    return tuple(
        executable.file
        for executable in (fvp.executables if fvp else ())
        if executable.product == configuration.board_npu.product
    )


def _installed_fvp(build: Build, configuration: Configuration) -> Sequence[str]:
    given = build.session.process_environment
    # FVP_PATH names the program or its folder.
    named = given.get("FVP_PATH", "")
    if named and Path(named).is_file():
        return [named]
    path = named or given.get("PATH", "")
    programs = fvp_programs(build, configuration)
    names = [name for program in programs for name in (program, program.replace("FVP_", "VHT_", 1))]
    return [place for name in names if (place := shutil.which(name, path=path))]


def time_limit_s_of(build: Build, configuration: Configuration) -> float:
    """Return the seconds until a run has failed: the FVP, which is slow, has its own default."""
    session = build.session
    on_fvp = simulator(build) != _OPEN and _installed_fvp(build, configuration)
    return (
        FVP_TIME_LIMIT_S if on_fvp and "time_limit_s" not in session.given else session.time_limit_s
    )


def reason_not_to_run(build: Build) -> str | None:
    """Return why a plain ``scons`` runs nothing, or None if it does.

    A simulator that was asked for by name is no reason: the run then says that it is missing.
    """
    platform = build.platform.descriptor
    if platform.fvp is None:
        return f"{platform.name} is a board; the target 'run' boots the image on the open board"
    if platform.open_board or build.session.simulator != _AUTO:
        return None
    for configuration in build.session.configurations:
        if not _installed_fvp(build, configuration):
            (program,) = fvp_programs(build, configuration)
            return (
                f"{program} is not installed (FVP_PATH), and the open board has no {platform.name}"
            )
    return None


def runs_on_host(build: Build, configuration: Configuration) -> bool:
    """Say whether nothing here can boot an image whose NPU's job can run in the NPU model."""
    platform = build.platform.descriptor
    return (
        platform.fvp is not None
        and not platform.open_board
        and build.session.values["simulator"] == _AUTO
        and not _BOOTING.intersection(build.session.targets)
        and configuration.runtime == DIRECT
        and not _installed_fvp(build, configuration)
    )


def all_jobs_on_host(build: Build) -> bool:
    """Say whether the NPU's jobs of all images run in the NPU model, or on an installed FVP."""
    configurations = build.session.configurations
    return all(runs_on_host(build, one) or _installed_fvp(build, one) for one in configurations)


def check_booting(build: Build, configuration: Configuration) -> None:
    """Refuse to run a program on this machine where a board or a simulator is asked for."""
    asked = [name for name in sorted(_BOOTING) if name in build.session.targets]
    if build.session.values["simulator"] != _AUTO:
        asked.append(f"simulator={build.session.simulator}")
    asked += ["strict=1"] if build.session.strict else []
    if asked:
        raise EthosmithError(
            f"{asked[0]}: {no_runner(build, configuration)}; without {asked[0]}, its program"
            " is made, and runs on this machine"
        )
