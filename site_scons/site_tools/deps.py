# SPDX-License-Identifier: Apache-2.0
"""`scons deps`: fetch git repositories; and the error of a build that lacks them: `obtain`."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from SCons.Action import Action

from ethosmith.descriptors.origin import Repository
from ethosmith.graph.project import Located
from ethosmith.graph.repositories import fetch_first
from ethosmith.graph.session import Session

_MODULE = "ethosmith.obtain.repositories"
# The variables that select what is built; without any, `deps` is about everything declared.
_SELECTING = ("usecase", "runtime", "npu")
# Words of the command line that need no sources.
_WITHOUT_SOURCES = {"deps", "list"}


def declare_deps(env: Any) -> None:
    """Let `deps` fetch what the selection needs, or all there is; stop a build without sources."""
    session: Session = env["SESSION"]
    nothing_is_built = env.GetOption("help") or env.GetOption("clean")
    targets = set(session.targets)
    if "deps" in targets:
        _declare_fetch(env, _wanted(session))
    nothing_is_built |= bool(targets) and targets <= _WITHOUT_SOURCES
    if session.repositories.missing and not nothing_is_built:
        raise fetch_first(session.repositories.missing, session.selection_text(_SELECTING))


def _wanted(session: Session) -> Mapping[str, Located[Repository]]:
    if any(name in session.given for name in _SELECTING):
        return session.repositories.needed
    project = session.project
    return {name: project.repository(name) for name in project.repository_names}


def _declare_fetch(env: Any, wanted: Mapping[str, Located[Repository]]) -> None:
    if not wanted:
        return
    described = [
        {
            "name": item.descriptor.name,
            "git": item.descriptor.git,
            "commit": item.descriptor.commit,
            "tag": item.descriptor.tag,
            "descriptor": str(item.path),
        }
        for item in wanted.values()
    ]
    command = [sys.executable, "-m", _MODULE, "--repositories-json", json.dumps(described)]
    command += ["--offline"] if env["OFFLINE"] else []

    def fetch(target: Any, source: Any, env: Any) -> int:
        del target, source
        code: int = env["SHOWN"].run(command, env["ENV"], owns_terminal=True)
        return code

    say = f"FETCH     {', '.join(wanted)}"
    env.AlwaysBuild(env.Alias("deps", [], Action(fetch, say)))


def exists(env: Any) -> bool:
    """Say that the tool can be used; the step names a missing git."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `DeclareDeps`."""
    env.AddMethod(declare_deps, "DeclareDeps")
