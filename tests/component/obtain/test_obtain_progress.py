# SPDX-License-Identifier: Apache-2.0
"""A terminal gets a moving bar, a log gets one line per download."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

from ethosmith.obtain.progress import LineProgress, size_text
from tests.component.obtain.conftest import sha256


def test_log_gets_one_line_per_transfer() -> None:
    stream = io.StringIO()
    progress = LineProgress(stream)
    progress.started("net.zip", 34_200_000, 0)
    progress.advanced(20_000_000)
    progress.started("net.zip", None, 20_000_000)
    progress.finished()
    assert stream.getvalue() == "fetching net.zip (34.2 MB)\nfetching net.zip, resumed at 20.0 MB\n"


def test_sizes_change_their_unit() -> None:
    sizes = {999: "999 B", 1000: "1.0 kB", 5_880_000: "5.9 MB", 2_000_000_000: "2.0 GB"}
    assert {size: size_text(size) for size in sizes} == sizes


def test_terminal_gets_a_bar(tmp_path: Path) -> None:
    body = bytes(3_000_000)
    (tmp_path / "net.bin").write_bytes(body)
    source = f'{{"url": "{(tmp_path / "net.bin").as_uri()}", "sha256": "{sha256(body)}"}}'
    command = [sys.executable, "-m", "ethosmith", "step", "obtain-file", "--source", source]
    command += ["--output", str(tmp_path / "out")]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "PIP_CONFIG_FILE": os.devnull}
    environment["ETHOSMITH_CACHE"] = str(tmp_path / "cache")
    result = subprocess.run(command, stderr=theirs, env=environment, check=False)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert result.returncode == 0, shown
    assert "net.bin" in shown
    assert "\x1b[" in shown
