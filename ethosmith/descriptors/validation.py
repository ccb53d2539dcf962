# SPDX-License-Identifier: Apache-2.0
"""Turn located YAML into a checked descriptor; what is wrong is told at its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ethosmith.descriptors.schema_errors import first_error
from ethosmith.descriptors.yaml_source import LocatedYaml, Location, read_yaml

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Problem:
    """A value that is well formed and yet wrong, and its place in the file."""

    location: Location
    message: str


def validate(model: type[ModelT], source: LocatedYaml) -> ModelT:
    """Return ``source`` as ``model``.

    Raises:
        EthosmithError: with the place of the first wrong key or value.
    """
    if not isinstance(source.data, dict):
        raise source.error((), "expected keys and values at the top of the file")
    try:
        # JSON's strict mode takes lists for tuples and nothing else for anything else.
        return model.model_validate_json(json.dumps(source.data), strict=True)
    except ValidationError as error:
        raise first_error(model, source, error.errors(include_url=False)) from None


def load(
    model: type[ModelT],
    path: Path,
    problems: Callable[[ModelT], Iterable[Problem]] = lambda _: (),
) -> ModelT:
    """Read and validate one descriptor.

    Args:
        model: its schema.
        path: its file.
        problems: finds what the schema cannot: values that contradict each other or the
            files around them.

    Raises:
        EthosmithError: as `read_yaml` and `validate`, or the first problem.
    """
    source = read_yaml(path)
    descriptor = validate(model, source)
    for problem in problems(descriptor):
        raise source.error(problem.location, problem.message)
    return descriptor
