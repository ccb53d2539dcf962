# SPDX-License-Identifier: Apache-2.0
"""Declare a build step: one Python module of Ethosmith, run as its own process.

`env.Step` is what the other tools call. A step is run again when its options, its
sources, the version of a tool it names, or its own code change, and never otherwise.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from SCons.Action import Action

from ethosmith.graph.declared import Declared
from ethosmith.graph.layout import BUILD
from ethosmith.graph.module_sources import module_sources
from ethosmith.report.progress import AnnouncedSteps, progress_of_this_process
from ethosmith.report.step_times import StepTimes


def step(
    env: Any,
    module: str,
    *,
    target: Any,
    source: Any,
    options: Sequence[Any],
    say: str,
    versions: Sequence[str] = (),
    unsigned_options: Sequence[Any] = (),
    owns_terminal: bool = False,
    cacheable: bool = True,
) -> Any:
    """Declare ``python -m module options`` and return the target nodes.

    Args:
        env: the construction environment.
        module: the step's module, such as ``ethosmith.models.vela``.
        target: every file that the step writes.
        source: every file that it reads.
        options: its arguments; nodes stand for their paths.
        say: what the terminal shows, a verb first.
        versions: versions of tools that the result depends on.
        unsigned_options: further arguments that cannot change the result, such as a time limit.
        owns_terminal: it shows its own progress.
        cacheable: its outputs may come from the build cache; not those of a step that is there
            for what it does or shows.
    """
    arguments = ["-m", module, *(str(option) for option in options)]
    signed = env["PLACES"].without_places(json.dumps(arguments))
    nodes = env.Command(
        target,
        source,
        _ACTION,
        STEP_ARGUMENTS=[*arguments, *(str(option) for option in unsigned_options)],
        STEP_SIGNATURE=hashlib.sha256(signed.encode()).hexdigest(),
        STEP_SAY=say,
        STEP_OWNS_TERMINAL=owns_terminal,
    )
    env.Depends(nodes, [env.File(str(path)) for path in module_sources(module)])
    env.Depends(nodes, [env.Value(version) for version in versions])
    if not cacheable:
        env.NoCache(nodes)
    return nodes


def _run(target: Any, source: Any, env: Any) -> int:
    del target, source
    code: int = env["SHOWN"].run(
        [sys.executable, *env["STEP_ARGUMENTS"]],
        env["ENV"],
        owns_terminal=env["STEP_OWNS_TERMINAL"],
    )
    return code


def _say(target: Any, source: Any, env: Any) -> str:
    del target, source
    if env["VERBOSE"]:
        return " ".join(["python", *env["STEP_ARGUMENTS"]])
    return str(env["STEP_SAY"])


# Arguments go to the process as they are: no shell sees them, and no `$` in them is expanded.
_ACTION = Action(_run, _say, varlist=["STEP_SIGNATURE"])


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing but Python."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `Step`, the display of all steps, and the memory of what was declared."""
    times = StepTimes(Path(f"{BUILD}/.step_times.json"))
    shown = AnnouncedSteps(progress_of_this_process(), times, at_once=env["VERBOSE"])
    env.Replace(DECLARED=Declared(), SHOWN=shown, PRINT_CMD_LINE_FUNC=shown.announce)
    env.AddMethod(step, "Step")
