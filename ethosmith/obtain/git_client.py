# SPDX-License-Identifier: Apache-2.0
"""Run git so that it asks nobody, runs nothing and speaks only the protocols that are allowed.

Of the user's own configuration, only what says how to reach a server is taken: `http.*`
(proxy, certificates), `url.*.insteadOf` (a mirror) and `safe.directory` (a mirror's owner).
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError
from ethosmith.environment.tools import find_program

_PROTOCOLS = "https:file"
_KEPT = ("GIT_SSL_",)
_TAKEN = r"^(http\..*|url\..*\.insteadof|safe\.directory)$"
_TAKEN_TO_ASK = r"^(safe\.directory|core\.excludesfile)$"
# Below this rate for this long, a transfer has stopped.
_SLOW_BYTES_PER_S = 1000
_SLOW_FOR_S = 60
# Programs that a repository's own configuration may name. Filters and hooks of the other commands
# are not run by those that are used here.
_NO_PROGRAMS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", os.devnull),
)
_SETTINGS = (
    *_NO_PROGRAMS,
    ("core.askPass", ""),
    ("credential.helper", ""),
    ("fetch.recurseSubmodules", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("http.lowSpeedLimit", str(_SLOW_BYTES_PER_S)),
    ("http.lowSpeedTime", str(_SLOW_FOR_S)),
)
_PERCENT = re.compile(r"(Receiving|Resolving) (?:objects|deltas): +(\d+)%")


class GitFailure(Exception):  # noqa: N818 - not told to the user as it is
    """git ended with an error; ``text`` is what it said."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True)
class GitClient:
    """The git of this machine, and the variables that it runs with."""

    program: Path
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def of_this_machine(cls, given: Mapping[str, str] | None = None) -> GitClient:
        """Find git.

        Args:
            given: environment variables, by default those of this process.

        Raises:
            EthosmithError: git is missing; says how to install it.
        """
        given = os.environ if given is None else given
        program = find_program("git", given.get("PATH"))
        settings = [*_user_settings(program, given, _TAKEN), *_SETTINGS]
        return cls(program, {**_kept(given), **_variables(settings)})

    @classmethod
    def to_ask(cls, folder: Path, given: Mapping[str, str] | None = None) -> GitClient:
        """Return a git that can ask about ``folder``, whoever configured the repository there.

        It takes no server for an answer, so no helper is started for one, and looks for the
        repository nowhere else.

        Raises:
            EthosmithError: git is missing.
        """
        given = os.environ if given is None else given
        program = find_program("git", given.get("PATH"))
        settings = [*_user_settings(program, given, _TAKEN_TO_ASK), *_NO_PROGRAMS]
        settings.append(("protocol.allow", "never"))
        closed = {
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_CEILING_DIRECTORIES": str(folder.parent),
        }
        return cls(program, {**_kept(given), **_variables(settings), **closed})

    def read(self, *words: str, folder: Path | None = None, limit_s: float = float("inf")) -> bytes:
        """Return what a git command writes.

        Raises:
            GitFailure: it ended with an error, or not within ``limit_s``.
        """
        command = self._command(folder, words)
        try:
            done = run_within(command, limit_s, environment=self.environment)
        except EthosmithError as error:
            raise GitFailure(str(error)) from None
        if done.returncode != 0:
            raise GitFailure(done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def run(self, *words: str, folder: Path, on_percent: Callable[[int], None]) -> None:
        """Run a git command that reports progress.

        Raises:
            GitFailure: it ended with an error.
        """
        with subprocess.Popen(
            self._command(folder, words),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            said = []
            for line in _lines(process.stderr):
                percent = _PERCENT.search(line)
                if percent is None:
                    said.append(line)
                elif percent[1] == "Receiving":
                    on_percent(int(percent[2]))
        if process.returncode != 0:
            raise GitFailure("\n".join(said))

    @contextmanager
    def blobs(self, folder: Path) -> Iterator[Callable[[str], bytes]]:
        """Yield a function that returns the bytes of a blob of the repository ``folder``."""
        with subprocess.Popen(
            self._command(folder, ("cat-file", "--batch")),
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            asked, answered = process.stdin, process.stdout
            if asked is None or answered is None:
                raise EthosmithError("could not open pipes to git")

            def blob(name: str) -> bytes:
                asked.write(f"{name}\n".encode())
                asked.flush()
                head = answered.readline().split()
                if len(head) != 3 or head[1] != b"blob":
                    raise GitFailure(f"the object {name} is missing")
                data = answered.read(int(head[2]) + 1)
                return data[:-1]

            yield blob
            asked.close()

    def _command(self, folder: Path | None, words: tuple[str, ...]) -> list[str]:
        place = ["-C", str(folder)] if folder else []
        return [str(self.program), *place, *words]


def _variables(settings: list[tuple[str, str]]) -> dict[str, str]:
    """Return the variables that keep git quiet and give it ``settings``."""
    variables = {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
        # Not on the command line, where other users could read a header with a password.
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for index, (name, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{index}"] = name
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables


def _kept(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that name a repository or a program of git's."""
    return {
        name: value
        for name, value in given.items()
        if name.startswith(_KEPT) or not name.startswith("GIT_")
    }


def _user_settings(program: Path, given: Mapping[str, str], taken: str) -> list[tuple[str, str]]:
    """Return what the user's configuration says under the keys that ``taken`` matches."""
    own = {name: value for name, value in given.items() if name.startswith("GIT_CONFIG")}
    done = subprocess.run(
        [program, "config", "--null", "--includes", "--get-regexp", taken],
        env={**_kept(given), **own},
        cwd=Path(program.anchor),  # No repository's own configuration counts.
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    pairs = (entry.partition("\n") for entry in done.stdout.decode("utf-8", "replace").split("\0"))
    return [(name, value) for name, newline, value in pairs if newline]


def _lines(stream: IO[bytes] | None) -> Iterator[str]:
    """Yield the lines of git's messages; those that overwrite each other end with a return."""
    if stream is None:
        return
    waiting = b""
    while piece := os.read(stream.fileno(), 1 << 16):
        *done, waiting = re.split(rb"[\r\n]", waiting + piece)
        yield from (line.decode("utf-8", "replace") for line in done if line)
    if waiting:
        yield waiting.decode("utf-8", "replace")
