# SPDX-License-Identifier: Apache-2.0
"""Versions of the installed Python distributions that outputs depend on, with all they require."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text

if TYPE_CHECKING:
    from importlib.metadata import Distribution

# The same code under another name, for processors alone.
_ALTERNATIVES = {"tensorflow": "tensorflow-cpu"}
# Folders and files that describe a distribution.
_DESCRIBED = (".dist-info", ".egg-info")


class InstalledPackages:
    """The distributions of this Python's environment.

    Args:
        memory: a file for what was found, or None. It is believed while no distribution has
            come, gone or been installed anew; it holds nothing that runs, and may be damaged.
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


def _places() -> str:
    """Return what changes when a distribution comes or goes, or is installed anew."""
    found = [sys.version]
    for place in sys.path:
        with suppress(OSError), os.scandir(place or os.curdir) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.name.endswith(_DESCRIBED):
                    state = entry.stat()
                    stamp = (state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
                    found.append(f"{place}/{entry.name} {stamp}")
    return hashlib.sha256("\n".join(found).encode("utf-8", "surrogateescape")).hexdigest()


def _read(memory: Path | None, places: str) -> dict[str, dict[str, str]]:
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
        if distribution.name not in found:
            found[distribution.name] = distribution.version
            others = map(_distribution, distribution.requires)
            waiting += [other for other in others if other is not None]
    return found


class _Distribution(NamedTuple):
    """An installed distribution: its name as indexes write it, and what it needs here."""

    name: str
    version: str
    requires: tuple[str, ...]

    @classmethod
    def read(cls, found: Distribution) -> _Distribution:
        from packaging.requirements import Requirement

        # It is parsed at each look.
        head = found.metadata
        needed = [Requirement(one) for one in head.get_all("Requires-Dist") or found.requires or ()]
        return cls(
            re.sub(r"[-_.]+", "-", head["Name"]).lower(),
            head["Version"],
            tuple(
                one.name
                for one in needed
                if one.marker is None or one.marker.evaluate({"extra": ""})
            ),
        )


@cache
def _distribution(name: str) -> _Distribution | None:
    from importlib import metadata

    for one in (name, _ALTERNATIVES.get(name)):
        with suppress(metadata.PackageNotFoundError):
            if one:
                return _Distribution.read(metadata.distribution(one))
    return None
