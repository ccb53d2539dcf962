# SPDX-License-Identifier: Apache-2.0
"""Estimate the deepest stack from what GCC tells of each function.

GCC writes one ``.ci`` file (``-fcallgraph-info=su``, VCG) with functions, frames and calls,
and one ``.su`` file (``-fstack-usage``) with frames alone, beside each object. The estimate
is the longest way through the calls. It is a lower bound wherever a function on the way has
no figures (a library built without them), calls through a pointer, or calls itself; each of
these is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ethosmith.images.files import read_bytes
from ethosmith.images.names import plain_name

MAX_FILE_BYTES = 1 << 26
INDIRECT = "__indirect_call"
# What a Cortex-M55 pushes on an exception, floating-point state and alignment included
# (Armv8-M Architecture Reference Manual, "Exception entry, stacking").
EXCEPTION_FRAME_BYTES = 112
_NODE = re.compile(r'node: \{ title: "((?:[^"\\]|\\.)*)" label: "((?:[^"\\]|\\.)*)"')
_EDGE = re.compile(r'edge: \{ sourcename: "((?:[^"\\]|\\.)*)" targetname: "((?:[^"\\]|\\.)*)"')
_FRAME = re.compile(r"(\d+) bytes \(([a-z,]+)\)")


@dataclass(frozen=True)
class Function:
    """A function, its frame, and whom it calls.

    Attributes:
        name: unique; a static function's begins with its file and a colon.
        frame_bytes: None where GCC gave no figure.
        bounded: whether the frame's size is known at compile time.
    """

    name: str
    frame_bytes: int | None
    bounded: bool = True
    calls: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name for a person."""
        return plain_name(self.name.rpartition(":")[2])


@dataclass(frozen=True)
class Depth:
    """The longest way down from one function.

    Attributes:
        size_bytes: sum of the frames on the way.
        path: the functions on the way, outermost first.
    """

    size_bytes: int
    path: tuple[Function, ...]


@dataclass(frozen=True)
class StackEstimate:
    """The deepest stack from an entry function, and what it leaves out.

    Attributes:
        deepest: the longest way from there.
        interrupts: the longest way from an exception handler, if there is one.
        recursive: functions that can call themselves; each counts once on a way.
        unknown: functions on any of the ways without a figure.
        indirect: functions on any of the ways that call through a pointer.

    The last three are labels.
    """

    deepest: Depth
    interrupts: Depth | None
    recursive: tuple[str, ...]
    unknown: tuple[str, ...]
    indirect: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """The entry's way and one interrupt at its deepest point."""
        if self.interrupts is None:
            return self.deepest.size_bytes
        return self.deepest.size_bytes + EXCEPTION_FRAME_BYTES + self.interrupts.size_bytes

    @property
    def complete(self) -> bool:
        """Whether nothing is left out: the estimate is then an upper bound."""
        return not (self.recursive or self.unknown or self.indirect)


@dataclass
class _CallGraph:
    functions: dict[str, Function] = field(default_factory=dict)

    def add(self, function: Function) -> None:
        """Keep the definition: it has a frame, a mere declaration has none."""
        known = self.functions.get(function.name)
        if known is None or known.frame_bytes is None:
            self.functions[function.name] = function


def read_call_graph(folders: Iterable[Path]) -> Mapping[str, Function]:
    """Read every ``.ci`` and ``.su`` file below the folders; empty if there is none.

    A ``.su`` file counts only where no ``.ci`` file stands beside it: it names no calls.
    """
    graph = _CallGraph()
    for path in _files(folders):
        text = read_bytes(path, limit_bytes=MAX_FILE_BYTES).decode("utf-8", errors="replace")
        for function in parse_ci(text) if path.suffix == ".ci" else parse_su(text):
            graph.add(function)
    return graph.functions


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    found = {path for folder in folders for path in folder.rglob("*.[cs][iu]")}
    for path in sorted(found):
        alone = path.suffix == ".su" and path.with_suffix(".ci") not in found
        if path.suffix == ".ci" or alone:
            yield path


