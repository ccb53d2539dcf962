# SPDX-License-Identifier: Apache-2.0
"""Run the script that made a use case's network, for whoever wants to make it anew."""

import subprocess
import sys
from typing import Any

from SCons.Action import Action

from ethosmith.graph.layout import SelectedUseCase
from ethosmith.graph.untold import untold


def training(env: Any, usecase: SelectedUseCase, host: Any) -> None:
    """Put the use case's training script, if it has one, under the alias ``train``.

    The script is called with the host program, which computes features, and writes into the use
    case's own folder; nothing that is built depends on its having run.
    """
    if usecase.descriptor.train is None:
        return
    script = env["PROJECT"].relative(usecase.folder / usecase.descriptor.train)
    command = [sys.executable, str(script), "--program", str(host)]

    def run(target: Any, source: Any, env: Any) -> int:
        del target, source
        env["SHOWN"].progress.line(f"TRAIN     {script}")
        return subprocess.call(command, env=env["ENV"])

    env.AlwaysBuild(env.Alias("train", host, Action(run, untold)))


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `Training`."""
    env.AddMethod(training, "Training")
