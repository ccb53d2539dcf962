# SPDX-License-Identifier: Apache-2.0
"""SCons behind the graph's functions: one builder for all steps, the targets, the session."""

import atexit
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SCons.Action import Action
from SCons.Builder import Builder
from SCons.Defaults import DefaultEnvironment
from SCons.Node import executed, failed, up_to_date
from SCons.Node.FS import File
from SCons.Script import BUILD_TARGETS, COMMAND_LINE_TARGETS, GetBuildFailures, Main
from SCons.Taskmaster import Taskmaster, find_cycle

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import fail
from ethosmith.core.terminal import reserved_output
from ethosmith.descriptors.origin import masked_text
from ethosmith.graph import commands
from ethosmith.graph.build import Build, Facts, Machine, StepCounts
from ethosmith.graph.code_index import CodeIndex
from ethosmith.graph.layout import BUILD, NOTES
from ethosmith.graph.options import TARGETS
from ethosmith.graph.packages import InstalledPackages
from ethosmith.graph.scons_types import Environment, Folder, Node
from ethosmith.graph.session import Session
from ethosmith.graph.why import (
    NOT_THERE,
    Making,
    Makings,
    differences,
    is_lost_input,
    last_causes,
    report,
)
from ethosmith.report.long_run import LongRun
from ethosmith.report.progress import AnnouncedSteps, progress_of_this_process
from ethosmith.report.step_times import StepTimes
from ethosmith.steps.step import Step

if TYPE_CHECKING:
    from ethosmith.graph.remote_steps import Address, RemoteSteps

_STANDARD_INPUT = "-"
_TARGET_NAMES = {target.name for target in TARGETS}


