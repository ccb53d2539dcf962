# SPDX-License-Identifier: Apache-2.0
"""The user's own files in place of a use case's: ``model=``, ``labels=``, ``samples=``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_text
from ethosmith.descriptors.usecase import UseCase
from ethosmith.descriptors.words import FORMAT_OF_SUFFIX, LABEL_LIMITS, SampleFormat
from ethosmith.graph.layout import OwnFiles, SelectedSample
from ethosmith.graph.options import split_builder
from ethosmith.graph.project import Project

# Which files can stand in for which of the descriptor's samples.
_ALIKE: Mapping[SampleFormat, frozenset[str]] = {
    "wav": frozenset({"wav", "flac"}),
    "flac": frozenset({"wav", "flac"}),
    "pcm16-python-list": frozenset({"wav", "flac"}),
    "image": frozenset({"image"}),
    "csv": frozenset({"csv"}),
    "npy": frozenset({"npy", "csv", "raw"}),
    "raw": frozenset({"raw"}),
}
# A SavedModel is a folder with this file; any other folder of model= holds networks.
_SAVED_MODEL = "saved_model.pb"
_MODEL_SUFFIXES = (".h5", ".keras", ".tflite", ".pt2", ".onnx")
_MAX_RUNS = 1000
_MAX_LABELS, _MAX_LABELS_BYTES = 10_000, 4 << 20
# Where samples are seeds, the application fills the network's inputs with them.
_IN_PLACE_OF_SEEDS: tuple[SampleFormat, ...] = ("npy",)


def own_files(project: Project, values: Mapping[str, str], usecase: UseCase) -> OwnFiles:
    """Return what the variables of the command line put in place of the use case's own.

    Raises:
        EthosmithError: a file is not there, or does not fit the use case.
    """
    file, builder = split_builder(values["model"])
    model = given_path(project, "model", file)
    labels, samples = (given_path(project, name, values[name]) for name in ("labels", "samples"))
    root = project.root
    return OwnFiles(
        model=model,
        builder=builder,
        labels=labels_of_file(root / labels, labels) if labels else None,
        labels_file=labels,
        samples=samples_of_folder(root / samples, samples, usecase) if samples else None,
        samples_folder=samples,
        runs=_runs(values, usecase),
    )


def _runs(values: Mapping[str, str], usecase: UseCase) -> int:
    text = values["runs"]
    if not text:
        return 0
    if values["samples"] or any(sample.seed is None for sample in usecase.samples):
        raise EthosmithError(
            f"runs={text}: only for use cases with seeded samples, without samples="
        )
    if not (text.isdecimal() and 0 < int(text) <= _MAX_RUNS):
        raise EthosmithError(f"runs={text}: give a number from 1 to {_MAX_RUNS}")
    return int(text)


def given_path(project: Project, option: str, given: str, *, is_made: bool = False) -> Path | None:
    """Return the path, relative to the project, that an option names; None: it is not given.

    Args:
        project: what a relative path is below.
        option: its name, for messages.
        given: its value.
        is_made: the path need not exist.
    """
    if not given:
        return None
    path = Path(given)
    if not is_made and not (project.root / path).exists():
        raise EthosmithError(f"{option}={path}: there is no such file")
    return project.relative(path)


def each_model(project: Project, own: OwnFiles, *, is_sweep: bool) -> list[OwnFiles]:
    """Return the user's files with each network, of the folder ``model=`` of a sweep.

    Raises:
        EthosmithError: it is a folder, and there is no sweep or no network in it.
    """
    folder = project.root / own.model if own.model else None
    if folder is None or not folder.is_dir() or (folder / _SAVED_MODEL).exists():
        return [own]
    if not is_sweep:
        raise EthosmithError(
            f"model={own.model}: a folder of networks needs the target 'sweep'; give a file"
        )
    try:
        models = sorted(path for path in folder.iterdir() if _is_model(path))
    except OSError as error:
        raise EthosmithError(f"model={own.model}: cannot be read: {error.strerror}") from None
    stems: dict[str, Path] = {}
    for path in models:
        other = stems.setdefault(path.stem, path)
        if other != path:
            raise EthosmithError(
                f"model={own.model}: {other.name} and {path.name} would have the same outputs;"
                " rename one"
            )
    if not models:
        raise EthosmithError(
            f"model={own.model}: no network in it; expected {', '.join(_MODEL_SUFFIXES)}"
        )
    return [own._replace(model=project.relative(path)) for path in models]


def _is_model(path: Path) -> bool:
    return path.suffix.lower() in _MODEL_SUFFIXES or (path / _SAVED_MODEL).is_file()


def labels_of_file(path: Path, shown: Path) -> tuple[str, ...]:
    """Return the labels in the file ``path``, one a line, in the order of the network's output.

    Args:
        path: the file; empty lines at its end do not count.
        shown: its name in messages.

    Raises:
        EthosmithError: it cannot be read, or a line is not a valid label.
    """
    text = read_text(path, limit_bytes=_MAX_LABELS_BYTES, encoding="utf-8-sig")
    lines = text.rstrip().splitlines()
    if len(lines) > _MAX_LABELS:
        raise EthosmithError(f"{shown}: {len(lines):,} labels, at most {_MAX_LABELS:,} are taken")
    for number, line in enumerate(lines, start=1):
        if not LABEL_LIMITS.allows(line.strip()):
            raise EthosmithError(
                f"{shown}:{number}: '{line.strip()[:64]}' is not a valid label: 1 to 64"
                ' characters, without ", \\ or control characters'
            )
    if not lines:
        raise EthosmithError(f"labels={shown}: the file is empty; give one label a line")
    return tuple(line.strip() for line in lines)


def samples_of_folder(folder: Path, shown: Path, usecase: UseCase) -> tuple[SelectedSample, ...]:
    """Return the files of ``folder`` as samples for ``usecase``; see `files_as_samples`.

    What the use case takes is known from the formats of its own samples.
    """
    return files_as_samples(folder, shown, f"the use case {usecase.name}", formats_of(usecase))


def files_as_samples(
    folder: Path, shown: Path, taken_by: str, formats: Iterable[SampleFormat]
) -> tuple[SelectedSample, ...]:
    """Return the files of ``folder`` as samples, in the order of their names.

    Args:
        folder: files whose names begin with a dot do not count.
        shown: its name in messages and in the build.
        taken_by: who takes them, for messages.
        formats: what that takes.

    Raises:
        EthosmithError: no folder, no file in it, or a file that the use case does not take.
    """
    if not folder.is_dir():
        raise EthosmithError(f"samples={shown}: there is no such folder")
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    if not files:
        raise EthosmithError(f"samples={shown}: the folder is empty")
    taken = suffixes_taken(formats)
    for file in files:
        if file.suffix.lower() not in taken:
            raise EthosmithError(
                f"{shown / file.name}: {taken_by} takes {', '.join(taken) or 'no'} files"
            )
    samples = tuple(_sample(file, shown) for file in files)
    names = [sample.name for sample in samples]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EthosmithError(f"samples={shown}: two files map to the same sample name '{twice[0]}'")
    return samples


def formats_of(usecase: UseCase) -> list[SampleFormat]:
    """Return the formats of the use case's own samples, which are what it takes."""
    if all(sample.seed is not None for sample in usecase.samples):
        return list(_IN_PLACE_OF_SEEDS)
    return [sample.format for sample in usecase.samples if sample.format]


def suffixes_taken(formats: Iterable[SampleFormat]) -> list[str]:
    """Return the ends of the names of files that can stand for samples of ``formats``."""
    alike = {kind for sample_format in formats for kind in _ALIKE[sample_format]}
    return [suffix for suffix, kind in FORMAT_OF_SUFFIX.items() if kind in alike]


def _sample(file: Path, shown: Path) -> SelectedSample:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", file.stem).strip("-_.") or "sample"
    return SelectedSample(
        name, file=shown / file.name, format=FORMAT_OF_SUFFIX[file.suffix.lower()]
    )
