# SPDX-License-Identifier: Apache-2.0
"""Memory and time of whole builds that measure large evaluation sets: SCons with its graph.

    python -m benchmarks.evaluation_build [ITEMS ...]

`accuracy evaluation=FOLDER` runs in a copy of the project where the answers to a shard are made up:
networks and the board are left out, all else is as it is. It prints SCons's peak of memory, the
number of shards and steps, and the processor time of SCons itself for each of them.
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
_LABELS = ("silence", "unknown")
_WORDS = ("accuracy", "usecase=kws", "evaluation=set", "-j2")
_ANSWERS = "        {name} = lambda items: Answers(tuple(\
ItemAnswer(i.name, 'unknown', '0.5', digest([i.name.encode()])) for i in items), {device})\n"
_SET = "items_of_set(self.evaluation_set)"


def _make_up_answers(project: ProjectCopy) -> None:
    """Let the steps that answer say the same to each item, and load nothing for it."""
    for name, call, device in (
        ("host", "host_answers(network, self.program, ", "{}"),
        ("device", "device_answers(device, ", "{'name': 'none', 'version': '0'}"),
    ):
        path = f"ethosmith/steps/answer_on_{name}.py"
        text = project.read(path)
        begin = text.index("    def run(self)")
        end = text.index("\n\n", text.index(call, begin))
        body = (
            "    def run(self) -> None:\n"
            f'        """Make answers up."""\n{_ANSWERS.format(name="made_up", device=device)}'
            f"        write_answers(self.output, made_up({_SET}))"
        )
        project.write(path, text[:begin] + body + text[end:])


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
        _make_up_answers(project)
        for items in [int(word) for word in sys.argv[1:]] or _SIZES:
            _make_set(project.root / "set", items)
            mib, cpu_s, wall_s, said = _measured(project)
            if f": {items:,} of {items:,} items" not in said:
                raise SystemExit(said[-4000:])
            shards = len(list(project.root.glob("build/usecases/kws/accuracy@set/listings/*")))
            print(
                f"{items:>7,} items  {shards:>4} shards  {mib:6.1f} MiB  {cpu_s:6.1f} s of SCons's"
                f" processor time  {wall_s:6.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
