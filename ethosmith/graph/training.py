# SPDX-License-Identifier: Apache-2.0
"""The target ``train``: the use case's script, here or on a worker in a copy of its folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ethosmith.graph.build import Build
from ethosmith.graph.layout import SelectedUseCase

_TARGET = "train"


def declare_training(build: Build, usecase: SelectedUseCase, host: Path) -> None:
    """Put the use case's training script, if it has one, under the target ``train``.

    The script is called with the host program, which computes features, and the folder of
    ``evaluation=``, if it is given. It writes into the use case's own folder; nothing that is built
    depends on its having run.
    """
    if usecase.descriptor.train is None or _TARGET not in build.session.targets:
        return
    script = build.project.relative(usecase.folder / usecase.descriptor.train)
    recorded = build.session.evaluation_folder
    in_project = not any(path.is_absolute() for path in (script, recorded) if path)
    if build.session.steps_address is not None and in_project:
        _declare_step(build, usecase, host, script)
        return
    command = [sys.executable, str(script), "--program", str(host)]
    if recorded is not None:
        command += ["--recorded", str(recorded)]

    def train() -> int:
        build.engine.line(f"TRAIN     {script}")
        return subprocess.call(command, env=build.session.process_environment)

    build.engine.alias(_TARGET, [host])
    build.engine.after(_TARGET, train)


def _declare_step(build: Build, usecase: SelectedUseCase, host: Path, script: Path) -> None:
    """Declare a step that a worker may run, and take over what it changed in the folder."""
    from ethosmith.steps.train_network import (
        TrainNetwork,
        files_of,
        library_digest,
        take_trained,
    )

    root = build.project.root
    folder = build.project.relative(usecase.folder)
    recorded = build.session.evaluation_folder
    below = [root / one for one in (folder, recorded) if one is not None]
    files = (path.relative_to(root) for one in below for path in files_of(one))
    trained = build.add(
        TrainNetwork(
            script=script,
            folder=folder,
            recorded=recorded,
            files=tuple(files),
            program=host,
            library=library_digest(),
            output=usecase.outputs / "trained.zip",
        )
    ).output

    def take() -> None:
        for name in take_trained(root / trained, root / folder):
            build.engine.line(f"{'':10}{folder / name}")

    build.engine.always([trained])
    build.engine.alias(_TARGET, [trained])
    build.engine.after(_TARGET, take)
