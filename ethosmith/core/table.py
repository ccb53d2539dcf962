# SPDX-License-Identifier: Apache-2.0
"""A table for people: in a file as wide as it is, on a terminal as wide as that."""

from __future__ import annotations

import io
import shutil
import textwrap
from collections.abc import Collection, Iterator, Sequence

from ethosmith.core.terminal import Look

_GAP = 2


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
    columns = [[name, *(row[i] for row in rows)] for i, name in enumerate(head)]
    if not look.live or _width(columns) <= _terminal_columns():
        return _drawn(columns, [name in numbers for name in head], look)
    stacks = _stacks([list(head)], [list(row) for row in rows], _terminal_columns())
    return "\n".join(_drawn(stack, [False] + [True] * (len(stack) - 1), look) for stack in stacks)


def note(text: str, look: Look) -> str:
    """Return a line of text, in a terminal's lines."""
    if not look.live:
        return f"{text}\n"
    return textwrap.fill(text, _terminal_columns(), break_on_hyphens=False) + "\n"


def _terminal_columns() -> int:
    return shutil.get_terminal_size().columns


def _width(columns: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, column)) for column in columns) + _GAP * (len(columns) - 1)


def _stacks(
    head: list[list[str]], columns: Sequence[list[str]], width: int
) -> Iterator[list[list[str]]]:
    """Yield tables one below the other, each with the head's column and as many as fit."""
    stack = list(head)
    for column in columns:
        if len(stack) > len(head) and _width([*stack, column]) > width:
            yield stack
            stack = list(head)
        stack.append(column)
    yield stack


def _drawn(columns: Sequence[Sequence[str]], to_right: Sequence[bool], look: Look) -> str:
    from rich.console import Console  # noqa: PLC0415 only when a table is shown
    from rich.table import Table  # noqa: PLC0415

    drawn = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    for (name, *_), right in zip(columns, to_right, strict=True):
        drawn.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in zip(*(column[1:] for column in columns), strict=True):
        drawn.add_row(*row)
    text = io.StringIO()
    console = Console(
        file=text,
        width=max(_width(columns), 1),
        force_terminal=look.colour,
        color_system="standard" if look.colour else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())
