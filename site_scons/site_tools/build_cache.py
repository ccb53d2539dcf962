# SPDX-License-Identifier: Apache-2.0
"""Take steps' outputs from the build cache: `ethosmith.graph.build_cache` behind SCons's CacheDir.

SCons asks for each target on its own; here a step's outputs come and go together.
"""

import atexit
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import SCons.Action
import SCons.CacheDir
import SCons.Script
import SCons.Script.Main
from SCons.Action import Action, CommandAction, CommandGeneratorAction, ListAction

from ethosmith.engine.scons_types import Environment, Executor, Node
from ethosmith.graph.build_cache import BuildCache
from ethosmith.graph.cache_entry import DamagedEntry, Trust, trust_line
from ethosmith.graph.cache_size import limit_bytes, shrink, shrink_now_and_then, size_line, size_of
from ethosmith.graph.http_server import CacheServer
from ethosmith.graph.layout import NOTES
from ethosmith.graph.step_key import Places, step_key
from ethosmith.obtain.cache import Cache

if TYPE_CHECKING:
    from ethosmith.graph.http_cache import HttpCache

# What says for which machine a compiler works.
_MACHINE_FLAGS = ("-m", "--target", "--specs")
# Nobody resumes a download after a month.
_STALE_DOWNLOAD_S = 30 * 86400.0


class StepCache(SCons.CacheDir.CacheDir):  # type: ignore[misc]
    """SCons's view of the build cache.

    Args:
        path: its folder.
    """

    def __init__(self, path: str | None) -> None:
        super().__init__(None)  # SCons's own would write its settings there
        self.path = path
        self._cache = BuildCache(Path(path), Trust.of(os.environ)) if path else None
        self._fetched: set[Executor] = set()
        self._keeps, self._added = True, False

    def retrieve(self, node: Node) -> bool:
        """Fetch all outputs of the step of ``node`` at its first; they are there for the others."""
        executor = node.get_executor()
        first, *others = executor.get_all_targets()
        if node is not first:
            return executor in self._fetched
        if self._cache is None or not self.is_enabled() or not SCons.Action.execute_actions:
            return False
        env = node.get_build_env()
        if not _is_cacheable(node) or not self._fetch(self._cache, env, node, [first, *others]):
            return False
        self._fetched.add(executor)
        env["REASONS"].note([first, *others])
        env["SHOWN"].from_cache += 1
        if SCons.Action.print_actions:
            more = f" and {len(others)} more" if others else ""
            env["SHOWN"].progress.line(f"CACHED    {first}{more}")
        return True

    def _fetch(self, cache: BuildCache, env: Environment, node: Node, targets: list[Node]) -> bool:
        place, key, paths = self.path, _key(env, node), [Path(str(target)) for target in targets]
        try:
            if cache.fetch(key, paths):
                return True
            server: HttpCache | None = env["HTTP_CACHE"]
            if server is None:
                return False
            place = server.url
            return server.fetch(key, paths) and cache.fetch(key, paths)
        except DamagedEntry as damage:
            env["SHOWN"].progress.line(f"warning: {place}: {damage}; {node} is made again")
            return False

    def push(self, node: Node) -> None:
        """Keep the outputs of a step that has run."""
        # SCons calls this with -n, too: what is there then is the outputs of before.
        if not SCons.Action.execute_actions:
            return
        targets = node.get_executor().get_all_targets()
        if node is not targets[0] or not self._keeps or self.is_readonly():
            return
        if self._cache is None or not self.is_enabled() or not _is_cacheable(node):
            return
        env = node.get_build_env()
        # A cache would hand the outputs on for good.
        if env["CONTENTS"].changed_since_read(node):
            return
        if not self._added:
            self._added = True
            atexit.register(shrink_now_and_then, self._cache.root, env["CACHE_LIMIT_BYTES"])
        try:
            key, paths = _key(env, node), [Path(str(target)) for target in targets]
            self._cache.keep(key, paths)
            if env["HTTP_CACHE"] is not None:
                env["HTTP_CACHE"].keep(key, paths)
        except OSError as error:
            self._keeps = False
            reason = f"{error.strerror}; nothing more is added to it by this build"
            env["SHOWN"].progress.line(f"note: build cache {self.path}: {reason}")


def _finished(env: Environment) -> BuildCache:
    """Return what resumable steps of this checkout have made since a build last ended well."""
    return BuildCache(env["SESSION"].project.root / NOTES / "finished")


def resume_step(env: Environment, target: Sequence[Node]) -> bool:
    """Fetch the outputs of a step that has run in a build that was killed; False: there is none."""
    try:
        paths = [Path(str(node)) for node in target]
        if not _finished(env).fetch(_key(target[0].get_build_env(), target[0]), paths):
            return False
    except (DamagedEntry, OSError):
        return False
    env["SHOWN"].progress.line(f"RESUMED   {target[0]}")
    return True


