# SPDX-License-Identifier: Apache-2.0
"""Why a file was made, or would be: the target ``why``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from SCons.Node.FS import File
from SCons.Script import BUILD_TARGETS

from ethosmith.core.errors import EthosmithError
from ethosmith.engine.scons_types import Environment, Node
from ethosmith.graph.build import Build
from ethosmith.graph.why import (
    ALWAYS,
    NOT_AS_MADE,
    NOT_THERE,
    Making,
    Makings,
    differences,
    is_lost_input,
    last_causes,
    report,
)


class Reasons:
    """Remembers from what each file is made, and explains it.

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
            making = _making(target[0])
            for node in target:
                self._makings.note(str(node), making, is_always=bool(node.always_build))

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
        return found or [ALWAYS if node.always_build else NOT_AS_MADE]


def _making(node: Node) -> Making:
    executor, env = node.get_executor(), node.get_build_env()
    inputs = {_name(child): child.get_csig() for child in node.children()}
    if "FACTS" in env:
        return Making.by_step(inputs, env["FACTS"])
    return Making(inputs, command=executor.get_contents().decode("utf-8", "replace"))


def _name(child: Node) -> str:
    return str(child) if isinstance(child, File) else type(child).__name__.lower()


def declare_why(env: Environment, build: Build) -> None:
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
