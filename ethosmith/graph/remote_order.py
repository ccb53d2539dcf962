# SPDX-License-Identifier: Apache-2.0
"""A step for another machine: its specification, and its files by the hashes of their contents.

The files themselves are in a store that both sides reach: the folder of the build cache, or its
server. What is in an order is all that a worker gets to see.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_start, sha256_of, writing_beside
from ethosmith.graph.build_cache import CONTENT, BuildCache
from ethosmith.graph.cache_entry import DamagedEntry, KeptFile, NotKept
from ethosmith.graph.http_server import CacheServer, is_url
from ethosmith.installation import DESCRIPTOR_ROOT
from ethosmith.steps.step import Step

_LOCK = "requirements.lock"
_PROCESSOR = "processor"
_CPUINFO = Path("/proc/cpuinfo")
_CPUINFO_BYTES = 1 << 16  # of the first processor
# What tells processors apart, of x86 and of Arm.
_PROCESSOR_LINES = (
    *("vendor_id", "cpu family", "model", "model name", "stepping", "cache size", "flags"),
    *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features"),
)
# Where a worker puts files that are in no project, below its folder.
_OUTSIDE = ".outside"


@dataclass(frozen=True)
class FileOfStep:
    """An input of a step: where it has to be, and what it is."""

    path: str
    sha256: str
    mode: int
    size_bytes: int

    @property
    def kept(self) -> KeptFile:
        """The file as the store knows it."""
        return KeptFile(self.sha256, self.mode, self.size_bytes)


@dataclass(frozen=True)
class Order:
    """One step to be run elsewhere.

    Attributes:
        step: its name.
        spec: its fields; all paths are relative to the folder that it runs in.
        inputs: what it reads.
        outputs: what it writes.
        packages: versions of the distributions that it computes with.
        code: hashes of its code, by module.
        environment: of `environment`.
        store: the folder or address of the store.
    """

    step: str
    spec: dict[str, Any]
    inputs: tuple[FileOfStep, ...]
    outputs: tuple[str, ...]
    packages: dict[str, str]
    code: dict[str, str]
    environment: dict[str, str]
    store: str

    @property
    def text(self) -> str:
        """The order as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Order:
        """Return the order of `text`.

        Raises:
            ValueError: a path leads out of the folder that the step runs in.
        """
        data = json.loads(text)
        data["inputs"] = tuple(FileOfStep(**one) for one in data["inputs"])
        data["outputs"] = tuple(data["outputs"])
        order = cls(**data)
        for path in (*(one.path for one in order.inputs), *order.outputs):
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise ValueError(f"{path}: leads out of the step's folder")
        return order