class Nodes:
    """SCons's nodes for files: a path is taken as it is, whatever characters it has.

    Args:
        env: the construction environment.
        root: the project's folder.
    """

    def __init__(self, env: Environment, root: Path) -> None:
        self._fs, self._root = env.fs, root
        self._files: dict[Path, Node] = {}

    def file(self, path: Path) -> Node:
        """Return the node of a file; EthosmithError if a folder is there."""
        if path not in self._files:
            try:
                # SCons would read a name that begins with `#` in its own way.
                self._files[path] = self._fs.File(str(self._root / path))
            except TypeError:
                raise EthosmithError(f"{path}: a folder, expected a file") from None
        return self._files[path]

    def files(self, paths: Iterable[Path]) -> list[Node]:
        """Return the nodes of several files."""
        return [self.file(path) for path in paths]

    def entry(self, path: Path) -> Node:
        """Return the node of a file or a folder."""
        return self._fs.Entry(str(self._root / path))

    def folder(self, path: Path) -> Folder:
        """Return the node of a folder."""
        return self._fs.Dir(str(self._root / path))


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
    """`ethosmith.graph.build.Engine` by SCons.

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

    def _use_cluster(self, env: Environment, session: Session, address: "Address") -> None:
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
        env["ENV"],
        owns_terminal=step.traits.owns_terminal,
        text=json.dumps(step.spec()),
    )
    return code


def _label(target: Sequence[Node], source: Sequence[Node], env: Environment) -> str:
    del target, source
    step: Step = env["STEP"]
    if env["SESSION"].verbose:
        return masked_text(f"ethosmith step {step.name()} {json.dumps(step.spec())}")
    return step.label


class Reasons:
    """Remembers from what each file is made, and explains it: the target ``why``.

    Args:
        env: the construction environment.
        makings: what was remembered.
    """

    def __init__(self, env: Environment, makings: Makings) -> None:
        self._env, self._makings = env, makings
        self.save = makings.save

    def note(self, target: Sequence[Node]) -> None:
        """Remember from what ``target`` is made, at the moment when that begins."""
        if target and isinstance(target[0], File) and not self._env.GetOption("no_exec"):
            making, is_there = _making(target[0]), target[0].exists()
            for node in target:
                self._makings.note(str(node), making, is_there=is_there)

    def explain(self, target: str) -> Iterator[str]:
        """Yield why ``target`` would be made now; if it would not, why it was the last time."""
        node = self._env.fs.File(target)
        if not node.has_builder():
            raise EthosmithError(f"why {target}: no step makes this file")
        causes: list[tuple[str, str]] = []
        if self._would_be_made(node, causes, {}):
            yield f"{target} would be made:"
            yield from report(causes)
            return
        found = last_causes(self._makings, str(node))
        if found:
            yield f"{target} is up to date. It was made the last time because:"
            yield from report(found)
        else:
            yield f"{target} is up to date; it is not known how it was made"

    def _would_be_made(
        self, node: Node, causes: list[tuple[str, str]], known: dict[Node, bool]
    ) -> bool:
        """Say whether ``node`` would be made, and add why, and why those on its way would."""
        if node not in known:
            known[node] = False
            below = [
                self._would_be_made(child, causes, known)
                for child in node.children()
                if isinstance(child, File) and child.has_builder()
            ]
            own = self._own_causes(node)
            if any(below):
                # What a generated source will include is not known yet.
                own = [cause for cause in own if not is_lost_input(cause)]
            causes += [(str(node), cause) for cause in own]
            known[node] = bool(own) or any(below)
        return known[node]

    def _own_causes(self, node: Node) -> list[str]:
        if not node.exists():
            return [NOT_THERE]
        if node.is_up_to_date():
            return []
        made = self._makings[str(node)]
        found = differences(made.making if made else None, _making(node))
        return found or ["it is not what its step made"]


def _making(node: Node) -> Making:
    executor, env = node.get_executor(), node.get_build_env()
    inputs = {_name(child): child.get_csig() for child in node.children()}
    if "FACTS" in env:
        return Making.by_step(inputs, env["FACTS"])
    return Making(inputs, command=executor.get_contents().decode("utf-8", "replace"))


def _name(child: Node) -> str:
    return str(child) if isinstance(child, File) else type(child).__name__.lower()


def begin_build(env: Environment, session: Session) -> Build:
    """Prepare SCons for this call (help, signatures, cache, lock) and return the build."""
    # SCons makes one for itself, and would look for every compiler, linker and TeX it knows.
    DefaultEnvironment(tools=[])
    env.Help(session.help_text)
    env.SetOption("no_progress", True)
    if session.writes and not env.GetOption("help"):
        session.make_build_folder()
    output = reserved_output() if session.answers_json and not env.GetOption("help") else None
    times = StepTimes(session.step_times)
    shown = AnnouncedSteps(progress_of_this_process(), times, at_once=session.verbose)
    reasons = Reasons(env, Makings(session.project.root / NOTES / "makings.json"))

    def announce(
        text: str, target: Sequence[Node], source: Sequence[Node], env: Environment
    ) -> None:
        reasons.note(target)
        shown.announce(text, target, source, env)

    env.Replace(SESSION=session, SHOWN=shown, REASONS=reasons, PRINT_CMD_LINE_FUNC=announce)
    env.UseSignatures()
    env.UseBuildCache()
    if env.GetOption("keep_going"):
        _keep_going()
    code = CodeIndex(NOTES / "code.json", session.identity)
    packages = InstalledPackages(NOTES / "packages.json")
    engine = SConsEngine(env, session)
    build = Build(session, engine, code, packages, lambda name: env.CompilersFor(build, name))
    build.output = output
    if session.writes and not engine.is_dry:
        _hold_lock(env, session)
    return build


def _hold_lock(env: Environment, session: Session) -> None:
    folder = session.project.root / BUILD
    lock = session.lock()
    # Not where the user names a place.
    env["ENV"].setdefault("TMPDIR", str(lock.temporary))
    if env.GetOption("clean") and not session.targets and not session.selects:
        # SCons writes its signatures when it ends, so the folder goes after that.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return
    atexit.register(lock.release)
    # Both run before the lock is released.
    atexit.register(session.identity.save)
    atexit.register(env["REASONS"].save)
    if session.record is not None:
        record = session.record
        atexit.register(lambda: record.write(Main.exit_status))


def _keep_going() -> None:
    """Let a build end well that has gone on after failures.

    SCons forgets to tell the nodes that wait for one that cannot be made, and takes them for a
    cycle in the graph when it ends.
    """
    cleanup = Taskmaster.cleanup

    def clean_up(master: Any) -> None:
        waiting = master.pending_children
        if GetBuildFailures() and not any(find_cycle([node], set()) for node in waiting):
            master.will_not_build(waiting, lambda node: node.set_state(failed))
        cleanup(master)

    Taskmaster.cleanup = clean_up


def _declare_why(env: Environment, build: Build) -> None:
    """Declare ``why``: it explains the files that are named beside it, and builds nothing."""
    if "why" not in build.session.targets:
        return
    asked = [word for word in build.session.targets if word != "why"]
    if not asked:
        raise EthosmithError("why needs a file: ./scons why build/fvp/.../kws.axf")

    def explain() -> None:
        for target in asked:
            for line in env["REASONS"].explain(target):
                sys.stdout.write(f"{line}\n")

    build.engine.after("why", explain)
    BUILD_TARGETS[:] = ["why"]


def end_build(env: Environment, build: Build) -> None:
    """Declare what the targets do, and what is built: what was asked for, or all."""
    default = commands.declare_targets(build)
    env.Default(env.Alias(default))
    if COMMAND_LINE_TARGETS:
        # Words that are use cases have become variables.
        nodes = Nodes(env, build.project.root)
        BUILD_TARGETS[:] = [
            env.Alias(word)[0] if word in _TARGET_NAMES else nodes.entry(Path(word))
            for word in build.session.targets or [default]
        ]
    env.DeclareCompileCommands(build)
    _declare_why(env, build)
    if not build.engine.is_dry:
        build.code.save()
        build.packages.save()
    if build.session.record is not None:
        build.session.record.configured()


def exists(env: Environment) -> bool:
    """Say that the tool can be used: it needs nothing but Python."""
    del env
    return True


def generate(env: Environment) -> None:
    """Add the methods `BeginBuild` and `EndBuild`."""
    env.AddMethod(begin_build, "BeginBuild")
    env.AddMethod(end_build, "EndBuild")
