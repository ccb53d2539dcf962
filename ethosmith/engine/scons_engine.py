# SPDX-License-Identifier: Apache-2.0
"""One builder for all steps, and the targets that a person types."""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from SCons.Action import Action
from SCons.Builder import Builder
from SCons.Node import executed, failed, up_to_date
from SCons.Script import GetBuildFailures

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import fail
from ethosmith.descriptors.origin import masked_text
from ethosmith.engine.scons_types import Environment, Node, Nodes
from ethosmith.graph.engine import Facts, Machine, StepCounts
from ethosmith.graph.layout import NOTES
from ethosmith.graph.session import Session
from ethosmith.report.step_runs import LongRun
from ethosmith.steps.step import Step

if TYPE_CHECKING:
    from ethosmith.graph.remote_cluster import Address
    from ethosmith.graph.remote_steps import RemoteSteps

_STANDARD_INPUT = "-"


def _processors() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Call:
    """An action that calls a function.

    SCons signs what a function holds, and would walk through the whole build; of an object that
    is called it signs the code alone.
    """

    def __init__(self, function: Callable[[], int | None]) -> None:
        self._function = function

    def __call__(
        self, target: Sequence[Node], source: Sequence[Node], env: Environment
    ) -> int | None:
        del target, source, env
        try:
            return self._function()
        except EthosmithError as error:
            return fail(str(error))