@dataclass(frozen=True)
class Done:
    """What a worker answers.

    Attributes:
        outputs: what the step wrote, in order; empty: it did not run, or failed.
        refused: why; empty: it ran well.
        shown: what it wrote to the terminal.
    """

    outputs: tuple[KeptFile, ...] = ()
    refused: str = ""
    shown: str = ""

    @property
    def text(self) -> str:
        """The answer as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Done:
        """Return the answer of `text`."""
        data = json.loads(text)
        outputs = tuple(KeptFile(**one) for one in data["outputs"])
        return cls(outputs, str(data["refused"]), str(data["shown"]))


def environment(*, rounds: bool = True) -> dict[str, str]:
    """Return what has to be the same here and on a worker, beside packages and code.

    Args:
        rounds: the processor has to be the same, too.
    """
    lock = DESCRIPTOR_ROOT / _LOCK
    found = {
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        _LOCK: sha256_of(lock) if lock.is_file() else "none",
    }
    return {**found, _PROCESSOR: _processor()} if rounds else found


@cache
def _processor() -> str:
    """Return the processor's model and features: libraries choose their floating-point code by it.

    Caches' sizes count among it: they decide in which order products are summed.
    """
    try:
        text = read_start(_CPUINFO, _CPUINFO_BYTES).decode("utf-8", "replace")
    except EthosmithError:
        return platform.processor() or platform.machine()
    first, _, _ = text.partition("\n\n")
    lines = dict(re.findall(r"^([^\t:]+?)\s*: *(.*)$", first, re.MULTILINE))
    kept = [f"{name}={lines[name]}" for name in _PROCESSOR_LINES if name in lines]
    name = lines.get("model name") or lines.get("CPU part") or platform.machine()
    return f"{hashlib.sha256(' '.join(kept).encode()).hexdigest()[:8]} {name}"


def order_of(
    step: Step, packages: Mapping[str, str], code: Mapping[str, str], store: str, root: Path
) -> Order:
    """Return the order for ``step``; its inputs are hashed now.

    Raises:
        OSError: an input cannot be read.
    """
    places = {path.as_posix(): _place(path, root) for path in (*step.inputs, *step.outputs)}
    return Order(
        step=step.name(),
        spec=_moved(step.spec(), places),
        inputs=tuple(_file(path, places[path.as_posix()]) for path in dict.fromkeys(step.inputs)),
        outputs=tuple(places[path.as_posix()] for path in step.outputs),
        packages=dict(packages),
        code=dict(code),
        environment=environment(rounds=step.rounds()),
        store=store,
    )


def _file(path: Path, place: str) -> FileOfStep:
    kept = KeptFile.of(path)
    return FileOfStep(place, kept.sha256, kept.mode, kept.size_bytes)


def _place(path: Path, root: Path) -> str:
    absolute = Path(os.path.normpath(root / path))
    if absolute.is_relative_to(root):
        return absolute.relative_to(root).as_posix()
    return f"{_OUTSIDE}{absolute.as_posix()}"


def _moved(value: Any, places: Mapping[str, str]) -> Any:
    """Return plain data in which each name of a file is where a worker has it."""
    if isinstance(value, str):
        return places.get(value, value)
    if isinstance(value, list):
        return [_moved(one, places) for one in value]
    if isinstance(value, dict):
        return {name: _moved(one, places) for name, one in value.items()}
    return value


class Store(Protocol):
    """Files by the hashes of their contents."""

    def bring(self, kept: KeptFile, target: Path) -> None:
        """Write a file to ``target``; `NotKept` or `DamagedEntry` if it is not there, or wrong."""

    def keep(self, path: Path) -> KeptFile:
        """Put a file into the store; OSError or `ServerFailure` if that cannot be."""


def store_at(place: str) -> Store:
    """Return the store at a folder or address; a server's token is this process's own."""
    if is_url(place):
        return _ServerStore(CacheServer.of(place, os.environ))
    return FolderStore(BuildCache(Path(place)))


@dataclass(frozen=True)
class FolderStore:
    """The build cache's folder."""

    cache: BuildCache

    def bring(self, kept: KeptFile, target: Path) -> None:
        """Write a file to ``target``; as `Store`."""
        with writing_beside(target, kept.mode) as beside:
            self.cache.copy_out(kept, beside)

    def keep(self, path: Path) -> KeptFile:
        """Put a file into the store; as `Store`."""
        return self.cache.keep_content(path)


@dataclass(frozen=True)
class _ServerStore:
    """The build cache's server."""

    server: CacheServer
    known: set[str] = field(default_factory=set)

    def bring(self, kept: KeptFile, target: Path) -> None:
        digest = hashlib.sha256()
        with writing_beside(target, kept.mode) as beside, beside.open("wb") as file:

            def take(chunk: bytes) -> None:
                digest.update(chunk)
                file.write(chunk)

            if not self.server.read_into(_path(kept.sha256), kept.size_bytes, take):
                raise NotKept
            if digest.hexdigest() != kept.sha256:
                raise DamagedEntry(f"{_path(kept.sha256)[:20]}… has other bytes than its name says")

    def keep(self, path: Path) -> KeptFile:
        kept = KeptFile.of(path)
        if kept.sha256 not in self.known:
            if not self.server.has(_path(kept.sha256), kept.size_bytes):
                self.server.write(_path(kept.sha256), path)
            self.known.add(kept.sha256)
        return kept


def _path(sha256: str) -> str:
    return f"{CONTENT}/{sha256[:2]}/{sha256}"


def missing(inputs: Sequence[FileOfStep], place: str, one: FileOfStep) -> str:
    """Return the line for an input that is not in the store."""
    number = inputs.index(one) + 1
    return f"input {number} of {len(inputs)}, {one.path}, is not in {place}"
