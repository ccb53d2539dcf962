# SPDX-License-Identifier: Apache-2.0
"""A real Dask scheduler and workers in processes of their own, each as a test wants it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ethosmith.installation import PYTHON_PATH

_STARTS_WITHIN_S = 60.0
_ENDS_WITHIN_S = 10.0


@dataclass(frozen=True)
class Scheduler:
    """A running scheduler.

    Attributes:
        address: for ``steps=``.
        process: the scheduler's.
        file: where workers read the address.
        environment: of its workers as well.
    """

    address: str
    process: subprocess.Popen[bytes]
    file: Path
    environment: Mapping[str, str]

    @contextlib.contextmanager
    def worker(self, *words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a worker of one thread that lives as long as the block.

        Args:
            words: more of its command line.
            environment: what is different in its environment.
        """
        command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file"]
        command += [str(self.file), "--nthreads", "1", "--no-dashboard", "--no-nanny", *words]
        command += ["--protocol", self.address.partition(":")[0], "--death-timeout", "20"]
        with _running(command, {**self.environment, **environment}, self.file.parent) as process:
            yield process


@contextlib.contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_WITHIN_S)
        process.kill()
        process.wait()


@contextlib.contextmanager
def scheduler(folder: Path, protocol: str = "tcp", **settings: str) -> Iterator[Scheduler]:
    """Start a scheduler; ``settings`` are environment variables of it and of its workers."""
    file = folder / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": PYTHON_PATH, **settings}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--protocol", protocol]
    command += ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    command += ["--scheduler-file", str(file)]
    with _running(command, environment, folder) as process:
        end_s = time.monotonic() + _STARTS_WITHIN_S
        while not (file.exists() and file.stat().st_size):
            assert process.poll() is None, "the scheduler ended"
            assert time.monotonic() < end_s, "the scheduler did not start"
            time.sleep(0.05)
        address = str(json.loads(file.read_text("utf-8"))["address"])
        yield Scheduler(address, process, file, environment)
