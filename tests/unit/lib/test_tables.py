# SPDX-License-Identifier: Apache-2.0
"""Numbers are those of the file in their order, or one line says where it is wrong."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.lib.tables import ANY, ArraySpec, read_array, read_numbers

TEXTS = {
    "commas": b"1,2\n3,4\n",
    "semicolons and a last separator": b"1;2;\n3;4;\n",
    "tabs": b"1\t2\n3\t4\n",
    "spaces around commas": b"\xef\xbb\xbf1 , 2\r\n\r\n3,4 # and a remark, with commas\r\n",
    "one a line": b"1\n2\n3\n4",
    "a shorter last line": b"1 2 3\n4\n",
    "all forms of a number": b"+1.,2e0\n0.03E+2,.4e1\n",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_numbers_are_single_precision_in_the_order_of_the_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXTS[kind])
    assert read_numbers(path) == struct.pack("<4f", 1, 2, 3, 4)


WRONG_TEXTS = {
    "decimal comma": (
        b"1,5;2,5\n",
        ":1: one kind of separator expected, 2 found in '1,5;2,5'; a decimal comma is written as",
    ),
    "decimal comma between tabs": (b"1,5\t2,5\n", ":1: one kind of separator expected, 2 found"),
    "missing field": (b"1;0\n1;;0\n", ":2: field 2: a number expected, nothing found"),
    "missing first field": (b",1\n", ":1: field 1: a number expected, nothing found"),
    "header": (b"x,y\n1,2\n", ":1: field 1: a finite number expected, 'x' found; begin a header"),
    "NaN": (b"1,nan\n", ":1: field 2: a finite number expected, 'nan' found"),
    "infinity": (b"-inf\n", ":1: field 1: a finite number expected, '-inf' found"),
    "underscores": (b"1_000\n", ":1: field 1: a finite number expected, '1_000' found"),
    "too large": (b"1e39\n", ":1: field 1: 1e39 is beyond single precision"),
    "short line": (b"1,2,3\n\n4,5\n6,7,8\n", ":3: 3 numbers expected as in line 1, 2 found"),
    "long line": (b"1,2\n4,5,6\n", ":2: 2 numbers expected as in line 1, 3 found"),
    "UTF-16": (b"\xff\xfe1\0", ": not UTF-8 text: byte 0"),
}


@pytest.mark.parametrize("kind", WRONG_TEXTS)
def test_a_wrong_text_is_named_with_its_line(kind: str, tmp_path: Path) -> None:
    content, reason = WRONG_TEXTS[kind]
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(EthosmithError) as caught:
        read_numbers(path)
    assert str(caught.value).startswith(f"{path}{reason}")


HWC = np.arange(24, dtype=np.int8).reshape(2, 3, 4)
SHAPE = (1, 2, 3, 4)


def _read(folder: Path, stored: Any, spec: ArraySpec) -> bytes:
    path = folder / "a.npy"
    np.save(path, stored)
    return read_array(path, spec)


def _error(folder: Path, stored: Any, spec: ArraySpec) -> str:
    with pytest.raises(EthosmithError) as caught:
        _read(folder, stored, spec)
    return str(caught.value).removeprefix(f"{folder / 'a.npy'}: ")


def test_an_array_of_the_expected_shape_is_its_elements_row_by_row(tmp_path: Path) -> None:
    spec = ArraySpec(SHAPE, "int8")
    fortran = np.asfortranarray(HWC)
    for stored in (HWC, HWC[None], HWC.reshape(-1), HWC[..., None], fortran):
        assert _read(tmp_path, stored, spec) == HWC.tobytes()
    real = HWC.astype("<f4").tobytes()
    for dtype in (">f8", ">f4", "<f2", "<f8"):
        assert _read(tmp_path, HWC.astype(dtype), spec) == real
    assert _read(tmp_path, HWC.astype(">i2"), ArraySpec()) == HWC.astype("<i2").tobytes()


def test_another_shape_is_refused_with_both_and_never_reinterpreted(tmp_path: Path) -> None:
    spec = ArraySpec(SHAPE)
    chw = np.ascontiguousarray(HWC.transpose(2, 0, 1))
    assert _error(tmp_path, chw, spec) == (
        "shape 1x2x3x4 expected, 4x2x3 found; 'array: {axes: [1, 2, 0]}' would transpose it"
    )
    for stored in (
        HWC.reshape(3, 2, 4),
        HWC.reshape(6, 4),
        HWC[:1],
        np.int8(3),
        HWC.reshape(-1)[1:],
    ):
        assert _error(tmp_path, stored, spec).startswith("shape 1x2x3x4 expected, ")
    square = np.zeros((3, 32, 32), np.int8)
    assert _error(tmp_path, square, ArraySpec((32, 32, 3))) == (
        "shape 32x32x3 expected, 3x32x32 found; 'array: {axes: [1, 2, 0]}' would transpose it"
    )


def test_axes_are_brought_to_the_declared_order(tmp_path: Path) -> None:
    chw = np.ascontiguousarray(HWC.transpose(2, 0, 1))
    assert _read(tmp_path, chw, ArraySpec(SHAPE, axes=(1, 2, 0))) == HWC.tobytes()
    assert _error(tmp_path, chw[0], ArraySpec(SHAPE, axes=(1, 2, 0))) == (
        "2 axes found in 2x3, but axes: [1, 2, 0] is declared"
    )


def test_sizes_of_any_are_taken_as_they_are(tmp_path: Path) -> None:
    spec = ArraySpec((ANY, 4))
    for rows in (1, 7):
        assert _read(tmp_path, np.zeros((rows, 4), np.int8), spec) == bytes(4 * rows)
    assert _error(tmp_path, np.zeros((4, 7), np.int8), spec).startswith("shape anyx4 expected, 4x7")


def test_wrong_elements_are_refused(tmp_path: Path) -> None:
    assert _error(tmp_path, HWC.astype(np.uint8), ArraySpec(None, "int8")) == (
        "elements of type int8 or float32 expected, uint8 found"
    )
    assert _error(tmp_path, HWC.astype(np.int64), ArraySpec()).startswith(
        "elements of type int8 or"
    )
    real = HWC.astype(np.float64)
    real[1, 2, 3] = np.nan
    assert _error(tmp_path, real, ArraySpec()) == "finite numbers expected, nan found at [1, 2, 3]"
    real[1, 2, 3] = 1e39
    assert _error(tmp_path, real, ArraySpec()).startswith("finite numbers expected, 1e+39 found at")
    assert _error(tmp_path, np.array([{}]), ArraySpec()).startswith("not a NumPy array: ")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, HWC)
    whole = file.getvalue()
    path = tmp_path / "a.npy"
    huge = whole.replace(b"(2, 3, 4), }        ", b"(1 << 40, 3, 4), }  ").replace(
        b"1 << 40", b"9999999"
    )
    for content in (whole[:-1], whole[:20], b"", b"1 2 3", huge):
        path.write_bytes(content)
        with pytest.raises(EthosmithError, match="not a NumPy array: "):
            read_array(path, ArraySpec())
    np.savez(path.with_suffix(".npz"), a=HWC)
    with pytest.raises(EthosmithError, match="holds several arrays"):
        read_array(path.with_suffix(".npz"), ArraySpec())