def note_step(env: Environment, target: Sequence[Node]) -> None:
    """Note what a resumable step has made, at once: a build may be killed at any time."""
    node = target[0]
    if not env["CONTENTS"].changed_since_read(node):
        with suppress(OSError):
            paths = [Path(str(one)) for one in target]
            _finished(env).keep(_key(node.get_build_env(), node), paths)


def _is_cacheable(node: Node) -> bool:
    """Say whether a step may be taken from the cache.

    Commands may, and steps that do not say otherwise; a function may see what nobody declared.
    """
    own = "STEP_SIGNATURE" in node.get_build_env()
    actions = node.get_executor().get_action_list()
    return not node.nocache and (own or all(_is_command(action) for action in actions))


def _is_command(action: object) -> bool:
    if isinstance(action, ListAction):
        return all(_is_command(one) for one in action.list)
    return isinstance(action, (CommandAction, CommandGeneratorAction))


def _key(env: Environment, node: Node) -> str:
    places, search_path = env["PLACES"], env["ENV"].get("PATH", "")
    executor = node.get_executor()
    command = bytes(executor.get_contents()).decode("utf-8", errors="surrogateescape")
    compiles = "STEP_SIGNATURE" not in env
    if compiles and env["SESSION"].launcher.sends_preprocessed:
        command = f"preprocessed: {command}"
    return step_key(
        places.without_places(command),
        [str(target) for target in executor.get_all_targets()],
        [(places.name(str(child), search_path), child.get_csig()) for child in node.children()],
        # Steps that compile a whole library are among those that have a machine.
        *(_compiler(env) if "MACHINE" in env else []),
    )


def _compiler(env: Environment) -> tuple[list[str], list[str]]:
    """Return the compiler's program with its machine flags, and the libraries that it is given."""
    flags = [str(flag) for flag in env.Flatten(env.get("LINKFLAGS", []))]
    program = env.WhereIs(str(env["CXX"])) or str(env["CXX"])
    given = [str(word) for word in env.get("SYSTEM_LIBRARIES", [])]
    return (
        [program, *(flag for flag in flags if flag.startswith(_MACHINE_FLAGS))],
        [word for word in given if Path(word).is_file()],
    )


def use_build_cache(env: Environment) -> None:
    """Let the build take from and add to the cache of ``cache=``, and declare ``scons cache``."""
    session = env["SESSION"]
    folder, limit = session.cache_folder, limit_bytes(session.values["cache_limit_gib"])
    env.Replace(PLACES=Places(session.project.root), CACHE_LIMIT_BYTES=limit, HTTP_CACHE=None)
    if session.is_long:
        atexit.register(_forget_finished, session.project.root / NOTES / "finished")
    say = _say(folder, limit, session.cache_server)
    env.AlwaysBuild(env.Alias("cache", [], Action(say, strfunction=None)))
    if folder is not None and session.cache_server is not None:
        from ethosmith.graph.http_cache import HttpCache  # noqa: PLC0415 seldom needed

        trust, note = Trust.of(os.environ), env["SHOWN"].progress.line
        server = HttpCache(session.cache_server, BuildCache(folder, trust), trust, note)
        env.Replace(HTTP_CACHE=server)
        atexit.register(server.finish)
    if folder is not None:
        if session.record is not None:
            session.record.ignore(folder)
        env.CacheDir(str(folder), StepCache)


def _forget_finished(folder: Path) -> None:
    """Forget what steps have made in a build that ends well: SCons knows it then."""
    if not SCons.Script.Main.exit_status and not SCons.Script.GetBuildFailures():
        shutil.rmtree(folder, ignore_errors=True)


def _say(folder: Path | None, limit: int, server: CacheServer | None) -> Callable[..., None]:
    def say(target: Sequence[Node], source: Sequence[Node], env: Environment) -> None:
        del target, source, env
        Cache.for_user().remove_stale_partials(_STALE_DOWNLOAD_S)
        if folder is None:
            sys.stdout.write("There is no build cache (cache=none).\n")
            return
        shrink(folder, limit)
        sys.stdout.write(size_line(folder, size_of(folder), limit))
        sys.stdout.write(trust_line(folder, Trust.of(os.environ)))
        if server is not None:
            from ethosmith.graph.http_cache import server_line  # noqa: PLC0415

            sys.stdout.write(server_line(server, Trust.of(os.environ)))

    return say


def exists(env: Environment) -> bool:
    """Say that the tool can be used: it needs nothing."""
    del env
    return True


def generate(env: Environment) -> None:
    """Add the method `UseBuildCache`."""
    env.AddMethod(use_build_cache, "UseBuildCache")
    env.AddMethod(resume_step, "ResumeStep")
    env.AddMethod(note_step, "NoteStep")
