# SPDX-License-Identifier: Apache-2.0
"""Memory and time of whole builds that measure large evaluation sets: SCons with its graph.

    python -m benchmarks.evaluation_build [ITEMS ...]

`accuracy evaluation=FOLDER` runs in a copy of the project where the steps of a shard are processes
that write a line: what remains is SCons with the graph, the listing and the signatures. (Their own
memory does not grow with the set, and benchmarks.evaluation_shards measures the last one.) It
prints SCons's peak of memory, its processor time, and that of each step between two sizes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import wave
from io import BytesIO
from pathlib import Path

from tests.support.project_copy import ProjectCopy

_SIZES = (1_000, 10_000, 100_000)
_STEPS_OF_SHARD = 4
_LABELS = ("silence", "unknown")
_WORDS = ("accuracy", "usecase=kws", "evaluation=set", "-j2")
# What a step's process is started with, and what stands for it here.
_COMMAND = '        [sys.executable, "-m", "ethosmith", "step", step.name(), _STANDARD_INPUT],\n'
_MADE_UP = """\
        ["/bin/sh", "-c", 'for f; do echo "$f" > "$f"; done', "-", *map(str, step.outputs)]
        if step.name() in {steps} else
"""
_STEPS = {"collect-shard", "answer-on-host", "answer-on-device", "judge-accuracy"}


def _make_up_outputs(project: ProjectCopy) -> None:
    """Let the steps of shards write a line and do nothing else."""
    path = "ethosmith/engine/scons_engine.py"
    project.replace(path, _COMMAND, _MADE_UP.format(steps=sorted(_STEPS)) + _COMMAND)


def _clip(number: int) -> bytes:
    """Return the bytes of a clip of four samples; its content is its number's."""
    file = BytesIO()
    with wave.open(file, "wb") as clip:
        clip.setparams((1, 2, 16_000, 0, "NONE", ""))
        clip.writeframes(number.to_bytes(8, "little"))
    return file.getvalue()


def _make_set(folder: Path, items: int) -> None:
    for label in _LABELS:
        (folder / label).mkdir(parents=True, exist_ok=True)
    for number in range(items):
        (folder / _LABELS[number % 2] / f"{number:06}.wav").write_bytes(_clip(number))


def _measured(project: ProjectCopy) -> tuple[float, float, float, str]:
    """Return peak MiB, processor and wall-clock seconds of the SCons process, and its output."""
    began_s = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            project.command(*_WORDS),
            cwd=project.root,
            env=project.process_environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        peak_kib, cpu_s = 0, 0.0
        while process.poll() is None:
            peak_kib, cpu_s = _usage(process.pid, peak_kib, cpu_s)
            time.sleep(0.2)
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    return peak_kib / 1024, cpu_s, time.perf_counter() - began_s, said


def _usage(pid: int, peak_kib: int, cpu_s: float) -> tuple[int, float]:
    """Return the peak of memory and the processor time of a process, without its children."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
        times = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return peak_kib, cpu_s  # it has just ended
    peak = re.search(r"VmHWM:\s+(\d+)", status)
    ticks = int(times[11]) + int(times[12])
    return int(peak[1]) if peak else peak_kib, ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure all sizes, one after the other in the same project."""
    with tempfile.TemporaryDirectory() as place:
        project = ProjectCopy.fresh(Path(place) / "project")
        _make_up_outputs(project)
        before: tuple[int, float] | None = None
        for items in [int(word) for word in sys.argv[1:]] or _SIZES:
            _make_set(project.root / "set", items)
            mib, cpu_s, wall_s, said = _measured(project)
            if f": {items:,} of {items:,} items" not in said:
                raise SystemExit(said[-4000:])
            shards = len(list(project.root.glob("build/usecases/kws/accuracy@set/listings/*")))
            text = f"{items:>7,} items {shards:>4} shards {mib:6.1f} MiB"
            text += f" {cpu_s:6.1f} s of SCons {wall_s:5.0f} s"
            if before is not None:
                steps = _STEPS_OF_SHARD * (shards - before[0])
                text += (
                    f"  {(cpu_s - before[1]) / steps * 1e3:.1f} ms of SCons for each further step"
                )
            print(text, flush=True)
            before = shards, cpu_s


if __name__ == "__main__":
    main()
