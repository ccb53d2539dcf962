# SPDX-License-Identifier: Apache-2.0
"""Descriptors with spoilt text or spoilt values."""

from __future__ import annotations

import contextlib
import copy
import random
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.library import Library
from ethosmith.descriptors.load import load
from ethosmith.descriptors.origin import Package, Repository
from ethosmith.descriptors.platform import load_platform
from ethosmith.descriptors.toolchain import Toolchain
from ethosmith.descriptors.usecase_checks import load_usecase
from tests.support.campaigns.ending import REFUSED, ending_of
from tests.support.campaigns.mutate import spoil_tree, spoilt_bytes
from tests.support.project_copy import ROOT

_NAMES = {
    kind: tuple(path.stem for path in sorted((ROOT / kind).glob("*.yaml")))
    for kind in ("libraries", "packages")
}
_READERS: dict[str, Callable[[Path], Any]] = {
    "usecases/*/usecase.yaml": lambda p: load_usecase(p, _NAMES["libraries"], _NAMES["packages"]),
    "platforms/*/platform.yaml": load_platform,
    "libraries/*.yaml": lambda p: load(Library, p),
    "packages/*.yaml": lambda p: load(Package, p),
    "repositories/*.yaml": lambda p: load(Repository, p),
    "toolchains/*.yaml": lambda p: load(Toolchain, p),
}


@dataclass(frozen=True)
class Descriptors:
    """Good descriptors of one kind.

    Attributes:
        paths: where they are.
        texts: their content.
        trees: the same as values.
        read: their reader.
    """

    paths: Sequence[Path]
    texts: Sequence[bytes]
    trees: Sequence[Any]
    read: Callable[[Path], Any]


def prepare(folder: Path) -> list[Descriptors]:
    """Copy the project's descriptors and the files that they name."""
    found = []
    for pattern, read in _READERS.items():
        top = Path(pattern).parts[0]
        shutil.copytree(ROOT / top, folder / top)
        paths = sorted(folder.glob(pattern))
        texts = [path.read_bytes() for path in paths]
        found.append(Descriptors(paths, texts, list(map(yaml.safe_load, texts)), read))
    return found


def attack(kinds: list[Descriptors], random_: random.Random, folder: Path) -> str:
    """Read one spoilt descriptor beside the good one."""
    del folder
    kind = random_.choice(kinds)
    index = random_.randrange(len(kind.paths))
    path = kind.paths[index].with_name("hostile.yaml")
    path.write_bytes(_content(kind, index, random_))
    try:
        ending = ending_of(kind.read, path)
        if ending == REFUSED:
            with contextlib.suppress(EthosmithError):
                kind.read(path)
            _check_place(kind.read, path)
        return ending
    finally:
        path.unlink()


def _content(kind: Descriptors, index: int, random_: random.Random) -> bytes:
    if random_.random() < 0.5:
        return spoilt_bytes(kind.texts[index], random_, kind.texts)
    tree = copy.deepcopy(kind.trees[index])
    spoil_tree(tree, random_)
    flow = random_.choice((None, True, False))
    try:
        text = yaml.safe_dump(
            tree, default_flow_style=flow, allow_unicode=random_.random() < 0.5, width=80
        )
    except (ValueError, RecursionError):
        # Such as a number of more digits than Python writes.
        return spoilt_bytes(kind.texts[index], random_)
    return text.encode("utf-8", "surrogatepass")


def _check_place(read: Callable[[Path], Any], path: Path) -> None:
    """Check that the refusal says where."""
    try:
        read(path)
    except EthosmithError as error:
        assert re.match(rf"{re.escape(str(path))}:\d+:\d+: \S", str(error)), str(error)
