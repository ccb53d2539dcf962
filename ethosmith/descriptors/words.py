# SPDX-License-Identifier: Apache-2.0
"""The kinds of values in descriptors, and what each means in words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from ethosmith.core.errors import EthosmithError

METRICS = ("top1", "word_error_rate", "auc")
# Metrics of which less is better: they have a `maximum`, the others a `minimum`.
LOWER_IS_BETTER = frozenset({"word_error_rate"})

URL = r"^https://[^\s]+$"
GIT_URL = r"^(https|file)://[^\s]+$"
COMMIT = r"^[0-9a-f]{40}$"
TAG = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
CMAKE_NAME = r"^[A-Za-z_][A-Za-z0-9_.+-]*$"
COMPILER_VERSION = r"^[0-9]+(\.[0-9]+)*$"
WORD = r"^[^\s$\x00]+$"
# What a terminal obeys instead of showing it: controls, and marks that turn the order of text.
_UNSHOWN = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
LABEL = rf'^[^"\\{_UNSHOWN}]+$'
SAMPLE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
PROGRAM = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"
FUNCTION_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
PARAMETER_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
_NAME = r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"
_LINE = rf"^[^{_UNSHOWN}]+$"
_SHA256 = r"^[0-9a-f]{64}$"
_RELATIVE_PATH = r"^[^/\\\r\n$\x00][^\\\r\n$\x00]*$"

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
    LABEL: "one line of text without '\"', '\\' and control characters",
    SAMPLE_NAME: "letters, digits, '.', '-' and '_', beginning with a letter or digit",
    PROGRAM: "a program's name, without its folder",
    FUNCTION_NAME: "the name of a Python function",
    PARAMETER_NAME: "lower-case letters, digits and single '_', beginning with a letter",
    _LINE: "one line of text without control characters",
    _SHA256: "a SHA-256: 64 hexadecimal digits in lower case",
    _RELATIVE_PATH: "a relative path with forward slashes and without '$'",
}
# Words with a meaning of their own on the command line or in YAML.
_TAKEN = frozenset({"all", "false", "null", "true"})
_RULE = "lower-case letters, digits, single '-' and '_', beginning with a letter"
_EXAMPLE = "door"


class Limits:
    """Bounds of an annotated value, by the names of pydantic's core schemas.

    ``ge``, ``gt``, ``le``, ``lt`` and ``multiple_of`` of numbers; ``pattern``, ``min_length`` and
    ``max_length`` of text; the latter two of lists.
    """

    def __init__(self, **bounds: Any) -> None:
        self.bounds = bounds

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return {**handler(source), **self.bounds}

    def allows(self, text: str) -> bool:
        """Tell whether ``text`` is within the bounds of text."""
        pattern = str(self.bounds.get("pattern", "")).removeprefix("^").removesuffix("$")
        longest = self.bounds.get("max_length", len(text))
        return len(text) <= longest and re.fullmatch(pattern, text) is not None


class Checked:
    """A function that returns an annotated value, or raises ValueError with the reason."""

    def __init__(self, check: Callable[[Any], Any]) -> None:
        self.check = check

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        function = {"type": "no-info", "function": self.check}
        return {"type": "function-after", "function": function, "schema": handler(source)}


NAME_LIMITS = Limits(pattern=_NAME)
LABEL_LIMITS = Limits(pattern=LABEL, max_length=64)

# A name that is also a folder, a C identifier after `-` became `_`, and a word of the command line.
Name = Annotated[str, NAME_LIMITS]
Line = Annotated[str, Limits(pattern=_LINE, max_length=200)]
Sha256 = Annotated[str, Limits(pattern=_SHA256)]
# A path below the descriptor's root, with forward slashes; never absolute.
RelativePath = Annotated[str, Limits(pattern=_RELATIVE_PATH)]

ADDRESS_SPACE_BYTES = 1 << 32
Address = Annotated[int, Limits(ge=0, lt=ADDRESS_SPACE_BYTES)]
Hertz = Annotated[int, Limits(gt=0)]
Identifier = Annotated[str, Limits(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
# What the board's controller and terminals can show.
AsciiLine = Annotated[str, Limits(min_length=1, pattern=r"^[ -~]+$")]
CoreName = Literal["cortex-m55", "cortex-m85"]
ProductName = Literal["ethos-u55", "ethos-u65", "ethos-u85"]
# Vela's names; its `_256KB` variants of Dedicated_Sram only bound the allocator.
MemoryModeName = Literal[
    "Shared_Sram",
    "Sram_Only",
    "Dedicated_Sram",
    "Dedicated_Sram_256KB",
    "Dedicated_Sram_384KB",
    "Dedicated_Sram_512KB",
]

Label = Annotated[str, LABEL_LIMITS]
SampleName = Annotated[str, Limits(pattern=SAMPLE_NAME)]
SampleFormat = Literal["wav", "flac", "pcm16-python-list", "image", "csv", "npy", "raw"]
# The formats of files that nothing but their name describes.
FORMAT_OF_SUFFIX: Mapping[str, SampleFormat] = {
    ".wav": "wav",
    ".flac": "flac",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".bmp": "image",
    ".ppm": "image",
    ".gif": "image",
    ".tif": "image",
    ".tiff": "image",
    ".webp": "image",
    ".csv": "csv",
    ".npy": "npy",
    ".bin": "raw",
}


def check_new_name(name: str) -> None:
    """Check the name of a new use case.

    Raises:
        EthosmithError: with the rule and a name that follows it.
    """
    shown = f"'{name}'" if name.isprintable() else repr(name)
    if name in _TAKEN:
        raise EthosmithError(f"usecase={name}: {shown} is reserved; choose another name")
    if not NAME_LIMITS.allows(name):
        example = near_name(name, _EXAMPLE)
        raise EthosmithError(
            f"{shown} is not a valid use case name: {_RULE}; for example usecase={example}"
        )


def near_name(text: str, otherwise: str) -> str:
    """Return a valid name that resembles ``text``, or ``otherwise`` if none does."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", re.sub(r"^[^a-z]+", "", letters))
    name = "_".join(words)[:40].rstrip("_")
    return name if name and name not in _TAKEN else otherwise


def title_of(name: str) -> str:
    """Return a first title, which its author will replace."""
    return re.sub(r"[-_]", " ", name).capitalize()
