# SPDX-License-Identifier: Apache-2.0
"""schemas/*.json: the descriptors as JSON Schema, for editors that complete and check YAML.

What a schema cannot say (values that contradict each other, names of files around the
descriptor) stays an error of the build.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from ethosmith.descriptors.base import Strict, plain
from ethosmith.descriptors.reference import DESCRIPTORS, attributes, parts, summary
from ethosmith.descriptors.schema import adapter


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
