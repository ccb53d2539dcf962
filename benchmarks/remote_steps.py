# SPDX-License-Identifier: Apache-2.0
"""What a step on a worker costs beside the same step here, and what a second worker brings.

    python -m benchmarks.remote_steps [--rounds N]
    python -m benchmarks.remote_steps --sweep

The first alternates one small step here and on a worker of this machine, and prints medians of
wall-clock time, their difference, and the processor time of this process: what the coordinator
itself does for a step. It also prints how many empty tasks the scheduler takes in a second.

``--sweep`` runs 24 configurations (three networks, four NPUs, two memory modes) from a clean folder
with ``steps=local:1`` and with ``steps=local:2``, and prints the ratio. What the steps share is
built before. On a machine that does something else, the ratio is lower: see the load average.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ethosmith.graph.code_index import CodeIndex
from ethosmith.graph.environment import process_environment
from ethosmith.graph.remote_cluster import Address
from ethosmith.graph.remote_steps import RemoteSteps
from ethosmith.steps.generate_labels import GenerateLabels
from tests.support.project_copy import ProjectCopy

_EMPTY_TASKS = 1000
_NPUS = "ethos-u55-32,ethos-u55-64,ethos-u55-128,ethos-u55-256"
_MODES = "Shared_Sram,Sram_Only"
_SWEEP = ("sweep", "usecase=kws", "model=nets", f"npu={_NPUS}", f"memory_mode={_MODES}")


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return wall-clock and processor seconds of this process alone."""
    began_s, cpu_s = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began_s, time.process_time() - cpu_s


def _labels(number: int) -> GenerateLabels:
    names = (f"label {number}",)
    return GenerateLabels(labels=names, source="usecase.yaml", output=Path("labels.c"))


def _here(step: GenerateLabels) -> None:
    """Run a step as the build does without a cluster."""
    import json  # noqa: PLC0415 as the build's own process has it

    subprocess.run(
        [sys.executable, "-m", "ethosmith", "step", step.name(), "-"],
        input=json.dumps(step.spec()).encode(),
        env=process_environment(),
        check=True,
        capture_output=True,
    )


def _others_cpu_s(client: Any) -> tuple[float, float]:
    """Return the processor seconds of the scheduler and of the worker, without its children."""
    (worker_s,) = client.run(time.process_time).values()
    return client.run_on_scheduler(time.process_time), worker_s


def overhead(rounds: int) -> None:
    """Print what a worker adds to a step."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.chdir(root)
        notes: list[str] = []
        steps = RemoteSteps(Address(workers=1), str(root / "store"), root, notes.append)
        code = CodeIndex().closure(GenerateLabels.__module__).modules

        def there(number: int) -> None:
            if steps.run(_labels(number), {}, code) is None:
                raise SystemExit(f"the step did not run there: {notes}")

        there(-1)  # starts the worker, which imports what it needs
        client = steps._cluster._client
        before = _others_cpu_s(client)
        pairs = []
        for number in range(rounds):
            alone = _timed(partial(_here, _labels(number)))
            pairs.append((alone, _timed(partial(there, number))))
        others = [after - b for after, b in zip(_others_cpu_s(client), before, strict=True)]
        here_s = statistics.median(alone[0] for alone, _ in pairs)
        there_s = statistics.median(other[0] for _, other in pairs)
        added_s = statistics.median(other[0] - alone[0] for alone, other in pairs)
        cpu_s = statistics.mean(other[1] for _, other in pairs)
        print(f"step here {here_s * 1e3:.0f} ms, on a worker {there_s * 1e3:.0f} ms: medians")
        print(f"overhead {added_s * 1e3:.0f} ms (bound: 50 ms), ratio {there_s / here_s:.2f}")
        print(
            f"processor time a step: this process {cpu_s * 1e3:.1f} ms,"
            f" scheduler {others[0] / rounds * 1e3:.1f} ms,"
            f" worker without the step {others[1] / rounds * 1e3:.1f} ms"
        )
        numbers = range(_EMPTY_TASKS)
        before = _others_cpu_s(client)
        empty_s, _ = _timed(lambda: client.gather(client.map(abs, numbers, pure=False)))
        took_s = _others_cpu_s(client)[0] - before[0]
        print(f"scheduler and one worker: {_EMPTY_TASKS / empty_s:,.0f} empty tasks a second,")
        print(f"  {took_s / _EMPTY_TASKS * 1e3:.2f} ms of the scheduler's processor time each")
        steps.close()


def _networks(project: ProjectCopy) -> None:
    """Put three networks of the same shape into ``nets``: the use case's, with other weights."""
    import h5py  # noqa: PLC0415 comes with TensorFlow

    project.build("usecase=kws", "images")
    model = next((project.root / "build/usecases/kws/model").glob("*.h5"))
    (project.root / "nets").mkdir()
    for factor in (1.0, 0.9375, 0.875):
        path = project.root / f"nets/net{factor * 10000:.0f}.h5"
        shutil.copyfile(model, path)
        names: list[str] = []
        with h5py.File(path, "r+") as file:
            weights = file["model_weights"]
            weights.visit(
                lambda name, into=names: into.append(name) if "kernel:0" in name else None
            )
            weights[names[-1]][...] *= factor


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def sweep() -> None:
    """Print how much faster a sweep is with two workers than with one."""
    with tempfile.TemporaryDirectory() as place:
        clean = ProjectCopy.fresh(Path(place) / "clean")
        _networks(clean)
        # Compilers do not run on workers; each configuration's objects are here already.
        clean.build(f"npu={_NPUS}", f"memory_mode={_MODES}", "usecase=kws", "images", "-j2")
        walls: dict[int, float] = {}
        for workers in (1, 2):
            project = clean.copy(Path(place) / f"{workers} workers")
            before_s = _children_cpu_s()
            began_s = time.perf_counter()
            outcome = project.build(*_SWEEP, f"steps=local:{workers}")
            walls[workers] = time.perf_counter() - began_s
            cpu_s = _children_cpu_s() - before_s
            if "note: steps" in outcome.text:
                raise SystemExit(outcome.text)
            print(
                f"{workers} workers: {walls[workers]:.0f} s, {cpu_s:.0f} s of processor time,"
                f" load average {os.getloadavg()[0]:.1f}"
            )
        print(f"2 workers of 1: {walls[1] / walls[2]:.2f} x (wanted: 1.7 x on two idle cores)")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.remote_steps")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--sweep", action="store_true")
    given = parser.parse_args()
    if given.sweep:
        sweep()
    else:
        overhead(given.rounds)
    print(f"load average of the last minute {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
