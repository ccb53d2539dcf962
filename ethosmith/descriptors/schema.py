# SPDX-License-Identifier: Apache-2.0
"""pydantic's schemas of the descriptors' classes; only what validates a file imports this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic_core import core_schema

from ethosmith.descriptors.base import EMPTY, Strict

_CONFIG = core_schema.CoreConfig(extra_fields_behavior="forbid", strict=True)
_ADAPTERS: dict[type[Strict], TypeAdapter[Any]] = {}


def adapter(model: type[Strict]) -> TypeAdapter[Any]:
    """Return pydantic's validator of ``model``."""
    if model not in _ADAPTERS:
        _ADAPTERS[model] = TypeAdapter(model)
    return _ADAPTERS[model]


def hints(model: type[Strict]) -> Mapping[str, Any]:
    """Return the annotation of each key of ``model``, with its bounds."""
    found = get_type_hints(model, include_extras=True)
    return {name: found[name] for name in model.key_names()}


def class_schema(model: type[Strict], handler: GetCoreSchemaHandler) -> Any:
    """Return the core schema of ``model``, whose keys are keyword arguments."""
    fields = [
        core_schema.dataclass_field(
            name, _with_default(model, name, handler.generate_schema(hint)), kw_only=True
        )
        for name, hint in hints(model).items()
    ]
    return core_schema.dataclass_schema(
        model,
        core_schema.dataclass_args_schema(model.__name__, fields),
        list(model.key_names()),
        post_init=True,
        frozen=True,
        config=_CONFIG,
        ref=f"{model.__module__}.{model.__qualname__}:{id(model)}",
    )


def _with_default(model: type[Strict], name: str, schema: Any) -> Any:
    if model.is_required(name):
        return schema
    default = model.default(name)
    if default is EMPTY:
        return core_schema.with_default_schema(schema, default_factory=dict)
    return core_schema.with_default_schema(schema, default=default)


def models_in(annotation: Any) -> Iterator[type[Strict]]:
    """Yield the descriptors' classes that ``annotation`` names, directly or as arguments."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
