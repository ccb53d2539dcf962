# SPDX-License-Identifier: Apache-2.0
"""Versions of the installed Python distributions that outputs depend on, with all they require."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text

if TYPE_CHECKING:
    from importlib.metadata import Distribution

# The same code under another name, for processors alone.
_ALTERNATIVES = {"tensorflow": "tensorflow-cpu"}


class InstalledPackages:
    """The distributions of this Python's environment.

    Args:
        memory: a file for what was found, or None. It is believed while no distribution has
            come or gone; it holds nothing that runs, and may be damaged.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._places = _places()
        self._found = _read(memory, self._places)
        self._changed = False

    def versions(self, names: Iterable[str]) -> dict[str, str]:
        """Return the versions of ``names`` and of what they require, by name, sorted.

        Raises:
            EthosmithError: one of ``names`` is not installed.
        """
        found: dict[str, str] = {}
        for name in names:
            if name not in self._found:
                self._found[name] = _closure(name)
                self._changed = True
            found.update(self._found[name])
        return dict(sorted(found.items()))

    def save(self) -> None:
        """Keep what was found; without a place for it, the next build looks again."""
        if self._memory is None or not self._changed:
            return
        with suppress(OSError):
            kept = {"places": self._places, "found": self._found}
            write_text(self._memory, json.dumps(kept, sort_keys=True))


def _places() -> list[list[Any]]:
    """Return what changes when a distribution comes or goes: the folders' own times."""
    found: list[list[Any]] = [[sys.version]]
    for place in sys.path:
        with suppress(OSError):
            state = Path(place or ".").stat()
            found.append([place, state.st_mtime_ns, state.st_ctime_ns, state.st_ino])
    return found


def _read(memory: Path | None, places: list[list[Any]]) -> dict[str, dict[str, str]]:
    try:
        kept = read_json(memory) if memory else {}
        found: dict[str, dict[str, str]] = kept["found"] if kept.get("places") == places else {}
    except (EthosmithError, KeyError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}


def _closure(name: str) -> dict[str, str]:
    own = _distribution(name)
    if own is None:
        raise EthosmithError(
            f"the Python package '{name}' is not installed in {sys.prefix}:"
            f" run ./scons, or install it with: pip install {name}"
        )
    found: dict[str, str] = {}
    waiting = [own]
    while waiting:
        distribution = waiting.pop()
        name = re.sub(r"[-_.]+", "-", distribution.name).lower()
        if name not in found:
            found[name] = distribution.version
            others = (_distribution(one) for one in _requirements(distribution))
            waiting += [other for other in others if other is not None]
    return found


def _requirements(distribution: Distribution) -> list[str]:
    from packaging.requirements import Requirement  # noqa: PLC0415 only if not remembered

    parsed = map(Requirement, distribution.requires or ())
    return [one.name for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]


@cache
def _distribution(name: str) -> Distribution | None:
    from importlib import metadata  # noqa: PLC0415 only if not remembered

    for one in (name, _ALTERNATIVES.get(name)):
        with suppress(metadata.PackageNotFoundError):
            if one:
                return metadata.distribution(one)
    return None
