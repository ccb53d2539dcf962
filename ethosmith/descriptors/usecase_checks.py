# SPDX-License-Identifier: Apache-2.0
"""Read a usecase.yaml, and find where it contradicts itself or the files around it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ethosmith.core.errors import did_you_mean, unknown_name
from ethosmith.descriptors.accuracy import Accuracy, EvaluationItem
from ethosmith.descriptors.base import Location, Problem
from ethosmith.descriptors.inputs import SOUND_FORMATS
from ethosmith.descriptors.load import NOTHING_PARSED, Parsed, load
from ethosmith.descriptors.optimise import Optimise, stage_problems
from ethosmith.descriptors.origin import Origin
from ethosmith.descriptors.usecase import Sample, UseCase


def load_usecase(
    path: Path,
    libraries: Collection[str],
    packages: Collection[str],
    parsed: Parsed = NOTHING_PARSED,
) -> UseCase:
    """Read a usecase.yaml and check that it agrees with itself and the files around it.

    Args:
        path: its file.
        libraries: names of the libraries that it may use.
        packages: names of the packages that its files may come from.
        parsed: what was validated before.

    Raises:
        EthosmithError: with file, line and column of the first fault.
    """

    def problems(usecase: UseCase) -> Iterator[Problem]:
        yield from _label_problems(usecase)
        yield from _sound_problems(usecase)
        yield from _mix_problems(usecase)
        if usecase.model.input_shape is None and usecase.quantise.representative == "samples":
            yield Problem(("model",), _NO_SHAPE)
        yield from _file_problems(usecase, path.parent)
        if usecase.optimise is not None:
            yield from _optimise_problems(usecase.optimise, path.parent)
        yield from _accuracy_problems(usecase, path.parent)
        for index, library in enumerate(usecase.libraries):
            if library not in libraries:
                yield Problem(("libraries", index), unknown_name("library", library, libraries))
        for where, origin in _origins(usecase):
            if origin.package and origin.package not in packages:
                message = unknown_name("package", origin.package, packages)
                yield Problem((*where, "package"), message)

    return load(UseCase, path, problems, parsed)


_NO_SHAPE = (
    "without input_shape the samples cannot stand for the network's inputs: add it, or"
    " 'quantise: {representative: {seed: 0}}'"
)


def _label_problems(usecase: UseCase) -> Iterator[Problem]:
    if not usecase.samples:
        # A run without a sample would pass, and prove nothing.
        yield Problem(("samples",), "give at least one sample; without a file, one with a seed")
    names = [sample.name for sample in usecase.samples]
    yield from _repeated("label", ("labels",), (), usecase.labels)
    yield from _repeated("sample", ("samples",), ("name",), names)
    if usecase.labels:
        for where, label in _expected_labels(usecase):
            if label not in usecase.labels:
                yield Problem(where, unknown_name("label", label, usecase.labels))


def _expected_labels(usecase: UseCase) -> Iterator[tuple[Location, str]]:
    for index, sample in enumerate(usecase.samples):
        if sample.expect is not None:
            yield ("samples", index, "expect"), sample.expect
        for number, timed in enumerate(sample.expect_times or ()):
            yield ("samples", index, "expect_times", number, "label"), timed.label


_NO_SOUND = "a sound needs the form that it is taken in: add 'sound: {rate_hz: 16000}'"


def _sound_problems(usecase: UseCase) -> Iterator[Problem]:
    if usecase.sound is None:
        for where, item in _samples_and_items(usecase):
            if item.format in SOUND_FORMATS:
                yield Problem((*where, "format"), _NO_SOUND)
        return
    for name in usecase.sound.parameters.keys() & usecase.parameters.keys():
        yield Problem(("parameters", name), "it comes from 'sound': remove it here")


def _samples_and_items(usecase: UseCase) -> Iterator[tuple[Location, Sample | EvaluationItem]]:
    for index, sample in enumerate(usecase.samples):
        yield ("samples", index), sample
    for index, item in enumerate(usecase.accuracy.items if usecase.accuracy else ()):
        yield ("accuracy", "items", index), item


def _mix_problems(usecase: UseCase) -> Iterator[Problem]:
    sounds = [sample.name for sample in usecase.samples if sample.format in SOUND_FORMATS]
    for index, sample in enumerate(usecase.samples):
        if sample.mix and (usecase.sound is None or usecase.sound.channels != 1):
            yield Problem(("samples", index, "mix"), "a mix needs 'sound:' of one channel")
        for number, part in enumerate(sample.mix.parts if sample.mix else ()):
            if part.sample not in sounds:
                message = unknown_name("sample with a file of sound", part.sample, sounds)
                yield Problem(("samples", index, "mix", "parts", number, "sample"), message)


def _accuracy_problems(usecase: UseCase, folder: Path) -> Iterator[Problem]:
    accuracy = usecase.accuracy
    if accuracy is None:
        return
    if usecase.model.reset_state == "never":
        message = "an evaluation takes items in any order: it needs 'sample' or 'inference'"
        yield Problem(("model", "reset_state"), message)
    for name in {"minimum", "maximum"} - {accuracy.limit[0]}:
        if getattr(accuracy, name) is not None:
            message = f"{name} is not a limit of {accuracy.metric}; use {accuracy.limit[0]}"
            yield Problem(("accuracy", name), message)
    yield from _item_problems(usecase, accuracy)
    if accuracy.path is not None:
        yield from _missing_file(("accuracy", "path"), folder, accuracy.path)
    if accuracy.generate is not None:
        where = ("accuracy", "generate", "script")
        yield from _missing_file(where, folder, accuracy.generate.script)


def _item_problems(usecase: UseCase, accuracy: Accuracy) -> Iterator[Problem]:
    if accuracy.samples and all(sample.expect is None for sample in usecase.samples):
        yield Problem(("accuracy", "samples"), "no sample says what to expect")
    names = [sample.name for sample in usecase.samples]
    names += [item.name for item in accuracy.items]
    known = accuracy.classes or usecase.labels
    for index, item in enumerate(accuracy.items):
        where = ("accuracy", "items", index)
        if names.count(item.name) > 1:
            yield Problem((*where, "name"), f"the sample '{item.name}' is there twice")
        if known and item.expect not in known:
            yield Problem((*where, "expect"), unknown_name("label", item.expect, known))


def _repeated(kind: str, where: Location, key: Location, names: Sequence[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem((*where, index, *key), f"the {kind} '{name}' is there twice")


def _file_problems(usecase: UseCase, folder: Path) -> Iterator[Problem]:
    for index, source in enumerate(usecase.sources):
        yield from _missing_file(("sources", index), folder, source)
    if usecase.train is not None:
        yield from _missing_file(("train",), folder, usecase.train)
    for where, origin in _origins(usecase):
        if origin.path:
            yield from _missing_file((*where, "path"), folder, origin.path)


def _optimise_problems(optimise: Optimise, folder: Path) -> Iterator[Problem]:
    yield from stage_problems(optimise)
    if optimise.fine_tune is not None:
        yield from _missing_file(("optimise", "fine_tune"), folder, optimise.fine_tune)
    for index, name in enumerate(optimise.reads):
        yield from _missing_file(("optimise", "reads", index), folder, name)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # A name that is too long for the file system.
        return False


def _names_beside(path: Path) -> list[str]:
    try:
        return sorted(other.name for other in path.parent.iterdir())
    except OSError:
        return []


def _missing_file(where: Location, folder: Path, name: str) -> Iterator[Problem]:
    path = folder / name
    if not _is_there(path):
        hint = did_you_mean(path.name, _names_beside(path))
        yield Problem(where, f"file not found: {path}{hint}")


def _origins(usecase: UseCase) -> Iterator[tuple[Location, Origin]]:
    yield ("model", "source"), usecase.model.source
    if usecase.model.weights is not None:
        yield ("model", "weights"), usecase.model.weights
    for index, sample in enumerate(usecase.samples):
        if sample.source is not None:
            yield ("samples", index, "source"), sample.source
    for index, item in enumerate(usecase.accuracy.items if usecase.accuracy else ()):
        yield ("accuracy", "items", index, "source"), item.source
