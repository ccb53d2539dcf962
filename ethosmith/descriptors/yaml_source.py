# SPDX-License-Identifier: Apache-2.0
"""Read a YAML file and remember where everything stands; errors name file, line and column.

The scalars are those of YAML 1.2's core schema: only ``true`` and ``false`` are
booleans, so that the labels ``yes``, ``no``, ``on`` and ``off`` stay words, and
there are no dates and no base-60 numbers. Anchors, aliases, merges, tags and
duplicate keys are refused: a descriptor says each thing once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ethosmith.core.errors import EthosmithError, printable
from ethosmith.core.files import read_bytes
from ethosmith.descriptors.base import MAX_DESCRIPTOR_BYTES, Location

MAX_DEPTH = 32
# Keys, values and lists, all together.
MAX_NODES = 20_000
MAX_NUMBER_CHARACTERS = 64


class _CoreSchemaLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader whose plain scalars follow YAML 1.2's core schema."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


def _add_core_schema() -> None:
    resolvers = (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
        (
            "float",
            r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
            "-+.0123456789",
        ),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    )
    for tag, pattern, first in resolvers:
        _CoreSchemaLoader.add_implicit_resolver(
            f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first)
        )


_add_core_schema()

_COLLECTIONS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


def _integer(text: str) -> int:
    return int(text, 0)


_NUMBERS = (_integer, float)
_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": _integer,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:null": lambda text: None,  # noqa: ARG005
    "tag:yaml.org,2002:str": str,
}


@dataclass(frozen=True)
class Mark:
    """A place in a file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class LocatedYaml:
    """Plain data (dict, list, scalars) and the place of each key and value in its file."""

    path: Path
    data: Any
    keys: Mapping[Location, Mark] = field(repr=False)
    values: Mapping[Location, Mark] = field(repr=False)

    def error(self, location: Location, message: str, *, at_key: bool = False) -> EthosmithError:
        """Return an error whose one line begins with ``file:line:column:``."""
        mark = self._mark(location, at_key=at_key)
        return _at(self.path, mark, message)

    def place(self, location: Location) -> Mark:
        """Return where the value at ``location`` stands, or the nearest one around it."""
        return self._mark(location, at_key=False)

    def _mark(self, location: Location, *, at_key: bool) -> Mark:
        known = location
        while known and known not in self.values:
            known = known[:-1]
        place = self.keys if at_key and known in self.keys else self.values
        return place.get(known, Mark(1, 1))


def read_yaml(path: Path) -> LocatedYaml:
    """Read one YAML document.

    Raises:
        EthosmithError: the file is missing or too large, or as `parse_yaml`.
    """
    return parse_yaml(path, read_bytes(path, limit_bytes=MAX_DESCRIPTOR_BYTES))


def parse_yaml(path: Path, raw: bytes) -> LocatedYaml:
    """Return the one YAML document that ``raw``, the content of ``path``, holds.

    Raises:
        EthosmithError: it is not UTF-8, not YAML of the subset that the module's docstring
            names, nested too deeply, or has too many values.
    """
    text = _decoded(path, raw)
    try:
        _check_events(path, text)
        loader = _CoreSchemaLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(path, error) from None
    except yaml.reader.ReaderError as error:
        raise _character_error(path, text, error) from None
    except yaml.YAMLError as error:
        raise EthosmithError(f"{path}:1:1: not YAML: {_one_line(str(error))}") from None
    if node is None:
        raise EthosmithError(f"{path}:1:1: the file is empty; see docs/reference.md for its keys")
    return _locate(path, node)


def _decoded(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise EthosmithError(f"{path}:{line}:{column}: not UTF-8; save the file as UTF-8") from None


def _syntax_error(path: Path, error: yaml.MarkedYAMLError) -> EthosmithError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = _one_line(error.problem or error.context or "unreadable")
    return EthosmithError(f"{path}:{line}:{column}: not YAML: {problem}")


def _character_error(path: Path, text: str, error: yaml.reader.ReaderError) -> EthosmithError:
    before = text[: error.position]
    line, column = before.count("\n") + 1, error.position - before.rfind("\n")
    return EthosmithError(
        f"{path}:{line}:{column}: the control character U+{error.character:04X} is not allowed"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _check_events(path: Path, text: str) -> None:
    """Refuse aliases, too many values, and nesting that libyaml's recursion would not survive."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_CoreSchemaLoader):
        if getattr(event, "anchor", None) is not None:
            raise _event_error(path, event, "anchors and aliases are not allowed")
        nodes += isinstance(event, yaml.NodeEvent)
        if nodes > MAX_NODES:
            raise _event_error(path, event, f"more than {MAX_NODES:,} keys and values")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _event_error(path, event, f"nested more than {MAX_DEPTH} deep")


def _event_error(path: Path, event: yaml.Event, message: str) -> EthosmithError:
    mark = event.start_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return EthosmithError(f"{path}:{line}:{column}: {message}")


class _Locator:
    """Turns YAML nodes into plain data and notes where each key and value stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: dict[Location, Mark] = {}
        self.values: dict[Location, Mark] = {}

    def plain(self, node: yaml.Node, location: Location = ()) -> Any:
        self.values[location] = _mark_of(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if node.tag not in _COLLECTIONS:
            raise self._error(node, f"the tag {node.tag} is not allowed")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        return [self.plain(item, (*location, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        convert = _SCALARS.get(node.tag)
        if convert is None:
            raise self._error(node, f"the tag {node.tag} is not allowed")
        size = len(node.value)
        if convert in _NUMBERS and size > MAX_NUMBER_CHARACTERS:
            limit = f"at most {MAX_NUMBER_CHARACTERS}"
            raise self._error(node, f"a number of {size:,} characters; {limit} are allowed")
        try:
            return convert(node.value)
        except ValueError:
            text = _one_line(node.value)[:40]
            raise self._error(node, f"'{text}' is not a number") from None

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "a key must be a word")
            key = str(key_node.value)
            if key in result:
                raise self._error(key_node, f"the key '{key}' is there twice")
            self.keys[(*location, key)] = _mark_of(key_node)
            result[key] = self.plain(value_node, (*location, key))
        return result

    def _error(self, node: yaml.Node, message: str) -> EthosmithError:
        return _at(self.path, _mark_of(node), message)


def _at(path: Path, mark: Mark, message: str) -> EthosmithError:
    return EthosmithError(f"{path}:{mark.line}:{mark.column}: {printable(message)}")


def _mark_of(node: yaml.Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def _locate(path: Path, node: yaml.Node) -> LocatedYaml:
    locator = _Locator(path)
    data = locator.plain(node)
    return LocatedYaml(path, data, locator.keys, locator.values)
