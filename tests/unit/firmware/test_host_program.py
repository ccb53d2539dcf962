# SPDX-License-Identifier: Apache-2.0
"""The host program: raw tensors in and out, and one line for each wrong call."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from .compile import program


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = ["host/host_main.c", "support/tensor.c", "support/text.c"]
    output = tmp_path_factory.mktemp("host") / "echo_host"
    defines = ["-DSAMPLE_COUNT=2", "-DSAMPLE_SIZE=2"]
    return program(output, "echo_application.c", sources, defines)


def _call(host: Path, arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [str(host), *arguments.split()]
    return subprocess.run(command, input=data, capture_output=True, check=False, timeout=20)


def test_preprocess_writes_the_tensor_and_nothing_else(host: Path) -> None:
    assert _call(host, "preprocess 0 float32 1 0 4").stdout == struct.pack("<4f", -3, 0, 100, 7)
    assert _call(host, "preprocess 0 int8 0.5 10 4").stdout == struct.pack("<4b", 4, 10, 127, 24)
    assert _call(host, "preprocess 0 int16 0.5 -1 4").stdout == struct.pack("<4h", -7, -1, 199, 13)


def test_postprocess_says_answer_and_score(host: Path) -> None:
    said = _call(host, "postprocess int8 0.00390625 -128 4", struct.pack("<4b", -128, 5, 127, 6))
    assert said.stdout == b'answer="third" score=0.9961\n'


WRONG = {
    "": "usage: ",
    "explain": "usage: ",
    "preprocess 0 float32 1 0": "usage: ",
    "preprocess x float32 1 0 4": "error: not a sample index and a tensor",
    "preprocess -1 float32 1 0 4": "error: not a sample index and a tensor",
    "preprocess 0 int4 1 0 4": "error: not a sample index and a tensor",
    "preprocess 0 int8 0 0 4": "error: not a sample index and a tensor",
    "preprocess 0 int8 nan 0 4": "error: not a sample index and a tensor",
    "preprocess 0 int8 1 0.5 4": "error: not a sample index and a tensor",
    "preprocess 0 int8 1 0 0": "error: not a sample index and a tensor",
    "preprocess 0 int8 1 0 99999999999": "error: not a sample index and a tensor",
    "preprocess 2 float32 1 0 4": "error: no sample has the index 2",
    "preprocess 1 float32 1 0 4": "error: the application does not take the sample few",
    "preprocess 0 float32 1 0 3": "error: the application does not take the sample numbers",
    "postprocess int8 1 0 4": "error: standard input does not hold exactly the tensor",
    "postprocess int8 1 0 2": "error: the application does not take the output",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_a_wrong_call_fails_with_a_reason(host: Path, arguments: str) -> None:
    ran = _call(host, arguments, b"ab")
    assert ran.returncode != 0
    assert ran.stdout == b""
    assert ran.stderr.decode().startswith(WRONG[arguments])


def test_surplus_input_is_refused(host: Path) -> None:
    ran = _call(host, "postprocess int8 1 0 4", b"abcde")
    assert ran.stderr == b"error: standard input does not hold exactly the tensor\n"
