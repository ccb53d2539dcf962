# SPDX-License-Identifier: Apache-2.0
"""Gather an evaluation set: given files, a folder of labelled files, what a script makes.

A folder says its labels in one of two ways: each sub-folder has the name of the label of its
files, or a labels.csv in it has the columns ``file`` and ``label``.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ethosmith.accuracy.set_file import Item
from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.core.files import parsing, read_bytes, read_text, write_bytes, write_text
from ethosmith.descriptors.words import FORMAT_OF_SUFFIX
from ethosmith.installation import PYTHON_PATH
from ethosmith.lib.sample_formats import NO_FORM, SampleForm, read_sample

LABELS_FILE = "labels.csv"
_COLUMNS = ("file", "label")
_LONGEST_NAME = 80
_SCRIPT_TIME_LIMIT_S = 1800


@dataclass(frozen=True)
class LabelledFile:
    """A file and its label; ``where`` is the place that says so, for messages."""

    path: Path
    label: str
    where: str


@dataclass(frozen=True)
class Accepted:
    """What a use case takes.

    Attributes:
        suffixes: ends of file names, in lower case.
        labels: none: any text.
        form: what samples are brought to.
    """

    suffixes: tuple[str, ...]
    labels: tuple[str, ...]
    form: SampleForm = NO_FORM


@dataclass(frozen=True)
class Script:
    """A use case's generator of items."""

    path: Path
    seed: int
    count: int


def labelled_files(folder: Path) -> Iterator[LabelledFile]:
    """Yield the files of ``folder`` with their labels; names that begin with a dot do not count.

    Raises:
        EthosmithError: it is no such folder, holds no file, or a file without a label.
    """
    if not folder.is_dir():
        raise EthosmithError(f"{folder}: there is no such folder")
    listed = folder / LABELS_FILE
    found = _listed(listed) if listed.is_file() else _in_label_folders(folder)
    first = next(found, None)
    if first is None:
        raise EthosmithError(
            f"{folder}: no evaluation set: give a sub-folder of files for each label, or a"
            f" {LABELS_FILE} with the columns {' and '.join(_COLUMNS)}"
        )
    yield first
    yield from found


def _listed(path: Path) -> Iterator[LabelledFile]:
    text = read_text(path, encoding="utf-8-sig")
    with parsing(path, "table"):
        reader = csv.DictReader(text.splitlines(keepends=True))
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise EthosmithError(f"{path}:1: the column '{missing[0]}' is missing")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            name, label = row["file"] or "", (row["label"] or "").strip()
            if not name or not label:
                raise EthosmithError(f"{where}: expected a file and its label")
            file = path.parent / name
            if not file.is_file():
                raise EthosmithError(f"{where}: file not found: {file}")
            # The build watches the files below the folder, and no others.
            if not file.resolve().is_relative_to(path.parent.resolve()):
                raise EthosmithError(f"{where}: '{name}' is outside {path.parent}")
            yield LabelledFile(file, label, where)


def _in_label_folders(folder: Path) -> Iterator[LabelledFile]:
    labels = [folder / name for name in _visible(folder)]
    for entry in labels:
        if not entry.is_dir():
            raise EthosmithError(
                f"{entry}: its label is missing: put it into a folder of that name, or name it in"
                f" {folder / LABELS_FILE}"
            )
    for entry in labels:
        # Names alone: a path for each of 100,000 files would take tens of megabytes.
        for name in _visible(entry):
            path = entry / name
            if path.is_file():
                yield LabelledFile(path, entry.name, str(path))


