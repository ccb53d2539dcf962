# SPDX-License-Identifier: Apache-2.0
"""What every descriptor has in common: strict, frozen, with a schema version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

SCHEMA_VERSION = 1

URL = r"^https://[^\s]+$"
GIT_URL = r"^(https|file)://[^\s]+$"
COMMIT = r"^[0-9a-f]{40}$"
TAG = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
CMAKE_NAME = r"^[A-Za-z_][A-Za-z0-9_.+-]*$"
COMPILER_VERSION = r"^[0-9]+(\.[0-9]+)*$"
WORD = r"^[^\s$\x00]+$"
LABEL = r'^[^"\\\x00-\x1f\x7f]+$'
SAMPLE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
PROGRAM = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"
PARAMETER_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
_NAME = r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"
_LINE = r"^[^\r\n]+$"
_SHA256 = r"^[0-9a-f]{64}$"
_RELATIVE_PATH = r"^[^/\\\r\n$\x00][^\\\r\n$\x00]*$"

# A name that is also a folder, a C identifier after `-` became `_`, and a word of the command line.
Name = Annotated[str, StringConstraints(pattern=_NAME)]
Line = Annotated[str, StringConstraints(pattern=_LINE, max_length=200)]
Sha256 = Annotated[str, StringConstraints(pattern=_SHA256)]
# A path below the descriptor's root, with forward slashes; never absolute.
RelativePath = Annotated[str, StringConstraints(pattern=_RELATIVE_PATH)]

Label = Annotated[str, StringConstraints(pattern=LABEL, max_length=64)]
SampleName = Annotated[str, StringConstraints(pattern=SAMPLE_NAME)]
SampleFormat = Literal["wav", "pcm16-python-list", "image", "csv", "npy", "raw"]
# The formats of files that nothing but their name describes.
FORMAT_OF_SUFFIX: Mapping[str, SampleFormat] = {
    ".wav": "wav",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".bmp": "image",
    ".ppm": "image",
    ".csv": "csv",
    ".npy": "npy",
    ".bin": "raw",
}

# The patterns in words, for the user whose text does not match.
PATTERN_MEANINGS: Mapping[str, str] = {
    _NAME: "lower-case letters, digits, '-' and '_', beginning with a letter",
    URL: "an address that begins with https://",
    GIT_URL: "an address that begins with https:// or file://",
    COMMIT: "a commit: 40 hexadecimal digits in lower case",
    TAG: "a tag: letters, digits, '.', '_', '/' and '-'",
    CMAKE_NAME: "a name of CMake: letters, digits, '_', '.', '+' and '-'",
    COMPILER_VERSION: "a version in quotes: numbers with '.' between them",
    WORD: "one word without spaces and '$'",
    LABEL: "one line of text without '\"' and '\\'",
    SAMPLE_NAME: "letters, digits, '.', '-' and '_', beginning with a letter or digit",
    PROGRAM: "a program's name, without its folder",
    PARAMETER_NAME: "lower-case letters, digits and single '_', beginning with a letter",
    _LINE: "one line of text",
    _SHA256: "a SHA-256: 64 hexadecimal digits in lower case",
    _RELATIVE_PATH: "a relative path with forward slashes and without '$'",
}


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
