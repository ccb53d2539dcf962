# SPDX-License-Identifier: Apache-2.0
"""Compile parts of the firmware for this computer, as the tests of this folder need them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.project_copy import ROOT

HERE = Path(__file__).parent
FIRMWARE = ROOT / "firmware"

_FLAGS = (
    "-std=c11",
    "-D_POSIX_C_SOURCE=200809L",
    "-O1",
    "-g",
    "-ffp-contract=off",
    "-Wall",
    "-Wextra",
    "-Werror",
)
_SANITISE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_INCLUDE = tuple(
    f"-I{FIRMWARE / name}" for name in ("runtime", "support", "npu", "frontend", "tflm")
)


def program(
    output: Path, harness: str, sources: Sequence[str], defines: Sequence[str] = ()
) -> Path:
    """Compile a harness of this folder with firmware sources; memory errors end it."""
    files = [HERE / harness, *(FIRMWARE / source for source in sources)]
    return _compile(output, [*_SANITISE, *_FLAGS, *defines], files, ["-lm"])


def shared_object(output: Path, harness: str, sources: Sequence[str], header: str) -> Path:
    """Compile a harness as a library for ctypes, ``header`` included before each file."""
    files = [HERE / harness, *(FIRMWARE / source for source in sources)]
    return _compile(output, ["-shared", "-fPIC", "-include", str(HERE / header), *_FLAGS], files)


def _compile(
    output: Path, flags: Sequence[str], files: Sequence[Path], libraries: Sequence[str] = ()
) -> Path:
    command = ["cc", *flags, *_INCLUDE, "-o", str(output), *map(str, files), *libraries]
    subprocess.run(command, check=True, timeout=60)
    return output


def say(program_file: Path, data: bytes, *arguments: str) -> list[str]:
    """Run a harness on ``data`` and return the lines that it prints."""
    ran = subprocess.run(
        [program_file, *arguments], input=data, capture_output=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode().splitlines()