class _Said:
    """The line of an action."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, target: Sequence[Node], source: Sequence[Node], env: Environment) -> str:
        del target, source, env
        return self._text


class SConsEngine:
    """`ethosmith.graph.engine.Engine` by SCons.

    Args:
        env: the construction environment.
        session: what the command line asks for.
    """

    def __init__(self, env: Environment, session: Session) -> None:
        self.nodes = Nodes(env, session.project.root)
        self._runs: dict[str, LongRun] = {}
        if "test" in session.targets:
            env.SetOption("num_jobs", _processors())  # -j on the command line has precedence
        self.jobs: int = env.GetOption("num_jobs")
        self.prints_help = bool(env.GetOption("help"))
        self._only_asks = bool(env.GetOption("question"))
        self.is_dry = self.prints_help or self._only_asks or bool(env.GetOption("no_exec"))
        self.is_cleaning = bool(env.GetOption("clean"))
        self.keeps_going = bool(env.GetOption("keep_going"))
        self._env = env
        if session.steps_address is not None and not self.is_dry:
            self._use_cluster(env, session, session.steps_address)
        self._builder = Builder(action=Action(_run_step, _label, varlist=["STEP_SIGNATURE"]))

    def _use_cluster(self, env: Environment, session: Session, address: Address) -> None:
        """Let distributable steps run on a cluster, and so many at once as it has workers."""
        from ethosmith.graph.remote_steps import RemoteSteps  # noqa: PLC0415 seldom needed

        server, folder = session.cache_server, session.cache_folder
        if server is not None and not address.workers:
            store = server.url
        else:
            store = str(folder or session.project.root / NOTES / "steps")
        shown = env["SHOWN"]
        shown.remote = RemoteSteps(address, store, session.project.root, shown.progress.line)
        if address.workers > self.jobs:
            env.SetOption("num_jobs", address.workers)
            self.jobs = env.GetOption("num_jobs")

    def step(self, step: Step, facts: Facts, machine: Machine | None = None) -> None:
        """Declare a step; with a ``machine``, one that starts its compilers."""
        env = self._env if machine is None else machine.env  # type: ignore[attr-defined]
        nodes = self._builder(
            env,
            target=self.nodes.files(step.outputs),
            source=self.nodes.files(step.inputs),
            STEP=step,
            STEP_SIGNATURE=facts.signature,
            FACTS=facts,
        )
        if not step.traits.cacheable:
            env.NoCache(nodes)

    def always(self, paths: Iterable[Path]) -> None:
        """Make these files again whenever they are asked for."""
        self._env.AlwaysBuild(self.nodes.files(paths))

    def alias(self, name: str, paths: Iterable[Path] = (), needs: Sequence[str] = ()) -> None:
        """Put files, and what is under other names, under a name that a person types."""
        aliases = [self._env.Alias(other) for other in needs]
        self._env.Alias(name, [*self.nodes.files(paths), *aliases])

    def after(
        self, name: str, action: Callable[[], int | None], label: str = "", *, shows: bool = False
    ) -> None:
        """Call ``action`` when all that is under the name ``name`` is made; not 0: it failed."""
        if shows and self._only_asks:
            self._env.Alias(name, [])
            return

        self._env.AlwaysBuild(self._env.Alias(name, [], Action(_Call(action), _Said(label))))

    def at_exit(self, action: Callable[[], None]) -> None:
        """Call ``action`` when the build has ended, however it ended."""
        atexit.register(action)

    def run(
        self,
        command: Sequence[str],
        *,
        owns_terminal: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> int:
        """Run a command now, as a step that is shown; return its exit code."""
        given = {**self._env["ENV"], **(environment or {})}
        code: int = self._env["SHOWN"].run(command, given, owns_terminal=owns_terminal)
        return code

    def is_done(self, path: Path) -> bool:
        """Say whether the file was made, or was up to date."""
        return self.nodes.file(path).get_state() in {executed, up_to_date}

    def has_failed(self, *, except_for: str = "") -> bool:
        """Say whether something failed, other than the target ``except_for``."""
        return any(str(failure.node) != except_for for failure in GetBuildFailures())

    def reason(self, path: Path) -> str | None:
        """Return why the file could not be made; None if the build stopped before."""
        node = self.nodes.file(path)
        if node.get_state() != failed:
            return None
        needed = _needed_for(node)
        reasons = [f"{f.node}: {f.errstr}" for f in GetBuildFailures() if f.node in needed]
        return "; ".join(reasons) or f"{node} was not made"

    def line(self, text: str) -> None:
        """Show a line among those of the steps."""
        self._env["SHOWN"].progress.line(text)

    def count(self, run: str, output: Path, items: int) -> None:
        """Let the step that makes ``output`` count for ``items`` items of a long run."""
        if items:
            counting = self._runs.setdefault(run, LongRun(run))
            name = str(self.nodes.file(output))
            counting.expect(name, items)
            self._env["SHOWN"].counted[name] = counting

    def steps_done(self, outputs: Iterable[Path]) -> StepCounts:
        """Return how many of the steps that make ``outputs`` this build has run, and how not."""
        states = [node.get_state() for node in self.nodes.files(outputs)]
        cached = self._env["SHOWN"].from_cache
        return StepCounts(states.count(executed) - cached, cached, states.count(up_to_date))


def _needed_for(node: Node) -> set[Node]:
    """Return ``node`` and all that it is made from."""
    found: set[Node] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [] if one.get_state() == up_to_date else one.children()
    return found


def _run_step(target: Sequence[Node], source: Sequence[Node], env: Environment) -> int:
    del source
    step: Step = env["STEP"]
    counting: LongRun | None = env["SHOWN"].counted.get(str(target[0]))
    if counting is not None:
        counting.begin()
    resumable = step.traits.resumable and env["SESSION"].is_long
    resumed = resumable and env.ResumeStep(target)
    code = 0 if resumed else _start_step(step, env)
    if code == 0 and resumable and not resumed:
        env.NoteStep(target)
    if code == 0 and counting is not None:
        done = (executed, up_to_date)
        line = counting.end(str(target[0]), lambda name: env.fs.File(name).get_state() in done)
        env["SHOWN"].progress.line(f"{'':10}{line}") if line else None
    return code


def _start_step(step: Step, env: Environment) -> int:
    remote: RemoteSteps | None = env["SHOWN"].remote
    if remote is not None and step.traits.distributable:
        facts: Facts = env["FACTS"]
        done = env["SHOWN"].elsewhere(lambda: remote.run(step, facts.packages, facts.code))
        if done is not None:
            return 0
    code: int = env["SHOWN"].run(
        [sys.executable, "-m", "ethosmith", "step", step.name(), _STANDARD_INPUT],
        _variables(step, env),
        owns_terminal=step.traits.owns_terminal,
        text=json.dumps(step.spec()),
    )
    return code


def _variables(step: Step, env: Environment) -> Mapping[str, str]:
    """Return the variables of a step's process; one that forks from a server learns of it."""
    given: Mapping[str, str] = env["ENV"]
    if not step.server:
        return given
    from ethosmith.steps.fork_server import servers_of_this_process  # noqa: PLC0415 seldom needed

    return servers_of_this_process().variables(step.server, given)


def _label(target: Sequence[Node], source: Sequence[Node], env: Environment) -> str:
    del target, source
    step: Step = env["STEP"]
    if env["SESSION"].verbose:
        return masked_text(f"ethosmith step {step.name()} {json.dumps(step.spec())}")
    return step.label
