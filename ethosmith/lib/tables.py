# SPDX-License-Identifier: Apache-2.0
"""Read numbers: text files of them, and NumPy arrays."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_DATA_BYTES, check_readable, read_text

ANY = "any"
_FLOAT_MAX = 3.4028234e38
_AROUND_SEPARATORS = re.compile(r"\s*([,;])\s*")
_SEPARATORS = re.compile(r"[,;]|\s+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SHOWN_CHARACTERS = 40
_DTYPES = ("int8", "uint8", "int16", "float32")
_NAMES_OF_OTHERS = {"float64": "float32", "float16": "float32"}
_MAX_PERMUTED = 5


def read_numbers(path: Path) -> bytes:
    """Return the numbers of a text file as float32, little endian, in their order.

    Commas, semicolons or white space separate them, one kind of these in a line; a `#` begins a
    remark. Every line has as many numbers as the first; the last may have fewer.

    Raises:
        EthosmithError: with file and line: a field that is empty or no number (a header, NaN,
            infinity), two kinds of separators (a decimal comma), or a line of another length.
    """
    lines = read_text(path, encoding="utf-8-sig").splitlines()
    values = array("f")
    counts: list[tuple[int, int]] = []
    for line, whole in enumerate(lines, start=1):
        text = whole.partition("#")[0].strip()
        if text:
            fields = _fields(text, f"{path}:{line}")
            counts.append((line, len(fields)))
            values.extend(fields)
    _check_lines(path, counts)
    return np.asarray(values, "<f4").tobytes()


def _fields(text: str, where: str) -> list[float]:
    tidy = _AROUND_SEPARATORS.sub(r"\1", text)
    kinds = {found.strip() for found in _SEPARATORS.findall(tidy)}
    if len(kinds) > 1:
        raise EthosmithError(
            f"{where}: one kind of separator expected, {len(kinds)} found in"
            f" '{tidy[:_SHOWN_CHARACTERS]}'; a decimal comma is written as a point"
        )
    words = _SEPARATORS.split(tidy)
    if len(words) > 1 and not words[-1]:
        words.pop()  # A separator may end a line, too.
    return [_number(word, f"{where}: field {place}") for place, word in enumerate(words, start=1)]


def _number(word: str, where: str) -> float:
    if not word:
        raise EthosmithError(f"{where}: a number expected, nothing found")
    if not _NUMBER.fullmatch(word):
        raise EthosmithError(
            f"{where}: a finite number expected, '{word[:_SHOWN_CHARACTERS]}' found; begin a header"
            " line with #"
        )
    value = float(word)
    if not abs(value) <= _FLOAT_MAX:
        raise EthosmithError(f"{where}: {word[:_SHOWN_CHARACTERS]} is beyond single precision")
    return value


def _check_lines(path: Path, counts: Sequence[tuple[int, int]]) -> None:
    for index, (line, count) in enumerate(counts):
        first_line, expected = counts[0]
        last = index == len(counts) - 1
        if count > expected or (count < expected and not last):
            raise EthosmithError(
                f"{path}:{line}: {expected} numbers expected as in line {first_line}, {count} found"
            )


@dataclass(frozen=True)
class ArraySpec:
    """The array that is taken.

    Attributes:
        shape: outermost first, `ANY` for every size; None: every shape.
        dtype: besides float32; None: every one of int8, uint8, int16 and float32.
        axes: the order that the file's axes are brought to, as in `numpy.transpose`; None: theirs.
    """

    shape: tuple[int | str, ...] | None = None
    dtype: str | None = None
    axes: tuple[int, ...] | None = None


# Of a use case that declares nothing.
ANY_ARRAY = ArraySpec()


def read_array(path: Path, spec: ArraySpec) -> bytes:
    """Return the elements of a .npy file, row by row, little endian.

    Half and double precision become single. Sizes of 1 may be missing or added, and an array of
    one dimension is taken as the elements in their order; no other shape is reinterpreted.

    Raises:
        EthosmithError: no such file, several arrays, an element type, shape or axes other than
            ``spec`` has, NaN or infinity.
    """
    found = _loaded(path)
    if spec.axes is not None:
        if sorted(spec.axes) != list(range(found.ndim)):
            raise EthosmithError(
                f"{path}: {found.ndim} axes found in {_text(found.shape)}, but axes:"
                f" {list(spec.axes)} is declared"
            )
        found = found.transpose(spec.axes)
    if spec.shape is not None and not _fits(found.shape, spec.shape):
        raise EthosmithError(
            f"{path}: shape {_text(spec.shape)} expected, {_text(found.shape)} found"
            f"{_advice(found.shape, spec.shape)}"
        )
    return _elements(path, found, spec.dtype).tobytes()


def _loaded(path: Path) -> npt.NDArray[Any]:
    check_readable(path, limit_bytes=MAX_DATA_BYTES)
    try:
        # Mapped, so that a header cannot ask for more memory than the file has bytes.
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # noqa: BLE001 a header is Python text, and may raise anything
        reason = str(error).partition("\n")[0]
        if "mmap length" in reason:
            reason = "cut off: it declares more elements than it holds"
        raise EthosmithError(f"{path}: not a NumPy array: {reason}") from None
    if not isinstance(found, np.ndarray):
        raise EthosmithError(f"{path}: holds several arrays; save one with numpy.save")
    return found


def _elements(path: Path, found: npt.NDArray[Any], dtype: str | None) -> npt.NDArray[Any]:
    name = _NAMES_OF_OTHERS.get(found.dtype.name, found.dtype.name)
    taken = _DTYPES if dtype is None else tuple(dict.fromkeys((dtype, "float32")))
    if name not in taken:
        raise EthosmithError(
            f"{path}: elements of type {' or '.join(taken)} expected, {found.dtype.name} found"
        )
    with np.errstate(over="ignore"):
        elements = np.ascontiguousarray(found, np.dtype(name).newbyteorder("<"))
    wrong = np.argwhere(~np.isfinite(elements))
    if wrong.size:
        place = ", ".join(map(str, wrong[0]))
        raise EthosmithError(
            f"{path}: finite numbers expected, {found[tuple(wrong[0])]} found at [{place}]"
        )
    return elements


def _fits(found: Sequence[int], expected: Sequence[int | str]) -> bool:
    sizes = [size for size in expected if size != 1]
    count = int(np.prod([size for size in sizes if isinstance(size, int)], dtype=np.int64))
    if len(found) == 1 and ANY not in sizes:
        return found[0] == count
    without_ones = [size for size in found if size != 1]
    if ANY in sizes:
        # A size of 1 may be the one that is free.
        return any(_matches(found[first:], expected) for first in (0, 1) if first <= len(found))
    return _matches(without_ones, sizes)


def _matches(found: Sequence[int], expected: Sequence[int | str]) -> bool:
    return len(found) == len(expected) and all(
        want in (ANY, size) for want, size in zip(expected, found, strict=True)
    )


def _advice(found: Sequence[int], expected: Sequence[int | str]) -> str:
    """Return how to transpose the array, if that helps: the first way, which moves least."""
    if len(found) > _MAX_PERMUTED:
        return ""
    orders = [
        order
        for order in permutations(range(len(found)))
        if _fits([found[axis] for axis in order], expected)
    ]
    return f"; 'array: {{axes: {list(orders[0])}}}' would transpose it" if orders else ""


def _text(shape: Sequence[int | str]) -> str:
    return "x".join(map(str, shape)) or "of one number"