def _visible(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208


def items_of_folder(folder: Path, accepted: Accepted) -> list[Item]:
    """Return the labelled files of ``folder`` as items, in the order of `labelled_files`.

    Raises:
        EthosmithError: as `labelled_files`, or a file or label that the use case does not take.
    """
    converted: Counter[str] = Counter()
    files = list(labelled_files(folder))
    items = [_item(folder, file, accepted, converted.update) for file in files]
    for text, count in sorted(converted.items()):
        sys.stdout.write(f"CONVERT   {folder}: {count} of {len(files)} files: {text}\n")
    return items


def _item(
    folder: Path,
    file: LabelledFile,
    accepted: Accepted,
    report: Callable[[Iterable[str]], None],
) -> Item:
    checked(file, accepted)
    shown = file.path.relative_to(folder) if file.path.is_relative_to(folder) else file.path
    kind = FORMAT_OF_SUFFIX[file.path.suffix.lower()]
    data = read_sample(file.path, kind, accepted.form, lambda text: report([text]))
    return Item(_name(shown), file.label, data)


def checked(file: LabelledFile, accepted: Accepted) -> LabelledFile:
    """Return ``file``; EthosmithError if the use case takes no such file, or has no such label."""
    suffix = file.path.suffix.lower()
    if suffix not in accepted.suffixes:
        raise EthosmithError(
            f"{file.where}: the use case takes {', '.join(accepted.suffixes) or 'no'} files,"
            f" not '{file.path.name}'"
        )
    if accepted.labels and file.label not in accepted.labels:
        raise EthosmithError(f"{file.where}: {unknown_name('label', file.label, accepted.labels)}")
    return file


class Namer:
    """Gives each item of a set a name of its own."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def name(self, path: Path) -> str:
        """Return the name of the item of a file."""
        return self.apart(_name(path))

    def apart(self, name: str) -> str:
        """Return ``name``, with a number behind it where it was taken before."""
        self._taken[name] = self._taken.get(name, 0) + 1
        return f"{name}-again{self._taken[name]}" if self._taken[name] > 1 else name


def _name(path: Path) -> str:
    text = re.sub(r"[^A-Za-z0-9_.-]+", "-", path.with_suffix("").as_posix())
    return text.strip("-_.")[:_LONGEST_NAME] or "item"


def generated_items(script: Script, given: Sequence[Item], accepted: Accepted) -> list[Item]:
    """Run the script and return what it made.

    Args:
        script: the script.
        given: the items named by the descriptor, which it may vary.
        accepted: what the use case takes; the script may also write .bin files, which hold a
            sample's bytes as the device takes them.

    Raises:
        EthosmithError: it fails, or does not make as many items as it should.
    """
    with tempfile.TemporaryDirectory(prefix="evaluation-") as temporary:
        folder, output = Path(temporary) / "given", Path(temporary) / "made"
        write_folder(folder, given)
        output.mkdir()
        _call(script, folder, output)
        suffixes = tuple(dict.fromkeys((*accepted.suffixes, ".bin")))
        made = items_of_folder(output, replace(accepted, suffixes=suffixes))
    if len(made) != script.count:
        raise EthosmithError(f"{script.path}: made {len(made)} items, not {script.count}")
    return made


def write_folder(folder: Path, items: Iterable[Item]) -> None:
    """Write items as files in the form of the device, and their labels.csv."""
    rows = [",".join(_COLUMNS)]
    for item in items:
        write_bytes(folder / f"{item.name}.bin", item.data)
        # A label has no quotes.
        rows.append(f'{item.name}.bin,"{item.expect}"')
    write_text(folder / LABELS_FILE, "\n".join(rows) + "\n")


def _call(script: Script, given: Path, output: Path) -> None:
    command = [sys.executable, str(script.path), "--seed", str(script.seed)]
    command += ["--count", str(script.count), "--given", str(given), "--output", str(output)]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": PYTHON_PATH},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SCRIPT_TIME_LIMIT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EthosmithError(f"{script.path}: no end after {_SCRIPT_TIME_LIMIT_S} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise EthosmithError(f"{script.path}: {said[-1].removeprefix('error: ')}")


def _named_apart(items: Iterable[Item]) -> list[Item]:
    """Return the items, each with a name of its own."""
    namer = Namer()
    return [Item(namer.apart(item.name), item.expect, item.data) for item in items]


def given_items(entries: Sequence[Mapping[str, str]], accepted: Accepted) -> list[Item]:
    """Return the items of ``entries``, each ``name``, ``expect`` and ``file`` (in device form).

    Raises:
        EthosmithError: a label that the use case does not have.
    """
    for entry in entries:
        if accepted.labels and entry["expect"] not in accepted.labels:
            problem = unknown_name("label", entry["expect"], accepted.labels)
            raise EthosmithError(
                f"evaluation item '{entry['name']}': {problem}; for other labels give"
                " evaluation=FOLDER"
            )
    return [Item(e["name"], e["expect"], read_bytes(Path(e["file"]))) for e in entries]


def collected(
    given: Sequence[Item], folder: Sequence[Item], script: Script | None, accepted: Accepted
) -> list[Item]:
    """Return all items, each with a name of its own.

    Args:
        given: those named by the descriptor, which the script may vary.
        folder: those of a folder.
        script: makes further ones.
        accepted: what the use case takes.

    Raises:
        EthosmithError: as `generated_items`, or there is none at all.
    """
    made = generated_items(script, given, accepted) if script else []
    items = [*given, *folder, *made]
    if not items:
        raise EthosmithError("the evaluation set is empty")
    return _named_apart(items)
