# SPDX-License-Identifier: Apache-2.0
"""Fuzz the firmware's C on this computer with libFuzzer, AddressSanitizer and UBSan.

    python -m tests.fuzz.firmware [payload text format image] --seconds 60

Clang and its run-time libraries are needed (Debian: clang-19 libclang-rt-19-dev).
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from tests.support.project_copy import ROOT

HERE = Path(__file__).parent
FIRMWARE = ROOT / "firmware"
# The firmware's sources of each target.
TARGETS = {
    "payload": ("npu/npu_payload.c",),
    "text": ("support/text.c",),
    "format": ("support/format.c", "support/text.c"),
    "image": ("vision/image.c",),
}
_CLANGS = ("clang", *(f"clang-{version}" for version in range(22, 13, -1)))
_FLAGS = (
    *("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O1", "-g", "-ffp-contract=off"),
    *("-Wall", "-Wextra", "-Werror"),
    *("-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"),
    *(f"-I{FIRMWARE / name}" for name in ("npu", "runtime", "support", "tflm", "vision")),
)
_RUNS = re.compile(r"Done (\d+) runs")
_COVERAGE = re.compile(r"cov: (\d+)")


def find_clang() -> str | None:
    """Return a Clang of this computer; None: there is none."""
    found = (shutil.which(name) for name in _CLANGS)
    return next((program for program in found if program), None)


def build(name: str, folder: Path) -> Path:
    """Compile a target.

    Raises:
        EthosmithError: there is no Clang with libFuzzer.
    """
    clang = find_clang()
    if clang is None:
        raise EthosmithError("clang was not found on the PATH; install clang and libclang-rt-dev")
    output = folder / name
    sources = [HERE / f"{name}.c", *(FIRMWARE / source for source in TARGETS[name])]
    done = subprocess.run(
        [clang, *_FLAGS, "-o", output, *sources], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise EthosmithError(f"{name}: {' '.join(done.stderr.split())[:600]}")
    return output


def fuzz(name: str, folder: Path, *limits: str) -> tuple[int, str]:
    """Run a target with a corpus of its own; return its status and what it printed."""
    corpus = folder / f"{name} corpus"
    corpus.mkdir(exist_ok=True)
    command = [str(build(name, folder)), "-max_len=4096", "-rss_limit_mb=500", "-timeout=10"]
    command.append("-use_value_profile=1")
    done = subprocess.run(
        [*command, f"-artifact_prefix={folder}/{name}-", *limits, str(corpus)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stderr


def main() -> int:
    """Fuzz the targets that are named, or all; return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.firmware")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    failed = False
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for name in options.names or TARGETS:
        status, text = fuzz(name, folder, f"-max_total_time={options.seconds}")
        runs, coverage = _RUNS.findall(text), _COVERAGE.findall(text)
        sys.stdout.write(f"{name}: {(runs or ['?'])[-1]} runs, {(coverage or ['?'])[-1]} edges\n")
        if status != 0:
            sys.stdout.write(f"{text[-3000:]}\nsee {folder}\n")
            failed = True
    if not failed:
        shutil.rmtree(folder)
    return int(failed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EthosmithError as error:
        sys.exit(f"error: {error}")
