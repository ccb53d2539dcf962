# SPDX-License-Identifier: Apache-2.0
"""Measure whether ``live`` keeps up with a microphone: a second of sound every 0.2 s.

    python -m benchmarks.live [usecase=NAME ...]

The server is the real one; this program takes the page's place. Below a ratio of 1, each answer is
there before the next step is due.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

ROOT = Path(__file__).resolve().parents[1]
STEP_S = 0.2
STEPS = 100
MAX_RATIO = 1.0
CLIP = ROOT / "usecases/kws/samples/down.wav"


def answer_s(page: ClientConnection, number: int, clip: bytes) -> float:
    """Return the wall time from sending ``clip`` to its answer, in seconds."""
    header = json.dumps({"task": "answer", "number": number, "name": CLIP.name}).encode()
    begun_s = time.perf_counter()
    page.send(struct.pack("<I", len(header)) + header + clip)
    answer = json.loads(page.recv())
    if answer["kind"] != "answer":
        raise SystemExit(str(answer))
    return time.perf_counter() - begun_s


def measure(address: str) -> list[float]:
    """Return how long each step took; the first ones, which load code, are left out."""
    host = address.split("/")[2]
    clip = CLIP.read_bytes()
    socket = address.replace("http:", "ws:") + "socket"
    with connect(socket, origin=Origin(f"http://{host}"), proxy=None) as page:
        page.recv()
        for number in range(1, 11):
            answer_s(page, number, clip)
        taken_s = []
        for number in range(11, 11 + STEPS):
            taken_s.append(answer_s(page, number, clip))
            time.sleep(max(0.0, STEP_S - taken_s[-1]))
        return taken_s


def served(words: Sequence[str]) -> list[float]:
    """Start ``live``, and return what `measure` does."""
    with subprocess.Popen(
        [f"{ROOT}/scons", *words, "live"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                if line.startswith("http://"):
                    return measure(line.strip())
            raise SystemExit("live did not start")
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate()


def main() -> int:
    """Print the times; the exit code is 1 if real time is not kept."""
    taken_s = served(sys.argv[1:] or ["usecase=kws"])
    ratio = statistics.median(taken_s) / STEP_S
    late = sum(one > STEP_S for one in taken_s)
    print(f"answer, median      {statistics.median(taken_s) * 1000:>8.1f} ms")
    print(f"answer, 95 %        {sorted(taken_s)[int(0.95 * STEPS)] * 1000:>8.1f} ms")
    print(f"later than its step {late:>8} of {STEPS}")
    print(f"answer / step       {ratio:>8.2f}     at most {MAX_RATIO:g}")
    print(f"load average of the last minute {os.getloadavg()[0]:.1f}")
    return 0 if ratio <= MAX_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
