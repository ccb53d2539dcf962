# SPDX-License-Identifier: Apache-2.0
"""Record what a build depended on, so that ``./scons`` can tell that nothing has changed.

`ethosmith.environment.null_build` compares it. Steps are processes of their own: what they read is
what they declare, which SCons compares by content and reports here. All else is what this process
asked of the file system, see `ethosmith.graph.observer`.

There is no record if anything happened that it could not hold: something was written to the
terminal that the next build would write again, or a file changed while the build ran.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TextIO

from ethosmith.core.files import write_bytes
from ethosmith.core.identity import Identity
from ethosmith.environment import null_build
from ethosmith.environment.null_build import Record
from ethosmith.graph.layout import BUILD, NOTES
from ethosmith.graph.observer import Observer
from ethosmith.graph.repositories import commit_of

_VERSION_OPTION = "--version"
# To ask again must be much cheaper than to start SCons.
_MAX_ANSWER_S = 0.3
# The reason why there is no record, for whoever wonders.
_EXPLAIN = "ETHOSMITH_EXPLAIN_RECORD"


class _Counted:
    """A stream that counts what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.count = 0

    def write(self, text: str) -> int:
        self.count += 1
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Unrecordable(Exception):  # noqa: N818 it is no error of a user
    """There can be no record, and why."""


