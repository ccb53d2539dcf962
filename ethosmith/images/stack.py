# SPDX-License-Identifier: Apache-2.0
"""Estimate the deepest stack of an image from its machine code.

Each function's frame and calls come from its instructions (`machine_code`), so that library
routines count as the program's own do, and the estimate is a function of the image alone.
It is the longest way through the calls from the reset handler, and one interrupt on top. It
is a lower bound wherever a function on the way calls through a pointer, calls itself or
takes room by a register's value; each of these is named.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from ethosmith.images.elf import Elf, Section, Symbol, SymbolTable
from ethosmith.images.machine_code import read_body
from ethosmith.images.symbols import plain_name

# What a Cortex-M55 pushes on an exception, floating-point state and alignment included
# (Armv8-M Architecture Reference Manual, B3.19).
EXCEPTION_FRAME_BYTES = 112
_VECTORS = ".vectors"
_ADDRESS_LIMIT = 1 << 32


@dataclass(frozen=True)
class Function:
    """A function, its frame, and whom it calls, by address.

    Attributes:
        label: its name for a person.
        frame_bytes: None if there is no code at the address that something calls.
        bounded: whether the frame's size is in the instructions.
        calls: the addresses that it calls or branches to.
        calls_pointer: whether it also calls what a register holds.
    """

    label: str
    frame_bytes: int | None
    bounded: bool = True
    calls: tuple[int, ...] = ()
    calls_pointer: bool = False


Functions = Mapping[int, Function]


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
    """The deepest stack from the reset handler, and what the estimate leaves out.

    Attributes:
        deepest: the longest way from the reset handler.
        interrupt: the longest way from another exception handler, if there is one.
        recursive: functions that can call themselves; each counts once on a way.
        unbounded: functions whose frame depends on a value, or is unknown.
        indirect: functions that call through a pointer.

    The last three are labels of functions on any way.
    """

    deepest: Depth
    interrupt: Depth | None
    recursive: tuple[str, ...]
    unbounded: tuple[str, ...]
    indirect: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """The entry's way and one interrupt at its deepest point."""
        if self.interrupt is None:
            return self.deepest.size_bytes
        return self.deepest.size_bytes + EXCEPTION_FRAME_BYTES + self.interrupt.size_bytes

    @property
    def complete(self) -> bool:
        """Whether nothing is left out: the estimate is then an upper bound."""
        return not (self.recursive or self.unbounded or self.indirect)


@dataclass(frozen=True)
class _Extent:
    """Where a function's bytes lie, and whether it runs on into the one that follows."""

    name: str
    start: int
    end: int
    runs_on: bool


def read_functions(image: Elf, symbols: SymbolTable) -> dict[int, Function]:
    """Return every function of the image by its address."""
    extents = _extents(image, symbols)
    starts = sorted(extents)
    functions: dict[int, Function] = {}
    for address, extent in extents.items():
        code = _code_of(image, symbols.mapping, extent)
        body = read_body(code, range(address, extent.end))
        calls = [_owner(extents, starts, target) for target in body.targets]
        calls += [extent.end] if extent.runs_on else []
        functions[address] = Function(
            label=plain_name(extent.name),
            frame_bytes=body.frame_bytes,
            bounded=body.bounded,
            calls=tuple(dict.fromkeys(calls)),
            calls_pointer=body.calls_pointer,
        )
    return functions


def _extents(image: Elf, symbols: SymbolTable) -> dict[int, _Extent]:
    """Return the functions by address; each ends at the next, or at its section's end.

    Names without a type count, as hand-written assembler does not always give one. Where a
    function begins inside another one, the routine has two entries, and the first runs on.
    """
    names = {address: name for name, address in sorted(symbols.addresses.items(), reverse=True)}
    names |= {place: name for place, name in symbols.unsized.items() if place not in names}
    sizes = {item.address: item for item in reversed(symbols.sized) if item.is_function}
    starts = sorted({*names, *sizes})
    extents: dict[int, _Extent] = {}
    for address, following in zip_longest(starts, starts[1:], fillvalue=_ADDRESS_LIMIT):
        section = _section_at(image, address)
        if section:
            room_end = min(following, section.address + section.size_bytes)
            own = sizes.get(address) or Symbol(names[address], address, room_end - address, True)
            end = min(own.end, room_end)
            extents[address] = _Extent(own.name, address, end, runs_on=own.end > end == following)
    return extents


def _owner(extents: Mapping[int, _Extent], starts: Sequence[int], target: int) -> int:
    """Return the function that a branch into its middle belongs to, or the target itself."""
    index = bisect.bisect_right(starts, target) - 1
    if index >= 0 and target < extents[starts[index]].end:
        return starts[index]
    return target


