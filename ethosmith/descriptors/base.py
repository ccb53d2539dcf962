# SPDX-License-Identifier: Apache-2.0
"""What every descriptor is made of: frozen classes whose fields are the keys of a YAML file.

pydantic validates them, but only what is parsed anew: importing it and building its models takes
longer than everything else a null build's configuration does. So the classes are plain Python with
annotations, and ``schema.py`` makes pydantic's schemas of them when a file has to be validated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, Self, dataclass_transform

from ethosmith.descriptors.words import Line, Name

# Keys and indices from the top of a file to a value.
Location = tuple[str | int, ...]

MAX_DESCRIPTOR_BYTES = 1 << 20
EMPTY: Mapping[Any, Any] = MappingProxyType({})
_REQUIRED = object()


class Problem(NamedTuple):
    """A value that is well formed and yet wrong, and its place in the file."""

    location: Location
    message: str


def repeated_names(where: Location, names: Sequence[str]) -> Iterator[Problem]:
    """Find names of a list's members that stand there twice."""
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem((*where, index, "name"), f"the name '{name}' is there twice")


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Strict:
    """A part of a descriptor: unknown keys are errors, values are never converted.

    A subclass declares its keys as a dataclass does, by annotated names with or without a
    default. Its ``__post_init__`` may raise a ValueError where values contradict each other.
    """

    _defaults: ClassVar[Mapping[str, Any]] = EMPTY

    def __init_subclass__(cls) -> None:
        own = {name: cls.__dict__.get(name, _REQUIRED) for name in cls.__annotations__}
        cls._defaults = {**cls._defaults, **own}
        CLASSES[cls.__name__] = cls

    def __init__(self, **values: Any) -> None:
        defaults = self._defaults
        if unknown := values.keys() - defaults.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        self.__dict__.update({**defaults, **values})
        if missing := [name for name, value in self.__dict__.items() if value is _REQUIRED]:
            raise TypeError(f"{type(self).__name__} needs {', '.join(missing)}")
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check what no single value can tell; raises ValueError."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be assigned: it is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.__dict__.values())))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"

    @classmethod
    def key_names(cls) -> tuple[str, ...]:
        """Return the keys, in the order of their declaration."""
        return tuple(cls._defaults)

    @classmethod
    def default(cls, key: str) -> Any:
        """Return the default of ``key``, if it is not required."""
        return cls._defaults[key]

    @classmethod
    def is_required(cls, key: str) -> bool:
        """Tell whether ``key`` has no default."""
        return cls._defaults[key] is _REQUIRED

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Self:
        """Return an instance of values that were validated before, all of them."""
        found = cls.__new__(cls)
        found.__dict__.update(values)
        return found

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values."""
        return type(self)(**{**self.__dict__, **changes})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from ethosmith.descriptors.schema import class_schema  # noqa: PLC0415 only to validate

        del source
        return class_schema(cls, handler)


# All of them, by name.
CLASSES: dict[str, type[Strict]] = {}


class Descriptor(Strict):
    """The top of a descriptor file.

    Attributes:
        schema: version of this format.
        name: the name of the file or its folder.
        title: one line for people.
    """

    schema: Literal[1]
    name: Name
    title: Line


def plain(value: Any, *, without_none: bool = False) -> Any:
    """Return ``value`` as dicts, lists and scalars, as JSON would have it."""
    if isinstance(value, Strict):
        value = value.__dict__
    if isinstance(value, Mapping):
        return {
            key: plain(inner, without_none=without_none)
            for key, inner in value.items()
            if inner is not None or not without_none
        }
    if isinstance(value, tuple | list):
        return [plain(inner, without_none=without_none) for inner in value]
    return value
