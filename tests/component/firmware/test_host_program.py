# SPDX-License-Identifier: Apache-2.0
"""The host program: raw tensors in and out, and one line for each wrong call."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from tests.component.firmware.test_device_program import SPOILT_ANSWERS
from tests.support.firmware.compile import program

SOURCES = ["host/host_main.c", *(f"support/{name}.c" for name in ("tensor", "text", "application"))]
SOURCES += ["support/mismatch.c", "support/answer_check.c"]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("host") / "echo_host"
    defines = ["-DSAMPLE_COUNT=2", "-DSAMPLE_SIZE=2"]
    return program(output, "echo_application.c", SOURCES, defines)


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
    "preprocess 1 float32 1 0 4": "error: sample few: 4 values expected, 2 found in few.csv\n",
    "preprocess 0 float32 1 0 3": "error: sample numbers: application_preprocess() writes past",
    "postprocess int8 1 0 4": "error: standard input does not contain whole tensors for each",
    "preprocess-file /dev/null float32 1 0 4": (
        "error: the sample is empty or larger than 32 MiB: /dev/null"
    ),
    "preprocess-file /nowhere float32 1 0 4": "error: cannot open /nowhere",
    "preprocess-file /dev/null float32 1 0": "usage: ",
    "preprocess-file /dev/null float32 1 0 0": "error: not a path and a tensor",
    "answer-file /nowhere int8 1 0 4 to int8 1 0 4": "error: cannot open /nowhere",
    "answer-file /dev/null int8 1 0 4": "error: not a path, inputs, 'to' and outputs",
    "postprocess int8 1 0 2": "error: the network's tensor has 2, one element for each",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_a_wrong_call_fails_with_a_reason(host: Path, arguments: str) -> None:
    ran = _call(host, arguments, b"ab")
    assert ran.returncode != 0
    assert ran.stdout == b""
    assert ran.stderr.decode().startswith(WRONG[arguments])


def test_surplus_input_is_refused(host: Path) -> None:
    ran = _call(host, "postprocess int8 1 0 4", b"abcde")
    assert ran.stderr == b"error: standard input does not contain whole tensors for each window\n"


def test_a_file_is_taken_as_a_baked_sample_is(host: Path, tmp_path: Path) -> None:
    sample = tmp_path / "a sample.bin"
    sample.write_bytes(struct.pack("<4b", 1, -2, 3, 4))
    command = [str(host), "preprocess-file", str(sample), "int8", "1", "1", "4"]
    made = subprocess.run(command, capture_output=True, check=True, timeout=20)
    assert made.stdout == struct.pack("<4b", 2, -1, 4, 5)


@pytest.fixture(scope="module")
def windows_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("windows") / "windows_host"
    return program(output, "windows_application.c", SOURCES, ["-DSAMPLE_COUNT=3"])


def test_every_window_of_a_sample_is_written_in_order(windows_host: Path) -> None:
    two = struct.pack("<8b", -3, 0, 100, 7, 1, 2, 3, 101)
    assert _call(windows_host, "preprocess 0 int8 1 0 4").stdout == two
    assert _call(windows_host, "preprocess 1 int8 1 0 4").stdout == struct.pack("<4b", 9, 8, 7, 6)


def test_a_sample_without_a_window_is_refused(windows_host: Path) -> None:
    reasons = {
        "preprocess 2 int8 1 0 4": b"error: sample none: 4 values expected, 3 found in none.csv\n",
        "preprocess 0 int8 1 0 5": b"error: sample two: the network's tensor has 5, 4 expected\n",
    }
    for arguments, reason in reasons.items():
        ran = _call(windows_host, arguments)
        assert ran.returncode == 1
        assert ran.stderr == reason


def test_the_answer_is_that_of_all_windows(windows_host: Path) -> None:
    windows = struct.pack("<12b", 1, 2, 3, 4, 9, 8, 7, 6, 5, 5, 5, 5)
    said = _call(windows_host, "postprocess int8 1 0 4", windows)
    assert said.stdout == b'answer="second" score=9.0000\n'
    assert _call(windows_host, "postprocess int8 1 0 4", windows[:-1]).returncode == 1


@pytest.mark.parametrize("fault", SPOILT_ANSWERS)
def test_an_answer_that_cannot_be_printed_is_refused(tmp_path: Path, fault: str) -> None:
    defines = ["-DSAMPLE_COUNT=2", "-DSAMPLE_SIZE=2", f"-DSPOIL(answer)={fault}"]
    spoilt = program(tmp_path / "spoilt", "echo_application.c", SOURCES, defines)
    ran = _call(spoilt, "postprocess int8 1 0 4", bytes(4))
    reason = SPOILT_ANSWERS[fault]
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.decode() == f"error: application_postprocess() {reason}\n"