def parse_ci(text: str) -> Iterator[Function]:
    """Yield the functions of one ``.ci`` file, calls included."""
    calls: dict[str, list[str]] = {}
    for edge in _EDGE.finditer(text):
        calls.setdefault(edge[1], []).append(edge[2])
    for node in _NODE.finditer(text):
        if node[1] == INDIRECT:
            continue
        frame = _FRAME.search(node[2])
        yield Function(
            name=node[1],
            frame_bytes=int(frame[1]) if frame else None,
            bounded=frame is None or frame[2] != "dynamic",
            calls=tuple(dict.fromkeys(calls.get(node[1], ()))),
        )


def parse_su(text: str) -> Iterator[Function]:
    """Yield the functions of one ``.su`` file: ``file:line:column:name``, bytes, kind."""
    for line in text.splitlines():
        place, _, rest = line.partition("\t")
        frame, _, kind = rest.partition("\t")
        if frame.isdigit():
            name = place.split(":", 3)[-1]
            yield Function(name, int(frame), bounded=kind.strip() != "dynamic")


def estimate(functions: Mapping[str, Function], entry: str) -> StackEstimate | None:
    """Return the estimate from ``entry``, or None if there are no calls to follow from it."""
    start = functions.get(entry)
    if start is None or not start.calls:
        return None
    search = _Search(functions)
    handler = _deepest_handler(functions, search, search.reached(entry))
    reached = search.reached(entry) | (search.reached(handler.path[0].name) if handler else set())
    indirect = {name for name in reached if INDIRECT in _calls(functions, name)}
    unknown = {name for name in reached if _is_unknown(functions, name)}
    return StackEstimate(
        deepest=search.depth(entry),
        interrupts=handler,
        recursive=_labels(functions, search.recursive & reached),
        unknown=_labels(functions, unknown),
        indirect=_labels(functions, indirect),
    )


def _named(functions: Mapping[str, Function], name: str) -> Function:
    return functions.get(name) or Function(name, None)


def _labels(functions: Mapping[str, Function], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({_named(functions, name).label for name in names}))


def _calls(functions: Mapping[str, Function], name: str) -> tuple[str, ...]:
    return _named(functions, name).calls


def _is_unknown(functions: Mapping[str, Function], name: str) -> bool:
    function = _named(functions, name)
    return function.frame_bytes is None or not function.bounded


def _deepest_handler(
    functions: Mapping[str, Function], search: _Search, reached: set[str]
) -> Depth | None:
    """Return the deepest of the exception handlers: entered by hardware, called by nobody."""
    handlers = [
        name
        for name in sorted(functions)
        if name not in reached and name.lower().endswith(("_handler", "_irq", "_isr"))
    ]
    return max((search.depth(name) for name in handlers), key=_size, default=None)


def _size(depth: Depth) -> int:
    return depth.size_bytes


class _Search:
    """A depth-first walk that keeps what it has found."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        self._depths: dict[str, Depth] = {}
        self.recursive: set[str] = set()

    def depth(self, entry: str) -> Depth:
        """Return the longest way from ``entry``; a call back into the way counts as nothing."""
        open_calls: list[tuple[str, Iterator[str]]] = [(entry, self._callees(entry))]
        on_way = {entry: 0}
        while open_calls:
            name, callees = open_calls[-1]
            callee = next(callees, None)
            if callee is None:
                self._close(name)
                open_calls.pop()
                del on_way[name]
            elif callee in on_way:
                way = [item for item, _ in open_calls]
                self.recursive.update(way[on_way[callee] :])
            elif callee not in self._depths:
                on_way[callee] = len(open_calls)
                open_calls.append((callee, self._callees(callee)))
        return self._depths[entry]

    def _callees(self, name: str) -> Iterator[str]:
        return (callee for callee in _calls(self._functions, name) if callee != INDIRECT)

    def _close(self, name: str) -> None:
        below = [self._depths[item] for item in self._callees(name) if item in self._depths]
        deepest = max(below, key=_size, default=Depth(0, ()))
        function = _named(self._functions, name)
        size_bytes = (function.frame_bytes or 0) + deepest.size_bytes
        self._depths[name] = Depth(size_bytes, (function, *deepest.path))

    def reached(self, entry: str) -> set[str]:
        """Return every function that a way from ``entry`` passes."""
        found: set[str] = set()
        open_names = [entry]
        while open_names:
            name = open_names.pop()
            if name not in found:
                found.add(name)
                open_names += self._callees(name)
        return found
