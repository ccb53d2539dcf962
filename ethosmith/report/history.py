# SPDX-License-Identifier: Apache-2.0
"""The figures of the builds before: what `diff` compares with.

build/history/ has a file of JSON lines for each image of each configuration, oldest build first.
A build whose image and figures are those of the line before adds none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, read_json, write_text
from ethosmith.report.comparison import Figures

MAX_ENTRIES = 200
# What JSON of another form raises.
_NONSENSE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
_MAX_BYTES = 8 << 20
_SCHEMA = 1
_ACCURACY = "accuracy."


@dataclass(frozen=True)
class Entry:
    """One image of one build.

    Attributes:
        image: its path below build/, without suffix: platform, configuration, use case.
        revision: the commit of the project; empty where files differed from it.
        axf_sha256: of the image's file.
        simulator: what it ran on; cycles of different ones do not compare.
        figures: bytes, cycles, instructions, data beats; ``accuracy.METRIC`` where it was measured.
        answers: of the device, by sample.
    """

    image: str
    revision: str
    axf_sha256: str
    simulator: str
    figures: Mapping[str, float]
    answers: Mapping[str, str]

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes it another build than the one before."""
        figures = {n: v for n, v in self.figures.items() if not n.startswith(_ACCURACY)}
        return self.axf_sha256, self.simulator, figures, self.answers


def entry_of(figures: Figures, build: Path, revision: str, accuracy: Path | None = None) -> Entry:
    """Return the entry of an image that ran.

    Args:
        figures: of the image and its last run.
        build: the folder build/.
        revision: the commit that all files are those of; empty: of none.
        accuracy: NAME_accuracy.json, where it was measured in this build.

    Raises:
        EthosmithError: files of the image are another version's.
    """
    manifest = read_json(Path(f"{figures.stem}_manifest.json"))
    axf = Path(f"{figures.stem}.axf").as_posix()
    made = {**manifest["outputs"], **manifest["made"]}
    return Entry(
        image=figures.stem.relative_to(build).as_posix(),
        revision=revision,
        axf_sha256=made.get(axf, {}).get("sha256", ""),
        simulator=figures.simulator,
        figures={**_numbers(figures), **_accuracy(accuracy)},
        answers=dict(figures.answers),
    )


def _numbers(figures: Figures) -> dict[str, float]:
    found: dict[str, float] = {"flash_bytes": figures.flash_bytes, "ram_bytes": figures.ram_bytes}
    found |= {f"{region}_bytes": used for region, used in figures.used_bytes.items() if used}
    if figures.on_npu:
        found |= {"npu_cycles": figures.npu_cycles, **figures.beats}
    if figures.estimate is not None:
        found["vela_cycles"] = figures.estimate.cycles
    if figures.cpu_instructions is not None:
        found["cpu_instructions"] = figures.cpu_instructions
    return found


def _accuracy(path: Path | None) -> dict[str, float]:
    if path is None:
        return {}
    result = read_json(path)
    return {f"{_ACCURACY}{result['metric']}": result["values"]["device"]}


class History:
    """The builds before.

    Args:
        folder: where it is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _file(self, image: str) -> Path:
        return self._folder / f"{image}.jsonl"

    def entries(self, image: str) -> list[Entry]:
        """Return the builds of an image, oldest first.

        Raises:
            EthosmithError: the file is damaged.
        """
        file = self._file(image)
        if not file.is_file():
            return []
        lines = read_bytes(file, limit_bytes=_MAX_BYTES).decode("utf-8", "replace").splitlines()
        try:
            return [entry_from(json.loads(line)) for line in lines]
        except _NONSENSE:
            raise EthosmithError(f"{file}: damaged, or another version's; remove it") from None

    def add(self, entry: Entry) -> None:
        """Add a build, or what was measured since to the same build."""
        known = self.entries(entry.image)
        if known and known[-1].identity == entry.identity:
            figures = {**known[-1].figures, **entry.figures}
            revision = entry.revision or known[-1].revision
            entry = replace(entry, figures=figures, revision=revision)
            if known[-1] == entry:
                return
            known.pop()
        lines = [json.dumps(asdict(one), sort_keys=True) for one in [*known, entry][-MAX_ENTRIES:]]
        file = self._file(entry.image)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, "\n".join(lines) + "\n")

    def before(self, entry: Entry) -> Entry | None:
        """Return the last build that differs from ``entry``; None: there is none."""
        others = (e for e in reversed(self.entries(entry.image)) if e.identity != entry.identity)
        return next(others, None)

    def at_revision(self, image: str, revision: str) -> Entry | None:
        """Return the last build of a commit; None: there is none."""
        found = (e for e in reversed(self.entries(image)) if e.revision == revision)
        return next(found, None)


def entry_from(data: Any) -> Entry:
    """Return an entry from JSON; one of `_NONSENSE` if it is none."""
    figures = {str(name): value for name, value in data["figures"].items()}
    if not all(isinstance(value, int | float) for value in figures.values()):
        raise ValueError("a figure is not a number")
    return Entry(
        image=str(data["image"]),
        revision=str(data["revision"]),
        axf_sha256=str(data["axf_sha256"]),
        simulator=str(data["simulator"]),
        figures=figures,
        answers={str(name): str(answer) for name, answer in data["answers"].items()},
    )


def read_baseline(text: bytes, label: str) -> dict[str, Entry]:
    """Return the builds of a saved baseline, a document of ``diff format=json``, by image.

    Args:
        text: the document.
        label: what messages call it.

    Raises:
        EthosmithError: it is no such document.
    """
    try:
        document = json.loads(text)
        if document["schema"] != _SCHEMA:
            raise ValueError("another version")
        entries: Iterable[Entry] = [entry_from(image["now"]) for image in document["images"]]
    except _NONSENSE:
        raise EthosmithError(
            f"{label}: not a baseline; expected what 'diff format=json' prints"
        ) from None
    return {entry.image: entry for entry in entries}
