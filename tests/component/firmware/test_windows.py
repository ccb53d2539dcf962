# SPDX-License-Identifier: Apache-2.0
"""The windows for files: a magic word and a length decide, never the bytes of the inputs."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.support.firmware.compile import FIRMWARE, program, say

_PLATFORM = """#include <stdint.h>
extern uint8_t input_window[], output_window[];
#define PLATFORM_INPUT_WINDOW_ADDRESS input_window
#define PLATFORM_INPUT_WINDOW_BYTES INPUT_WINDOW_BYTES
#define PLATFORM_OUTPUT_WINDOW_ADDRESS output_window
#define PLATFORM_OUTPUT_WINDOW_BYTES OUTPUT_WINDOW_BYTES
"""


def _harness(folder: Path, pattern: int = 0, input_bytes: int = 64, output_bytes: int = 8) -> Path:
    (folder / "platform.h").write_text(_PLATFORM, "utf-8")
    defines = [
        *(f"-I{folder}", f"-I{FIRMWARE / 'hal'}", f"-DPATTERN={pattern:#x}"),
        *(f"-DINPUT_WINDOW_BYTES={input_bytes}", f"-DOUTPUT_WINDOW_BYTES={output_bytes}"),
    ]
    sources = ["runtime/windows.c", "support/text.c"]
    return program(folder / "windows", "windows_harness.c", sources, defines)


def _window(inputs: bytes, size_bytes: int | None = None) -> bytes:
    size_bytes = len(inputs) if size_bytes is None else size_bytes
    return b"EWIN" + struct.pack("<III", size_bytes, 0, 0) + inputs


UNTOUCHED = "inputs eeeeeeeeeeee"


# Zeros, and what Arm's simulators fill memory with.
@pytest.mark.parametrize("pattern", [0, 0xDFCF])
def test_a_window_that_nobody_filled_is_ignored(tmp_path: Path, pattern: int) -> None:
    lines = say(_harness(tmp_path, pattern), b"")
    assert lines[:2] == ["0 bytes ignored: ", UNTOUCHED]


@pytest.mark.parametrize("inputs", [bytes(6), bytes(range(1, 7))], ids=["zeros", "numbers"])
def test_inputs_reach_the_tensors_and_outputs_are_cleaned(tmp_path: Path, inputs: bytes) -> None:
    assert say(_harness(tmp_path, 0xDFCF), _window(inputs)) == [
        "22 bytes found: ",
        f"inputs {inputs.hex()}",
        "clean 0 6",
        f"outputs {inputs.hex()}0000",
        "written",
    ]


@pytest.mark.parametrize("size_bytes", [0, 5, 7, 0xFFFFFFFF])
def test_inputs_of_another_length_are_refused(tmp_path: Path, size_bytes: int) -> None:
    lines = say(_harness(tmp_path), _window(bytes(6), size_bytes))
    problem = f"input window: inputs of {size_bytes} bytes, expected 6"
    assert lines[:2] == [f"22 bytes found: {problem}", UNTOUCHED]


def test_windows_that_are_too_small_are_refused(tmp_path: Path) -> None:
    lines = say(_harness(tmp_path, input_bytes=20, output_bytes=5), _window(bytes(4), 6))
    assert lines[0] == "20 bytes found: input window: too small for the network's inputs"
    assert lines[-1] == "output window: too small for the network's outputs"
