# SPDX-License-Identifier: Apache-2.0
"""The descriptors' keys for people and editors: docs/reference.md and schemas/*.json.

What a schema cannot say (values that contradict each other, names of files around the
descriptor) stays an error of the build.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from ethosmith.descriptors.base import Strict, plain
from ethosmith.descriptors.board_facts import Board
from ethosmith.descriptors.library import Library
from ethosmith.descriptors.origin import Package, Repository
from ethosmith.descriptors.platform import Platform
from ethosmith.descriptors.schema import adapter, hints, models_in
from ethosmith.descriptors.toolchain import Toolchain
from ethosmith.descriptors.usecase import UseCase

DESCRIPTORS: tuple[tuple[str, type[Strict]], ...] = (
    ("usecases/NAME/usecase.yaml", UseCase),
    ("platforms/NAME/platform.yaml", Platform),
    ("boards/NAME.yaml", Board),
    ("toolchains/NAME.yaml", Toolchain),
    ("libraries/NAME.yaml", Library),
    ("packages/NAME.yaml", Package),
    ("repositories/NAME.yaml", Repository),
)

_INTRODUCTION = """\
# Descriptors

Every key of the six kinds of YAML files. Keys without a default must be there; an unknown key is
an error. Scalars are those of YAML 1.2: `yes`, `no`, `on` and `off` are words, only `true` and
`false` are booleans. Anchors, aliases and tags are refused. Paths are relative to the descriptor's
folder (in `libraries/`: to the folder that holds it).
"""

_NAMES = {str: "text", int: "integer", float: "number", bool: "`true` or `false`"}
_ATTRIBUTE = re.compile(r"^(\w+): (.*)$")


def reference() -> str:
    """Return the text of docs/reference.md."""
    sections = [_INTRODUCTION]
    for place, model in DESCRIPTORS:
        sections.append(f"## {place}\n")
        sections += [_section(part) for part in parts(model)]
    return "\n".join(sections)


def parts(model: type[Strict]) -> Iterator[type[Strict]]:
    """Yield ``model`` and every model below it, each once, in the order of the keys."""
    waiting, seen = [model], set()
    while waiting:
        part = waiting.pop(0)
        if part in seen:
            continue
        seen.add(part)
        yield part
        waiting += [found for hint in hints(part).values() for found in models_in(hint)]


def _section(model: type[Strict]) -> str:
    told = attributes(model)
    rows = [
        f"| `{name}` | {_type(hint)} | {_default(model, name)} | {_cell(told[name])} |"
        for name, hint in hints(model).items()
    ]
    table = "\n".join(["| key | value | default | |", "|---|---|---|---|", *rows])
    return f"### {model.__name__}\n\n{summary(model)}\n\n{table}\n"


def summary(model: type[Strict]) -> str:
    """Return what the docstring of ``model`` says before its attributes, in one line."""
    text = inspect.cleandoc(model.__doc__ or "").split("\n\nAttributes:")[0]
    return " ".join(text.replace("``", "`").split())


def attributes(model: type[Strict]) -> Mapping[str, str]:
    """Return what the docstrings of ``model`` and its bases say of each attribute.

    Raises:
        LookupError: a key of the descriptor is described nowhere.
    """
    told: dict[str, str] = {}
    for base in reversed(model.__mro__):
        _, _, text = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")
        name = ""
        for line in text.splitlines():
            match = _ATTRIBUTE.match(line.strip())
            if match and len(line) - len(line.lstrip()) == 4:
                name = match[1]
                told[name] = match[2]
            elif name and line.strip():
                told[name] += " " + line.strip()
    untold = sorted(set(model.key_names()) - told.keys())
    if untold:
        raise LookupError(f"the docstring of {model.__name__} does not describe {untold}")
    return {key: value.replace("``", "`") for key, value in told.items()}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(model: type[Strict], key: str) -> str:
    if model.is_required(key):
        return "**required**"
    default = model.default(key)
    if isinstance(default, Strict):
        return "its own defaults"
    if default is None or default in ((), {}):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if hasattr(annotation, "__metadata__"):
        return _type(get_args(annotation)[0])
    return _NAMES.get(annotation) or _compound_type(get_origin(annotation), get_args(annotation))


def _compound_type(origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(a) for a in arguments if a is not type(None))
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    return f"mapping of names to {_type(arguments[1])}"


def schema_files() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file of schemas/."""
    for place, model in DESCRIPTORS:
        yield schema_name(model), json.dumps(_schema(place, model), indent=2) + "\n"


def schema_name(model: type[Strict]) -> str:
    """Return the file name of the schema of one kind of descriptor."""
    return f"{model.__name__.lower()}.json"


def schema_line(model: type[Strict], descriptor: Path, schemas: Path) -> str:
    """Return the line of a YAML file that tells editors its schema.

    Args:
        model: the kind of descriptor.
        descriptor: the YAML file.
        schemas: the folder of the schemas.
    """
    path = os.path.relpath(schemas / schema_name(model), descriptor.parent)
    return f"# yaml-language-server: $schema={Path(path).as_posix()}\n"


def _schema(place: str, model: type[Strict]) -> dict[str, Any]:
    schema = adapter(model).json_schema(schema_generator=_Generator)
    for part in parts(model):
        described = schema if part is model else schema["$defs"][part.__name__]
        described["description"] = summary(part)
        told = attributes(part)
        for name in part.key_names():
            described["properties"][name]["description"] = told[name]
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": place}


class _Generator(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes of names; refuses keys that fit no pattern."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False

    def encode_default(self, dft: Any) -> Any:
        return plain(dft)

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return {**made, "additionalProperties": False} if "patternProperties" in made else made
