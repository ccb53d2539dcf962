# SPDX-License-Identifier: Apache-2.0
"""Say in one line, at its place in the file, how a descriptor breaks its schema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from ethosmith.core.errors import EthosmithError, did_you_mean
from ethosmith.descriptors.base import Location, Strict
from ethosmith.descriptors.schema import hints, models_in
from ethosmith.descriptors.words import PATTERN_MEANINGS
from ethosmith.descriptors.yaml_source import LocatedYaml

# What pydantic calls a kind of value, as a person calls it who writes YAML.
_KINDS: Mapping[str, str] = {
    "string_type": "text (put it in quotes)",
    "int_type": "a valid integer",
    "float_type": "a valid number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "keys and values",
    "mapping_type": "keys and values",
    "dataclass_type": "keys and values",
}
# How pydantic's locations name the key of a mapping, when it is the key that is wrong.
_KEY = "[key]"
_OWN_MESSAGES = {"value_error", "assertion_error"}


def first_error(
    model: type[Strict], source: LocatedYaml, details: Sequence[ErrorDetails]
) -> EthosmithError:
    """Return the error that stands first in the file.

    Args:
        model: the schema.
        source: the file.
        details: what pydantic found, at least one thing.
    """

    def place(detail: ErrorDetails) -> tuple[int, int, int]:
        # A wrong value is named before what misses because of it.
        mark = source.place(_in_file(source, detail["loc"]))
        return int(detail["type"] in {"missing", "too_short"}), mark.line, mark.column

    return _located(model, source, min(_of_likely_members(source, details), key=place))


def _of_likely_members(source: LocatedYaml, details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Keep, where a value could have been of several types, the complaints of the nearest one."""
    unions: dict[Location, dict[str, list[ErrorDetails]]] = {}
    for detail in details:
        location, member = _union_member(source, detail)
        unions.setdefault(location, {}).setdefault(member, []).append(detail)
    outside = unions.pop((), {})
    kept = [detail for complaints in outside.values() for detail in complaints]
    for members in unions.values():
        kept += _nearest_member(list(members.values()))
    return kept


def _nearest_member(members: list[list[ErrorDetails]]) -> list[ErrorDetails]:
    """Return the complaints of the type of the value's own kind that has the fewest of them."""
    if len(members) > 1 and all(complaints[0]["type"] in _KINDS for complaints in members):
        kinds = " or ".join(_KINDS[complaints[0]["type"]] for complaints in members)
        return [{**members[0][0], "type": "no_member", "msg": f"Input should be {kinds}"}]

    def likelihood(complaints: list[ErrorDetails]) -> tuple[bool, int]:
        wrong_kind = any(d["type"] in _KINDS or d["type"] == "literal_error" for d in complaints)
        return wrong_kind and isinstance(complaints[0]["input"], dict | list), len(complaints)

    return min(members, key=likelihood)


def _union_member(source: LocatedYaml, detail: ErrorDetails) -> tuple[Location, str]:
    """Return where a union stands in the file and its member, by pydantic's location."""
    location = detail["loc"]
    ends = len(location) - (detail["type"] == "missing")
    for length in range(ends):
        if location[: length + 1] not in source.values:
            return location[:length], str(location[length])
    return (), ""


def _in_file(source: LocatedYaml, location: Location) -> Location:
    """Drop the parts of a pydantic location (union members) that the file does not have."""
    found: Location = ()
    for part in location:
        if (*found, part) in source.values:
            found = (*found, part)
    return found


def _located(model: type[Strict], source: LocatedYaml, detail: ErrorDetails) -> EthosmithError:
    location = _in_file(source, detail["loc"])
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if detail["type"] == "unexpected_keyword_argument":
        owner = _model_at(model, detail["loc"][:-1])
        valid = sorted(owner.key_names()) if owner else []
        hint = f"{did_you_mean(name, valid)} (allowed: {', '.join(valid)})" if valid else ""
        return source.error(location, f"unknown key '{name}'{hint}", at_key=True)
    dotted = ".".join(str(part) for part in location)
    if detail["type"] == "missing":
        within = f" in '{dotted}'" if dotted else ""
        return source.error(location, f"the key '{name}' is missing{within}")
    message = f"{dotted}: {_message(detail)}" if dotted else _message(detail)
    return source.error(location, message, at_key=name == _KEY)


def _message(detail: ErrorDetails) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "literal_error":
        return _not_allowed(given, str(detail["ctx"]["expected"]))
    if kind == "string_pattern_mismatch":
        pattern = str(detail["ctx"]["pattern"])
        wanted = PATTERN_MEANINGS.get(pattern, f"text that matches {pattern}")
        return f"{given!r} is not {wanted}"
    if kind == "too_short":
        return "the list is too short: give at least {min_length}".format(**detail["ctx"])
    if kind in _KINDS:
        return f"input should be {_KINDS[kind]}"
    if kind in _OWN_MESSAGES:
        return detail["msg"].partition(", ")[2]
    return detail["msg"][0].lower() + detail["msg"][1:]


def _not_allowed(given: Any, expected: str) -> str:
    valid = re.findall(r"'([^']*)'", expected)
    shown = f"'{given}'" if isinstance(given, str) else repr(given)
    hint = did_you_mean(str(given), valid)
    return f"{shown} is not allowed{hint} (allowed: {', '.join(valid) or expected})"


def _model_at(model: type[Strict], location: Location) -> type[Strict] | None:
    """Return the model that describes ``location``, following fields, lists and unions."""
    candidates: list[Any] = [model]
    for part in location:
        candidates = [inner for owner in candidates for inner in _step(owner, part)]
        if not candidates:
            return None
    models = [inner for owner in candidates for inner in models_in(owner)]
    return models[0] if models else None


def _step(owner: Any, part: str | int) -> list[Any]:
    """Return what ``owner`` (a class or annotation) can hold under ``part``."""
    found: list[Any] = []
    for model in models_in(owner):
        if part in model.key_names():
            found.append(hints(model)[str(part)])
        if part == model.__name__:
            # The name of a union's member: a step of pydantic's location, not of the file's.
            found.append(model)
    if not found and not isinstance(owner, type):
        # An index of a list, a key of a dict: the annotation's own arguments say what is there.
        found.append(owner)
    return found