def _code_of(
    image: Elf, mapping: Sequence[tuple[int, bool]], extent: _Extent
) -> Iterator[tuple[int, bytes]]:
    """Yield the function's instructions without the literals and jump tables among them."""
    section = _section_at(image, extent.start)
    if section is None:
        return
    offset = section.file_offset - section.address
    first = bisect.bisect_right(mapping, (extent.start, True))
    following = map(mapping.__getitem__, range(first, len(mapping)))
    is_code, start = True, extent.start
    for address, next_is_code in chain(following, [(extent.end, False)]):
        end = min(address, extent.end)
        if is_code and start < end:
            yield start, image.data[offset + start : offset + end]
        is_code, start = next_is_code, end
        if end == extent.end:
            return


def _section_at(image: Elf, address: int) -> Section | None:
    for section in image.sections:
        inside = section.address <= address < section.address + section.size_bytes
        if inside and section.is_code and section.load_address is not None:
            return section
    return None


def exception_handlers(image: Elf) -> frozenset[int]:
    """Return the addresses in the vector table, the first word, the stack's, left out."""
    for section in image.sections:
        if section.name == _VECTORS and section.load_address is not None:
            table = image.data[section.file_offset :][: section.size_bytes]
            words = (int.from_bytes(table[at : at + 4], "little") for at in range(4, len(table), 4))
            return frozenset(word & ~1 for word in words if word & 1)
    return frozenset()


def estimate(functions: Functions, entry: int, handlers: Iterable[int]) -> StackEstimate | None:
    """Return the estimate from ``entry``, or None if there is no function at that address."""
    if entry not in functions:
        return None
    search = _Search(functions)
    others = sorted({*handlers} - {entry})
    depths = [search.depth(address) for address in others]
    reached = search.reached([entry, *others])
    known = {address: _named(functions, address) for address in reached}
    return StackEstimate(
        deepest=search.depth(entry),
        interrupt=max(depths, key=_size, default=None),
        recursive=_labels(known[address] for address in search.recursive),
        unbounded=_labels(f for f in known.values() if f.frame_bytes is None or not f.bounded),
        indirect=_labels(f for f in known.values() if f.calls_pointer),
    )


def _named(functions: Functions, address: int) -> Function:
    return functions.get(address) or Function(f"0x{address:08x}", None)


def _labels(functions: Iterable[Function]) -> tuple[str, ...]:
    return tuple(sorted({function.label for function in functions}))


def _size(depth: Depth) -> int:
    return depth.size_bytes


class _Search:
    """A depth-first walk that keeps what it has found; its depth is not Python's."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._sizes: dict[int, int] = {}
        self._deepest_callee: dict[int, int | None] = {}
        self.recursive: set[int] = set()

    def depth(self, entry: int) -> Depth:
        """Return the longest way from ``entry``; a call back into the way counts as nothing."""
        self._walk(entry)
        path, address = [], entry
        while True:
            path.append(_named(self._functions, address))
            callee = self._deepest_callee[address]
            if callee is None:
                return Depth(self._sizes[entry], tuple(path))
            address = callee

    def _walk(self, entry: int) -> None:
        open_calls = [] if entry in self._sizes else [(entry, self._callees(entry))]
        on_way = {entry: 0}
        while open_calls:
            address, callees = open_calls[-1]
            callee = next(callees, None)
            if callee is None:
                self._close(address)
                open_calls.pop()
                del on_way[address]
            elif callee in on_way:
                self.recursive.update(item for item, _ in open_calls[on_way[callee] :])
            elif callee not in self._sizes:
                on_way[callee] = len(open_calls)
                open_calls.append((callee, self._callees(callee)))

    def _callees(self, address: int) -> Iterator[int]:
        return iter(_named(self._functions, address).calls)

    def _close(self, address: int) -> None:
        below = [callee for callee in self._callees(address) if callee in self._sizes]
        deepest = max(below, key=self._sizes.__getitem__, default=None)
        frame_bytes = _named(self._functions, address).frame_bytes or 0
        self._sizes[address] = frame_bytes + (self._sizes[deepest] if deepest is not None else 0)
        self._deepest_callee[address] = deepest

    def reached(self, entries: Iterable[int]) -> set[int]:
        """Return every function that a way from one of ``entries`` passes."""
        found: set[int] = set()
        open_addresses = list(entries)
        while open_addresses:
            address = open_addresses.pop()
            if address not in found:
                found.add(address)
                open_addresses += self._callees(address)
        return found
