# SPDX-License-Identifier: Apache-2.0
"""What every descriptor has in common: strict, frozen, with a schema version."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

SCHEMA_VERSION = 1

# A name that is also a folder, a C identifier after `-` became `_`, and a word of the command line.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n]+$", max_length=200)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# A path below the descriptor's root, with forward slashes; never absolute.
RelativePath = Annotated[str, StringConstraints(pattern=r"^[^/\\\r\n$\x00][^\\\r\n$\x00]*$")]


class Strict(BaseModel):
    """A part of a descriptor: unknown keys are errors, values are never converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Descriptor(Strict):
    """The top of a descriptor file.

    Attributes:
        schema_: version of this format.
        name: the name of the file or its folder.
        title: one line for people.
    """

    schema_: Annotated[Literal[1], "the version of the descriptor's schema"]
    name: Name
    title: Line

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=lambda name: name.rstrip("_"),
    )
