# SPDX-License-Identifier: Apache-2.0
"""Measure builds of a use case for the FVP: clean, null, after a changed model; and the image.

    python -m benchmarks.build [--usecase kws] [--rounds N] [--json FILE]

Everything is built in copies of the project, with the user's cache of downloads. Times are
wall-clock; a busy machine shows in them, and in the load average that is printed with them.
The exit code is 1 if a number is beyond its bound.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ethosmith.images.link_map import read_link_map
from tests.support.project_copy import Outcome, ProjectCopy

_IMAGE = "build/fvp/ethos-u55-128-shared_sram"
_STEP_S = re.compile(r"^Command execution time: .*: ([\d.]+) seconds$", re.MULTILINE)
_SAME_BYTES = (".axf", ".map", ".htm", ".bin", ".txt", ".c", ".h", ".tflite", ".npz", ".o", ".a")
# What holds sound on its way to the network, and what a use case keeps for itself, such as the
# words it has heard: their memory is not the firmware's own.
_AUDIO, _USE_CASE = "libfrontend.a(", "/obj/"
_CODE = ("vectors", "code", "constants", "initial values", "labels")
_DATA = ("data", "bss")


@dataclass(frozen=True)
class Figure:
    """One number, in ``unit``; ``bound`` is the most that it may be."""

    name: str
    value: float
    unit: str
    bound: float | None = None

    @property
    def within(self) -> bool:
        """Say whether it is not beyond its bound."""
        return self.bound is None or self.value <= self.bound

    def __str__(self) -> str:
        bound = "" if self.bound is None else f"   at most {self.bound:g}"
        mark = "" if self.within else "   BEYOND"
        return f"{self.name:<44}{self.value:>12,.3f} {self.unit:<6}{bound}{mark}"


def _timed(run: Callable[[], Outcome]) -> tuple[float, Outcome]:
    begun = time.perf_counter()
    outcome = run()
    return time.perf_counter() - begun, outcome


def clean_build(project: ProjectCopy, usecase: str) -> list[Figure]:
    """Build everything."""
    seconds, _ = _timed(lambda: project.build(usecase))
    return [Figure("clean build", seconds, "s")]


def null_build(project: ProjectCopy, usecase: str, rounds: int) -> list[Figure]:
    """Build when there is nothing to do."""
    times = []
    for _ in range(rounds):
        seconds, outcome = _timed(lambda: project.build(usecase))
        if outcome.steps:
            raise SystemExit(f"a build without changes ran {sorted(outcome.steps)}")
        times.append(seconds)
    return [
        Figure("null build, median", statistics.median(times), "s", 1.0),
        Figure("null build, fastest", min(times), "s"),
    ]


def changed_model(project: ProjectCopy, name: str) -> list[Figure]:
    """Build after the float network's weights changed; the rest is the steps' own time."""
    model = next((project.root / f"build/usecases/{name}/model").iterdir())
    own = project.root / f"usecases/{name}/{model.name}"
    own.write_bytes(model.read_bytes())
    descriptor = f"usecases/{name}/usecase.yaml"
    text = project.read(descriptor)
    source = re.search(r"  source:\n(?:    .*\n)+", text)
    if source is None:
        raise SystemExit(f"{descriptor}: has no source that this benchmark can replace")
    project.write(descriptor, text.replace(source[0], f"  source: {{path: {own.name}}}\n", 1))
    project.build(f"usecase={name}")
    _scale_weights(own)
    seconds, outcome = _timed(lambda: project.build(f"usecase={name}", "--debug=time"))
    steps_s = sum(map(float, _STEP_S.findall(outcome.stdout)))
    sys.stdout.write("".join(f"  ran {step}\n" for step in sorted(outcome.steps)))
    return [
        Figure("changed model, whole build", seconds, "s"),
        Figure("changed model, beyond the steps' own time", seconds - steps_s, "s", 1.0),
    ]


def _scale_weights(model: Path) -> None:
    import h5py  # noqa: PLC0415 comes with TensorFlow

    names: list[str] = []
    with h5py.File(model, "r+") as file:
        weights = file["model_weights"]
        weights.visit(lambda name: names.append(name) if name.endswith("kernel:0") else None)
        weights[names[-1]][...] *= 0.875


def boot_to_answer(project: ProjectCopy, name: str, rounds: int) -> list[Figure]:
    """Run the image as the graph does, from the command to the exit code."""
    axf, times = f"{_IMAGE}/{name}.axf", []
    command = [sys.executable, "-m", "open_board", "-a", axf, "--npu", "ethos-u55-128"]
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run(
            [*command, "--simulator", "open"], cwd=project.root, check=True, capture_output=True
        )
        times.append(time.perf_counter() - begun)
    return [Figure("boot to the answers, median", statistics.median(times), "s", 2.0)]


def image_sizes(project: ProjectCopy, name: str) -> list[Figure]:
    """Add up what the image needs besides the network and its samples."""
    regions: list[dict[str, Any]] = json.loads(project.read(f"{_IMAGE}/{name}_size.json"))[
        "regions"
    ]

    def total(classes: Sequence[str]) -> int:
        return sum(region["classes"].get(key, 0) for region in regions for key in classes)

    link_map = read_link_map(project.root / f"{_IMAGE}/{name}.map", [".data", ".bss"])
    audio, own = (
        sum(c.size_bytes for c in link_map.contributions if where in c.origin)
        for where in (_AUDIO, _USE_CASE)
    )
    return [
        Figure("code and constants outside the model", total(_CODE) / 1024, "KiB", 64),
        Figure("the firmware's own data", (total(_DATA) - audio - own) / 1024, "KiB", 4),
        Figure("the use case's data", own / 1024, "KiB"),
        Figure("scratch", total(["scratch", "fast scratch"]) / 1024, "KiB"),
        Figure("sound", audio / 1024, "KiB"),
        Figure("stack", total(["stack"]) / 1024, "KiB"),
    ]


def other_bytes(one: ProjectCopy, other: ProjectCopy) -> list[Figure]:
    """Count the outputs of two builds that are not the same."""
    first, second = one.built_files(), other.built_files()
    names = sorted(name for name in {*first, *second} if name.endswith(_SAME_BYTES))
    differing = [name for name in names if first.get(name) != second.get(name)]
    sys.stdout.write("".join(f"  differs: {name}\n" for name in differing))
    return [
        Figure("outputs compared in two folders", len(names), "files"),
        Figure("outputs that differ", len(differing), "files", 0),
    ]


def measure(usecase: str, rounds: int) -> list[Figure]:
    """Build in two folders and return all figures."""
    option = f"usecase={usecase}"
    with tempfile.TemporaryDirectory(prefix="ethosmith-build-") as temporary:
        one = ProjectCopy.fresh(Path(temporary) / "one folder")
        other = ProjectCopy.fresh(Path(temporary) / "another" / "folder")
        figures = clean_build(one, option)
        other.build(option, "-j2")
        return [
            *figures,
            *other_bytes(one, other),
            *image_sizes(one, usecase),
            *boot_to_answer(one, usecase, rounds),
            *null_build(one, option, rounds),
            *changed_model(one, usecase),
        ]


def main() -> int:
    """Print the figures; say with the exit code whether all are within their bounds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.build")
    parser.add_argument("--usecase", default="kws")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    figures = measure(given.usecase, given.rounds)
    load = os.getloadavg()[0]
    print("\n".join(map(str, figures)))
    print(f"load average of the last minute {load:.1f}, {os.cpu_count()} processors")
    if given.json:
        report = {"load_average": load, "figures": [asdict(figure) for figure in figures]}
        given.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 0 if all(figure.within for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
