# SPDX-License-Identifier: Apache-2.0
"""Words with named fields: what registers and commands are declared with.

A word's class declares its fields, a table declares the word under the manual's name::

    class RegionWord(Word):
        region = bits(0, 3)

    class Table:
        IFM_REGION = RegionWord()

    Table.IFM_REGION.region.get(value)  # and Table.IFM_REGION.region.name is "region"
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import cached_property
from typing import Generic, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


class Field(Generic[T]):
    """Adjacent bits of a word.

    Attributes:
        word: The word it is in.
        name: The manual's name.
        low: Its lowest bit.
        width: How many bits.
        mask: These bits, in place.
    """

    word: Word
    name: str

    def __init__(self, low: int, width: int, decode: Callable[[int], T]) -> None:
        self.low = low
        self.width = width
        self.mask = (1 << width) - 1 << low
        self._decode = decode

    def get(self, value: int) -> T:
        """Return the field of a word's value.

        Raises:
            ValueError: The field is an enumeration and the value reserved.
        """
        return self._decode((value & self.mask) >> self.low)

    def put(self, value: int) -> int:
        """Return ``value`` at the field's place, cut to its width."""
        return value << self.low & self.mask

    def bound_to(self, word: Word, name: str) -> Field[T]:
        """Return this field as that of ``word``."""
        twin = Field(self.low, self.width, self._decode)
        twin.word, twin.name = word, name
        return twin

    def __repr__(self) -> str:
        return f"{self.word.name}.{self.name}"


def bits(low: int, width: int) -> Field[int]:
    """Declare an unsigned number."""
    return Field(low, width, int)


def flag(low: int) -> Field[bool]:
    """Declare one bit."""
    return Field(low, 1, bool)


def choice(low: int, width: int, kind: type[E]) -> Field[E]:
    """Declare a field with an enumeration's values; all others are reserved."""
    return Field(low, width, kind)


class Word:
    """A register or a command; subclasses declare fields.

    Attributes:
        name: The manual's name: that of the table's entry.
    """

    name: str

    def __init__(self) -> None:
        for kind in type(self).__mro__:
            for name, value in vars(kind).items():
                if isinstance(value, Field):
                    setattr(self, name, value.bound_to(self, name))

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @cached_property
    def fields(self) -> tuple[Field[object], ...]:
        """Its fields, from bit 0 on."""
        found = (value for value in vars(self).values() if isinstance(value, Field))
        return tuple(sorted(found, key=lambda field: field.low))

    @cached_property
    def mask(self) -> int:
        """The bits of all fields; the others are reserved."""
        return sum(field.mask for field in self.fields)

    def __repr__(self) -> str:
        return self.name


def words_of(table: type, kind: type[T]) -> tuple[T, ...]:
    """Return the words of a table, in their order."""
    return tuple(value for value in vars(table).values() if isinstance(value, kind))
