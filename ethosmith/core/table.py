# SPDX-License-Identifier: Apache-2.0
"""A table for people: in a file as wide as it is, on a terminal as wide as that."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from ethosmith.core.terminal import Look

_GAP = 2
_MIN_CUT = 6
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[str], look: Look
) -> str:
    """Return a table with a row each; where a terminal has no room for it, with a column each.

    No cell is broken or cut.

    Args:
        head: the columns' names.
        rows: of each row a cell for each of them.
        numbers: names of the columns whose cells are set to the right.
        look: what the output can show; a plain one has room for everything.
    """
    whole = [head, *rows]
    if not look.live or _width(whole) <= _terminal_columns():
        return _drawn(whole, {i for i, name in enumerate(head) if name in numbers}, look)
    stacks = _stacks(head, rows, _terminal_columns())
    return "\n".join(_drawn(list(zip(*s, strict=True)), range(1, len(s)), look) for s in stacks)


def aligned(rows: Sequence[Sequence[str]], to_right: Collection[int]) -> Iterator[str]:
    """Yield a line for each row, its cells as wide as their column on a terminal.

    Args:
        rows: with as many cells each.
        to_right: the columns, by number, whose cells are set to the right.
    """
    widths = _widths(rows)
    for row in rows:
        cells = []
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - _columns_of(cell))
            cells.append(space + cell if column in to_right else cell + space)
        yield (" " * _GAP).join(cells).rstrip()


def cut_to_room(rows: Sequence[Sequence[str]], look: Look, indent: int) -> list[list[str]]:
    """Return ``rows`` with last cells that a terminal has room for: the ends of longer ones.

    Args:
        rows: with as many cells each.
        look: what the output can show; a plain one has room for everything.
        indent: columns before each line.
    """
    excess = _width(rows) + indent - _terminal_columns() if look.live else 0
    room = max(_widths(rows)[-1] - max(excess, 0), _MIN_CUT)
    return [[*row[:-1], _end_of(row[-1], room)] for row in rows]


def _end_of(cell: str, columns: int) -> str:
    if _columns_of(cell) <= columns:
        return cell
    while _columns_of(cell) >= columns:
        cell = cell[1:]
    return f"\u2026{cell}"


def note(text: str, look: Look) -> str:
    """Return a line of text, in a terminal's lines."""
    if not look.live:
        return f"{text}\n"
    return textwrap.fill(text, _terminal_columns(), break_on_hyphens=False) + "\n"


def _terminal_columns() -> int:
    return shutil.get_terminal_size().columns


def _columns_of(cell: str) -> int:
    """Return a terminal's columns: two for wide characters, none for those that combine."""
    wide = sum(unicodedata.east_asian_width(character) in {"F", "W"} for character in cell)
    return len(cell) + wide - sum(map(bool, map(unicodedata.combining, cell)))


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_columns_of, column)) for column in zip(*rows, strict=True)]


def _width(rows: Sequence[Sequence[str]]) -> int:
    widths = _widths(rows)
    return sum(widths) + _GAP * (len(widths) - 1)


def _stacks(
    head: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> Iterator[list[Sequence[str]]]:
    """Yield the head with as many rows as fit side by side, until there are no more."""
    stack = [head]
    for row in rows:
        if len(stack) > 1 and _width(list(zip(*stack, row, strict=True))) > width:
            yield stack
            stack = [head]
        stack.append(row)
    yield stack


def _drawn(rows: Sequence[Sequence[str]], to_right: Collection[int], look: Look) -> str:
    head, *others = aligned(rows, to_right)
    lines = [f"{_BOLD}{head}{_PLAIN}" if look.colour else head, *others]
    return "".join(f"{line}\n" for line in lines)
