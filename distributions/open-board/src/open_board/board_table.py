# SPDX-License-Identifier: Apache-2.0
"""Tables of a board's file, read entry by entry, so that a wrong one is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ethosu_model.errors import did_you_mean
from open_board.machine import NPU_PAGE_BYTES

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MAX_WORD = 0xFFFFFFFF
_MAX_PAGES = 4


class WrongEntryError(Exception):
    """What is wrong in a file."""


class Table:
    """One table of a file; says what is wrong in it."""

    def __init__(self, values: Mapping[str, Any], known: Sequence[str], place: str = "") -> None:
        self.values, self._place = values, place
        for key in values:
            if key not in known:
                raise WrongEntryError(
                    f"unknown key '{place}{key}'{did_you_mean(key, known)} (known:"
                    f" {', '.join(known)})"
                )

    def table(self, key: str, known: Sequence[str]) -> Table:
        """Return a table inside this one; an empty one if it is not there."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise WrongEntryError(f"{self._place}{key} is not a table")
        return Table(value, known, f"{self._place}{key}.")

    def text(self, key: str) -> str:
        """Return a line of text."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value.isprintable():
            raise WrongEntryError(f"{self._place}{key}: expected a line of text, found {value!r}")
        return value

    def name(self, key: str) -> str:
        """Return a name of QEMU's, which no part of an option can hide in."""
        value = self.text(key)
        if not _NAME.fullmatch(value):
            raise WrongEntryError(f"{self._place}{key}: expected a name of QEMU's, found {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of at least one text."""
        values = self.values.get(key)
        if not isinstance(values, list) or not values:
            raise WrongEntryError(f"{self._place}{key}: expected a list of texts, found {values!r}")
        return tuple(Table({key: value}, (key,), self._place).text(key) for value in values)

    def tables(self, key: str, known: Sequence[str]) -> list[Table]:
        """Return a list of at least one table."""
        values = self.values.get(key)
        if not isinstance(values, list) or not values:
            raise WrongEntryError(f"{self._place}{key}: expected tables, found {values!r}")
        return [Table({key: value}, (key,), self._place).table(key, known) for value in values]

    def number(self, key: str, *, limit: int = _MAX_WORD, multiple_of: int = 1) -> int:
        """Return a number from 0 to ``limit``."""
        return _number(self.values.get(key), self._place + key, limit, multiple_of)

    def pages(self, key: str) -> tuple[int, ...]:
        """Return the addresses of a page."""
        values = self.values.get(key)
        if not isinstance(values, list) or not 1 <= len(values) <= _MAX_PAGES:
            raise WrongEntryError(
                f"{self._place}{key}: expected 1 to {_MAX_PAGES} addresses, found {values!r}"
            )
        return tuple(_number(v, self._place + key, _MAX_WORD, NPU_PAGE_BYTES) for v in values)

    def words(self, key: str) -> dict[int, int]:
        """Return words by address; TOML's keys are text."""
        given = self.table(key, tuple(self.values.get(key, ()))).values
        words = {}
        for text, value in given.items():
            try:
                address = int(text, 0)
            except ValueError:
                raise WrongEntryError(f"{key}: '{text}' is not an address") from None
            words[_number(address, key, _MAX_WORD, 4)] = _number(value, f"{key}.{text}", _MAX_WORD)
        return words


def _number(value: object, place: str, limit: int, multiple_of: int = 1) -> int:
    if type(value) is not int or not 0 <= value <= limit or value % multiple_of:
        steps = f", a multiple of {multiple_of}" if multiple_of > 1 else ""
        shown = f"0x{value:x}" if type(value) is int else repr(value)
        raise WrongEntryError(f"{place}: expected 0 to 0x{limit:x}{steps}, found {shown}")
    return value
