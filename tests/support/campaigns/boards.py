# SPDX-License-Identifier: Apache-2.0
"""Spoilt command streams on the NPU model, and spoilt programs on the open board."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.board.programs import build
from tests.support.campaigns.mutate import spoilt_bytes
from tests.support.npu_fuzz.fuzzer import Attack, victims
from tests.support.project_copy import ROOT

_LIMIT_S = 2
_HANG_S = 120
# The board's own statuses, and what a program may return.
_STATUSES = range(128)

_BODIES = (
    'int program(void) { print("hello\\n"); return 3; }',
    "int program(void) { for (u32 i = 0; i < 64; i++) NPU[i] = i * 0x01010101; run_npu();"
    " return 0; }",
    "int program(void) { u32 *p = (u32 *)0x60000000; for (u32 i = 0; i < 9999; i++) p[i] = i;"
    " NPU[4] = 0x60000000; NPU[6] = 4096; run_npu(); return (int)NPU[1] & 0x7f; }",
    "int program(void) { for (u32 i = 0;; i++) { REG(i * 0x10001u) = i; put((char)i); } }",
    'static int deep(int n) { volatile char a[64]; a[0] = (char)n; print("x");'
    " return deep(n + a[0]); } int program(void) { return deep(1); }",
)


def prepare_streams(folder: Path) -> None:
    """Compile the networks whose streams are spoilt."""
    del folder
    victims()


def attack_stream(state: None, random_: random.Random, folder: Path) -> str:
    """Run one corrupted network."""
    del state, folder
    return Attack(random_.getrandbits(32), random_.getrandbits(32)).run()


def prepare_guests(folder: Path) -> list[bytes]:
    """Build small programs, and run each as it is."""
    programs = []
    for number, body in enumerate(_BODIES):
        axf = build(folder, body, f"program{number}")
        programs.append(axf.read_bytes())
    return programs


def attack_guest(programs: Sequence[bytes], random_: random.Random, folder: Path) -> str:
    """Run one spoilt program on the open board's command line."""
    data = random_.choice(programs)
    if random_.random() < 0.6:
        # Its code and data, so that it is loaded and goes astray.
        at = random_.randrange(0x1000, len(data) - 64) if len(data) > 0x1100 else 0x34
        end = min(len(data), at + 2048)
        data = data[:at] + spoilt_bytes(data[at:end], random_) + data[end:]
    else:
        data = spoilt_bytes(data, random_, programs)
    axf = folder / "hostile.axf"
    axf.write_bytes(data)
    command = [sys.executable, "-m", "open_board", "--simulator", "open", "-a", str(axf)]
    done = subprocess.run(
        [*command, "--timelimit", str(_LIMIT_S)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_HANG_S,
        check=False,
        cwd=ROOT / "distributions/open-board/src",
    )
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode in _STATUSES, (done.returncode, said)
    assert "Traceback" not in said, said
    assert len(said.splitlines()) <= 1, said
    assert (
        done.returncode == 0 or done.returncode < 123 or said.isprintable() or said.endswith("\n")
    )
    return f"status {done.returncode}"
