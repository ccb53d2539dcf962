# SPDX-License-Identifier: Apache-2.0
"""Why a file was made: what it was made from before and then, and what of that differs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text
from ethosmith.graph.engine import Facts

_MAX_SHOWN = 60
_MAX_FILES = 3
_HASH_DIGITS = 12
NOT_THERE = "it was not there"
NOT_AS_MADE = "it is not what its step made"
GONE = "it was gone, or not what its step makes"
ALWAYS = "it is made whenever it is asked for"
NOT_KNOWN = "it was not made here before, or not as it is"


@dataclass(frozen=True)
class Making:
    """What decides the content of a file.

    Attributes:
        inputs: the signature of each file that it is made from, by its path.
        command: of a compiler, archiver or linker; empty for a step.
        facts: of a step, see `Facts`.
    """

    inputs: Mapping[str, str]
    command: str = ""
    facts: Mapping[str, Any] | None = None

    @classmethod
    def by_step(cls, inputs: Mapping[str, str], facts: Facts) -> Making:
        """Return the making of a step."""
        return cls(inputs, facts=asdict(facts))


@dataclass(frozen=True)
class Made:
    """How a file was made the last time.

    Attributes:
        making: from what.
        causes: why, a line each.
        build: the number of the build that did it.
    """

    making: Making
    causes: tuple[str, ...]
    build: int


def differences(old: Making | None, new: Making) -> list[str]:
    """Return what differs, a line each, with the old and the new value."""
    if old is None:
        return [NOT_KNOWN]
    return [
        *_changed("option", _options(old), _options(new)),
        *_changed("package", _of(old, "packages"), _of(new, "packages")),
        *_changed("code", _of(old, "code"), _of(new, "code")),
        *_changed_words(old.command, new.command),
        *_changed("input", _shortened(old.inputs), _shortened(new.inputs)),
    ]


def _options(making: Making) -> Mapping[str, Any]:
    return _of(making, "options")


def _of(making: Making, part: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (making.facts or {}).get(part, {})
    return found


def _shortened(inputs: Mapping[str, str]) -> dict[str, str]:
    return {name: signature[:_HASH_DIGITS] for name, signature in inputs.items()}


def _changed(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"{kind} {name} is gone (it was {_shown(old[name])})"
        elif name not in old:
            yield f"{kind} {name} is new: {_shown(new[name])}"
        elif old[name] != new[name]:
            yield f"{kind} {name} changed: {_shown(old[name])} -> {_shown(new[name])}"


def _changed_words(old: str, new: str) -> Iterator[str]:
    if old == new:
        return
    before, now = _split(old), _split(new)
    gone = [word for word in before if word not in now]
    added = [word for word in now if word not in before]
    if gone:
        yield f"the command lost: {shlex.join(gone)}"
    if added:
        yield f"the command gained: {shlex.join(added)}"
    if not gone and not added:
        yield "the command has its words in another order"


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


class Makings:
    """How the files of a build folder were made, kept in one file that holds nothing that runs.

    Args:
        path: the file; damaged or missing, nothing is known.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = False

    @cached_property
    def _made(self) -> dict[str, Made]:
        return dict(_read(self._path))

    @cached_property
    def build(self) -> int:
        """The number of this build: one more than that of the last that made something."""
        return 1 + max((made.build for made in self._made.values()), default=0)

    def __getitem__(self, target: str) -> Made | None:
        """Return how ``target`` was made the last time; None if that is not known."""
        return self._made.get(target)

    def note(self, target: str, making: Making, *, is_always: bool = False) -> None:
        """Remember that ``target`` is made now.

        SCons has removed it already, so that nobody can tell whether it was there.

        Args:
            target: its path.
            making: from what.
            is_always: nothing has to differ for that.
        """
        before = self._made.get(target)
        causes = differences(before.making if before else None, making)
        if not causes:
            causes = [ALWAYS if is_always else GONE]
        self._made[target] = Made(making, tuple(causes), self.build)
        self._changed = True

    def save(self) -> None:
        """Write them; where there is no place for them, they are not known later."""
        if self._changed:
            rows = {name: asdict(made) for name, made in sorted(self._made.items())}
            with suppress(OSError):
                write_text(self._path, json.dumps(rows))


def _read(path: Path) -> Iterator[tuple[str, Made]]:
    try:
        rows = read_json(path)
        for name, row in rows.items():
            made = Made(Making(**row["making"]), tuple(row["causes"]), int(row["build"]))
            yield str(name), made
    except (EthosmithError, ValueError, TypeError, KeyError, AttributeError):
        return


def last_causes(makings: Makings, target: str) -> list[tuple[str, str]]:
    """Return what led to the last making of ``target``: files of that build, each with a cause."""
    found: list[tuple[str, str]] = []
    waiting, seen = [target], {target}
    while waiting:
        name = waiting.pop()
        made = makings[name]
        for cause in made.causes if made else ():
            source = _input_of(cause)
            earlier = makings[source] if source else None
            if made is None or source is None or earlier is None or earlier.build != made.build:
                found.append((name, cause))
            elif source not in seen:
                seen.add(source)
                waiting.append(source)
    return found


def _input_of(cause: str) -> str | None:
    match = re.fullmatch(r"input (.*) (?:changed: \S+ -> \S+|is new: \S+)", cause)
    return match[1] if match else None


def is_lost_input(cause: str) -> bool:
    """Say whether ``cause`` is a file that is no longer an input."""
    return cause.startswith("input ") and " is gone (" in cause


def report(causes: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each cause, and one for the files that it led to."""
    files: dict[str, list[str]] = {}
    for name, cause in causes:
        files.setdefault(cause, []).append(name)
    for cause, names in files.items():
        shown = sorted(dict.fromkeys(names))
        more = f" and {len(shown) - _MAX_FILES} more" if len(shown) > _MAX_FILES else ""
        yield f"  {cause}"
        yield f"      -> {', '.join(shown[:_MAX_FILES])}{more}"
