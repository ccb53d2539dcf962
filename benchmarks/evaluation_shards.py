# SPDX-License-Identifier: Apache-2.0
"""Memory and time of evaluation sets in shards, without a network or a board.

    .venv/bin/python -m benchmarks.evaluation_shards [ITEMS ...]

For each size it makes a folder of small files, lists it in shards as a build's configuration
does, and judges made-up answers as the last step does: each in a process of its own, whose peak
of memory it prints, with the ratio to the smallest set.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ethosmith.accuracy.evaluation_set import Accepted
from ethosmith.accuracy.set_file import Answers, Item, ItemAnswer, write_answers, write_set
from ethosmith.accuracy.shards import entries_of_folder, read_listing, write_listings
from ethosmith.steps.judge_accuracy import JudgeAccuracy

_SIZES = (1_000, 10_000, 100_000)
_LABELS = ("no", "yes")


def make_folder(folder: Path, items: int) -> None:
    """Make ``items`` labelled files of a few bytes each."""
    for label in _LABELS:
        (folder / label).mkdir(parents=True)
    for number in range(items):
        (folder / _LABELS[number % 2] / f"{number:06}.npy").write_bytes(b"%d" % number)


def list_folder(root: Path) -> None:
    """List the folder ``set`` in shards, as a build's configuration does."""
    (root / "notes").mkdir(exist_ok=True)
    entries = entries_of_folder(root / "set", Accepted((".npy",), _LABELS), root / "notes")
    write_listings(entries, Path("listings"), root)


def make_answers(root: Path) -> None:
    """Write a set and made-up answers for each listing."""
    for listing in sorted((root / "listings").glob("*.json")):
        entries = read_listing(listing)
        items = [Item(one.name, one.expect, b"\0" * 8) for one in entries]
        write_set(root / f"{listing.stem}.zip", items)
        said = tuple(ItemAnswer(one.name, one.expect, "0.9", one.sha256) for one in entries)
        write_answers(root / f"{listing.stem}.answers", Answers(said, {"name": "none"}))


def judge(root: Path) -> None:
    """Judge all shards, as the last step of a build does."""
    answers = tuple(sorted(root.glob("*.answers")))
    JudgeAccuracy(
        usecase="none",
        configuration="none",
        metric="top1",
        limits={},
        evaluation_sets=tuple(sorted(root.glob("*.zip"))),
        float_answers=answers,
        int8_answers=answers,
        device_answers=answers,
        output=root / "result.json",
    ).run()


_PARTS = {"list": list_folder, "judge": judge}


def _peak(part: str, root: Path) -> tuple[float, float]:
    """Return MiB and seconds of one part in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.evaluation_shards", part, str(root)]
    began_s = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout), time.monotonic() - began_s


def main() -> None:
    """Measure all sizes, or do one part of one and print its peak of memory in MiB."""
    if sys.argv[1:2] and sys.argv[1] in _PARTS:
        _PARTS[sys.argv[1]](Path(sys.argv[2]))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    sizes = [int(word) for word in sys.argv[1:]] or list(_SIZES)
    first: dict[str, float] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            make_folder(root / "set", size)
            for part in _PARTS:
                if part == "judge":
                    make_answers(root)
                peak, took_s = _peak(part, root)
                ratio = peak / first.setdefault(part, peak)
                print(f"{size:>7,} items  {part:<6} {peak:6.1f} MiB  {ratio:.2f} x  {took_s:.1f} s")


if __name__ == "__main__":
    main()