class BuildRecord:
    """The record of this process's build, if it will be one that can be recorded.

    Args:
        root: the project's folder.
        words: the command line.
        identity: knows files.
    """

    def __init__(self, root: Path, words: Sequence[str], identity: Identity) -> None:
        self._root, self._words, self._identity = root, list(words), identity
        self._variables = null_build.variables(os.environ)
        build = root / BUILD
        own = (build / name for name in (".sconsign", ".lock", ".step_times.json"))
        self._observer = Observer(identity.now_ns(), [*map(str, own), str(root / NOTES)])
        self._nodes: dict[str, str] = {}
        self._answer: str | None = None
        self._commands = 0
        self._doubt = ""

    def begin(self) -> None:
        """Begin to look at what this process does."""
        self._stdout, self._stderr = _Counted(sys.stdout), _Counted(sys.stderr)
        sys.stdout, sys.stderr = self._stdout, self._stderr
        self._observer.begin()
        self._look_at_modules()
        home = Path("~").expanduser()
        # Where SCons has looked before.
        for path in (self._root, home / ".scons", Path("/usr/share/scons")):
            for name in ("SConstruct", "site_scons/site_init.py", "site_scons"):
                self._observer.look(path / name)

    def paused(self) -> AbstractContextManager[None]:
        """Let what is done in a block not count."""
        return self._observer.paused()

    def ignore(self, folder: Path) -> None:
        """Let a folder's files not count: what a cache holds does not decide what is built."""
        self._observer.ignore(f"{folder}/")

    def configured(self) -> None:
        """Report that the graph is declared: what is started from now on is a step."""
        self._commands = len(self._observer.commands)
        if self._stdout.count:
            self.doubt("the configuration wrote to the terminal")

    def node(self, path: str, sha256: str) -> None:
        """Report a file of the graph, and what SCons took its content for."""
        self._nodes[path] = sha256

    def answer(self, text: str) -> None:
        """Report what ends the build's output."""
        self._answer = text

    def doubt(self, reason: str) -> None:
        """Report why there must be no record of this build."""
        self._doubt = self._doubt or reason

    def write(self, exit_status: int) -> None:
        """Write the record, or remove the last one, of a build that has ended."""
        self._observer.end()
        path = self._root / null_build.place(self._words)
        try:
            if exit_status != 0:
                raise Unrecordable(f"exit code {exit_status}")
            write_bytes(path, null_build.encode(self._record()))
        except (Unrecordable, OSError, ValueError) as reason:
            path.unlink(missing_ok=True)
            if os.environ.get(_EXPLAIN):
                sys.stderr.write(f"no record: {reason}\n")

    def _record(self) -> Record:
        doubt = self._doubt or self._observer.failure
        if doubt or self._answer is None or self._stderr.count:
            raise Unrecordable(doubt or "there was no answer, or a warning")
        record: Record = {
            "situation": null_build.situation(self._words),
            "variables": self._variables,
            "files": [],
            "links": [],
            "folders": [],
            "missing": [],
            "listings": [],
            "commands": self._asked(),
            "answer": [(self._answer,)],
        }
        # Before anything is looked at for the last time.
        now_ns = self._identity.now_ns()
        self._look_at_modules()
        for name, sha256 in self._nodes.items():
            self._add_node(record, name, sha256, now_ns)
        for name in list(self._observer.paths):
            if name not in self._nodes:
                self._add_path(record, name)
        self._add_listings(record, now_ns)
        record["links"] = list(self._observer.links.items())
        return record

    def _look_at_modules(self) -> None:
        """Look at the code that has been loaded, SCons's own too, and where it was looked for."""
        names = {str(getattr(module, "__file__", None) or "") for module in sys.modules.values()}
        for name in (*names - {""}, sys.executable, f"{sys.prefix}/pyvenv.cfg", sys.argv[0]):
            self._observer.look(name)
        for folder in {*sys.path, *(str(Path(name).parent) for name in names)} - {""}:
            self._observer.list(folder)
            # Lines of such files add to the path, or run.
            for name in self._observer.listings.get(folder, "").split("/"):
                if name.endswith(".pth"):
                    self._observer.look(f"{folder}/{name[1:]}")

    def _asked(self) -> list[tuple[str, ...]]:
        """Return the commands whose answers count."""
        asked: list[tuple[str, ...]] = []
        for executable, folder, *words in self._observer.commands[: self._commands]:
            if words[1:] == [_VERSION_OPTION] and Path(executable).is_absolute():
                self._observer.look(executable)
                continue
            if tuple(words) != null_build.COMMIT_COMMAND:
                raise Unrecordable(f"{words[0]} was asked, which the record must not do")
            begun_s = time.monotonic()
            answer = null_build.answer_of(folder, words)
            if time.monotonic() - begun_s > _MAX_ANSWER_S:
                raise Unrecordable(f"{words[0]} takes long to answer")
            if (commit_of(Path(folder)) or "") not in answer:
                raise Unrecordable("another commit is checked out")
            asked.append((folder, "\n".join(words), answer))
        return asked

    def _add_node(self, record: Record, name: str, sha256: str, now_ns: int) -> None:
        state = self._observer.state(name)
        if state.is_folder:
            record["folders"].append((name,))
        elif state.is_missing:
            raise Unrecordable(f"{name} is missing")
        else:
            known = self._identity.look_at(name)
            if known.sha256 != sha256:
                raise Unrecordable(f"{name} has changed")
            stamp = state.stamp if known.stamp.is_settled(now_ns) else null_build.YOUNG
            record["files"].append((name, stamp, sha256))

    def _add_path(self, record: Record, name: str) -> None:
        seen, now = self._observer.paths[name], self._observer.state(name)
        # Folders below build/ are made by the build itself.
        made = seen.is_missing and now.is_folder and name.startswith(f"{self._root / BUILD}/")
        if now._replace(is_young=False) != seen._replace(is_young=False) and not made:
            raise Unrecordable(f"{name} has changed")
        if seen.is_young:
            raise Unrecordable(f"{name} is too young")
        if now.is_folder:
            record["folders"].append((name,))
        elif now.is_missing:
            if name not in self._observer.links:
                record["missing"].append((name,))
        else:
            record["files"].append((name, now.stamp, self._identity.sha256(name)))

    def _add_listings(self, record: Record, now_ns: int) -> None:
        made = self._made()
        for name, names in self._observer.listings.items():
            stamp, is_settled = self._observer.stamp(name, now_ns)
            now = null_build.listing_of(name)
            others = (set(now.split("/")) ^ set(names.split("/"))) - {""}
            # SCons has listed folders that this build has put its own outputs into.
            if not all(f"{name}/{other[1:]}" in made for other in others):
                raise Unrecordable(f"{name} has other files")
            record["listings"].append((name, stamp if is_settled else null_build.YOUNG, now))

    def _made(self) -> set[str]:
        """Return the outputs and the folders that they are in."""
        build = str(self._root / BUILD)
        outputs = {name for name in self._nodes if name.startswith(f"{build}/")}
        return outputs | {str(folder) for name in outputs for folder in Path(name).parents}
