# SPDX-License-Identifier: Apache-2.0
"""What the words of a command line are: targets, use cases, or paths from where it was typed."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError, did_you_mean
from ethosmith.graph.http_server import is_url
from ethosmith.graph.options import OPTIONS, TARGETS
from ethosmith.graph.runtimes import RUNTIMES


class Place(NamedTuple):
    """Where a command line was typed, and the project that it is about; both absolute."""

    folder: Path
    project: Path

    def relative(self, text: str) -> str:
        """Return a path that was typed here, relative to the project if it is below it."""
        path = Path(os.path.normpath(self.folder / text))
        inside = path.is_relative_to(self.project)
        return str(path.relative_to(self.project) if inside else path)

    def arguments(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return ``name=value`` pairs with all paths relative to the project."""
        if self.folder == self.project:
            return dict(given)
        paths = {option.name for option in OPTIONS if option.is_path}
        return {
            name: self.relative(value) if _is_typed_path(name, value, paths) else value
            for name, value in given.items()
        }


def _is_typed_path(name: str, value: str, paths: Collection[str]) -> bool:
    is_path = name in paths or name.endswith("_dir")
    return is_path and value not in {"", "none"} and not value.startswith("~") and not is_url(value)


class Asked(NamedTuple):
    """What the words of a command line are.

    Attributes:
        targets: names of `TARGETS`, and paths relative to the project.
        usecases: names of use cases.
    """

    targets: tuple[str, ...] = ()
    usecases: tuple[str, ...] = ()


def sort_words(given: Sequence[str], usecases: Collection[str], place: Place) -> Asked:
    """Tell targets, use cases and paths apart: what is a target's name is that target.

    The folder of a use case stands for the use case; a path may begin with ``#`` for the project.

    Raises:
        EthosmithError: a word is none of them.
    """
    known = [target.name for target in TARGETS]
    targets, names = [], []
    for word in given:
        path = _typed_path(word, place)
        kind, _, name = path.partition("/")
        if word in known:
            targets.append(word)
        elif word in usecases:
            names.append(word)
        elif kind == "usecases" and name in usecases:
            names.append(name)
        elif (place.project / path).exists() or kind == "build":
            targets.append(path)
        else:
            raise EthosmithError(_unknown(word, known, usecases, place))
    return Asked(tuple(targets), tuple(dict.fromkeys(names)))


def _typed_path(word: str, place: Place) -> str:
    if word.startswith("#") and not (place.folder / word).exists():
        return Place(place.project, place.project).relative(word[1:].lstrip("/"))
    return place.relative(word)


def _unknown(word: str, known: Sequence[str], usecases: Collection[str], place: Place) -> str:
    if "/" in word:
        return f"{word}: no such file in {place.folder}, and no output of the build (build/...)"
    shown = f"'{word}'" if word.isprintable() else repr(word)
    variable = _variable_of(word, place)
    if variable:
        return f"unknown target {shown}; did you mean {variable}={word}? (see scons -h)"
    near = did_you_mean(word, [*known, *usecases])
    allowed = ", ".join(sorted(known))
    return f"unknown target {shown}{near} (allowed: {allowed}, a use case or a path)"


def _variable_of(word: str, place: Place) -> str:
    """Return the variable that ``word`` is a value of; empty: of none that can be told."""
    from ethosmith.core.accelerators import ACCELERATOR_CONFIGS
    from ethosmith.installation import DESCRIPTOR_ROOT

    known: dict[str, Collection[str]] = {
        "npu": ACCELERATOR_CONFIGS,
        "runtime": [runtime.name for runtime in RUNTIMES],
        "build_type": ("release", "debug"),
    }
    roots = (place.project, DESCRIPTOR_ROOT)
    known["target"] = [
        path.parent.name for r in roots for path in r.glob("platforms/*/platform.yaml")
    ]
    known["toolchain"] = [path.stem for root in roots for path in root.glob("toolchains/*.yaml")]
    return next((name for name, values in known.items() if word in values), "")
