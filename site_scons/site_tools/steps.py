# SPDX-License-Identifier: Apache-2.0
"""The tool of SCons that begins and ends a build: the session, what is typed, and the lock."""

import atexit
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from SCons.Defaults import DefaultEnvironment
from SCons.Node import failed
from SCons.Script import BUILD_TARGETS, COMMAND_LINE_TARGETS, GetBuildFailures, Main
from SCons.Taskmaster import Taskmaster, find_cycle

from ethosmith.core.terminal import reserved_output
from ethosmith.engine.reasons import Reasons, declare_why
from ethosmith.engine.scons_engine import SConsEngine
from ethosmith.engine.scons_types import Environment, Node, Nodes
from ethosmith.graph import commands
from ethosmith.graph.build import Build
from ethosmith.graph.code_index import CodeIndex
from ethosmith.graph.layout import BUILD, NOTES
from ethosmith.graph.options import TARGETS
from ethosmith.graph.packages import InstalledPackages
from ethosmith.graph.session import Session
from ethosmith.graph.why import Makings
from ethosmith.report.progress import progress_of_this_process
from ethosmith.report.step_runs import AnnouncedSteps, StepTimes

_TARGET_NAMES = {target.name for target in TARGETS}


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
    declare_why(env, build)
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
