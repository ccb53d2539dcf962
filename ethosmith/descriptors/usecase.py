# SPDX-License-Identifier: Apache-2.0
"""usecases/NAME/usecase.yaml: one network, its samples and its application on the device."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ethosmith.core.nearest import did_you_mean, unknown_name
from ethosmith.descriptors.accuracy import Accuracy
from ethosmith.descriptors.base import (
    PARAMETER_NAME,
    Descriptor,
    Label,
    Name,
    RelativePath,
    SampleFormat,
    SampleName,
    Strict,
)
from ethosmith.descriptors.origin import Origin
from ethosmith.descriptors.validation import Problem, load
from ethosmith.descriptors.yaml_source import Location

ParameterName = Annotated[str, StringConstraints(pattern=PARAMETER_NAME)]


def _fits_c(value: bool | float | str) -> bool | float | str:
    if isinstance(value, int) and not -(2**31) <= value < 2**32:
        raise ValueError(f"{value} does not fit into 32 bits")
    if isinstance(value, float) and not abs(value) <= _FLOAT_MAX:
        raise ValueError("the number is beyond single precision")
    return value


_FLOAT_MAX = 3.4028234e38
ParameterValue = Annotated[bool | int | float | str, AfterValidator(_fits_c)]
Size = Annotated[int, Field(ge=1, le=65536)] | Literal["any"]
RuntimeName = Literal["direct", "prebuilt", "tflm"]
SOUND_FORMATS: frozenset[SampleFormat] = frozenset({"wav", "pcm16-python-list"})


class RandomInputs(Strict):
    """Seeded uniform inputs in ``[low, high)``, for a network without real samples.

    Attributes:
        seed: the same seed gives the same data.
        count: inputs to calibrate with.
        low: smallest value.
        high: every value is below it.
    """

    seed: Annotated[int, Field(ge=0)]
    count: Annotated[int, Field(ge=1, le=10000)] = 100
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _range(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        return self


class Quantise(Strict):
    """How the float network becomes int8.

    Attributes:
        representative: data that sets the ranges of the network's tensors: `samples` (the use
            case's own, through its own pre-processing), or seeded random inputs.
    """

    representative: Literal["samples"] | RandomInputs = "samples"


class Model(Strict):
    """The network.

    Attributes:
        name: in file names and on the device.
        source: the file.
        input_shape: what the pre-processing can fill, without the batch; `any` where it
            takes every size. Without it the use case takes every network, and its
            quantisation needs random inputs.
    """

    name: Name
    source: Origin
    input_shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=5)] | None = None


class Vela(Strict):
    """Options of Vela beyond accelerator, system config and memory mode.

    Attributes:
        optimise: Vela's strategy.
        arena_cache_size_bytes: bound of the arena; Vela's memory mode has the default.
    """

    optimise: Literal["Performance", "Size"] = "Performance"
    arena_cache_size_bytes: Annotated[int, Field(ge=1024)] | None = None


class MixPart(Strict):
    """Another sample inside a longer clip.

    Attributes:
        sample: its name; a file of sound.
        at_s: where in the clip it begins, in seconds.
    """

    sample: SampleName
    at_s: Annotated[float, Field(ge=0)]


class Mix(Strict):
    """A longer clip, made from other samples over low noise.

    Attributes:
        rate_hz: samples a second, of the clip and of its parts.
        duration_s: of the clip.
        noise_rms: root mean square of the white noise, in steps of 16-bit PCM; 0: silence.
        seed: of the noise.
        parts: what is heard when.
    """

    rate_hz: Annotated[int, Field(ge=1000, le=192000)]
    duration_s: Annotated[float, Field(gt=0, le=600)]
    noise_rms: Annotated[float, Field(ge=0, le=10000)] = 0.0
    seed: Annotated[int, Field(ge=0)] = 0
    parts: Annotated[tuple[MixPart, ...], Field(min_length=1)]


class TimedLabel(Strict):
    """A label in an answer of the form `yes@1.30s no@2.95s`.

    Attributes:
        label: one of `labels`.
        from_s: its time is this, in seconds, or later.
        to_s: its time is this or earlier.
    """

    label: Label
    from_s: Annotated[float, Field(ge=0)]
    to_s: float

    @model_validator(mode="after")
    def _range(self) -> Self:
        if not self.from_s <= self.to_s:
            raise ValueError(f"from_s {self.from_s} must not be above to_s {self.to_s}")
        return self


class Sample(Strict):
    """One input baked into the image: a file and its format, a mix of others, or a seed.

    Attributes:
        name: what the device prints.
        source: the file.
        format: how its bytes are read; see `ethosmith.codegen.sample_formats`.
        mix: the clip to make from other samples.
        seed: a number from which the application makes its input; four bytes in the image.
        expect: the answer that the smoke test wants; none: only the tensors are compared.
        expect_times: the labels that the smoke test wants to be reported, in this order and no
            others, each within its time.
    """

    name: SampleName
    source: Origin | None = None
    format: SampleFormat | None = None
    mix: Mix | None = None
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] | None = None
    expect: Label | None = None
    expect_times: tuple[TimedLabel, ...] | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.source, self.mix, self.seed)) != 1:
            raise ValueError("give one of: source and format, mix, seed")
        if (self.source is None) != (self.format is None):
            raise ValueError("source and format go together")
        if self.expect is not None and self.expect_times is not None:
            raise ValueError("give expect or expect_times, not both")
        return self


class UseCase(Descriptor):
    """One network, its samples, and the application that feeds it and reads it.

    Attributes:
        schema_: version of this format.
        name: the folder's name.
        title: one line for people.
        model: the network.
        train: the script that made the model's file, for `scons train`.
        quantise: how it becomes int8.
        vela: how it is compiled for the NPU.
        labels: class names, in the order of the network's output; `labels[]` in C.
        samples: inputs baked into the image; the device runs them in this order.
        sources: C and C++ files with the pre- and post-processing.
        libraries: libraries of libraries/ that those files include.
        parameters: numbers and texts for them: `window_ms: 30` is `WINDOW_MS` in C.
        runtimes: values of `runtime=` that can execute it. `prebuilt` has none of the sources on
            the device: it is for use cases whose samples are the network's inputs.
        accuracy: how right the network is, and how far it may fall, for `scons accuracy`.
    """

    model: Model
    train: RelativePath | None = None
    quantise: Quantise = Quantise()
    vela: Vela = Vela()
    labels: tuple[Label, ...] = ()
    samples: tuple[Sample, ...] = ()
    sources: Annotated[tuple[RelativePath, ...], Field(min_length=1)]
    libraries: tuple[Name, ...] = ()
    parameters: Mapping[ParameterName, ParameterValue] = Field(default_factory=dict)
    runtimes: Annotated[tuple[RuntimeName, ...], Field(min_length=1)] = ("direct", "tflm")
    accuracy: Accuracy | None = None


def load_usecase(path: Path, libraries: Collection[str], packages: Collection[str]) -> UseCase:
    """Read a usecase.yaml and check that it agrees with itself and the files around it.

    Args:
        path: its file.
        libraries: names of the libraries that it may use.
        packages: names of the packages that its files may come from.

    Raises:
        EthosmithError: with file, line and column of the first fault.
    """

    def problems(usecase: UseCase) -> Iterator[Problem]:
        yield from _label_problems(usecase)
        yield from _mix_problems(usecase)
        if usecase.model.input_shape is None and usecase.quantise.representative == "samples":
            yield Problem(("model",), _NO_SHAPE)
        yield from _file_problems(usecase, path.parent)
        yield from _accuracy_problems(usecase, path.parent)
        for index, library in enumerate(usecase.libraries):
            if library not in libraries:
                yield Problem(("libraries", index), unknown_name("library", library, libraries))
        for where, origin in _origins(usecase):
            if origin.package and origin.package not in packages:
                message = unknown_name("package", origin.package, packages)
                yield Problem((*where, "package"), message)

    return load(UseCase, path, problems)


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


def _mix_problems(usecase: UseCase) -> Iterator[Problem]:
    sounds = [sample.name for sample in usecase.samples if sample.format in SOUND_FORMATS]
    for index, sample in enumerate(usecase.samples):
        for number, part in enumerate(sample.mix.parts if sample.mix else ()):
            if part.sample not in sounds:
                message = unknown_name("sample with a file of sound", part.sample, sounds)
                yield Problem(("samples", index, "mix", "parts", number, "sample"), message)


def _accuracy_problems(usecase: UseCase, folder: Path) -> Iterator[Problem]:
    accuracy = usecase.accuracy
    if accuracy is None:
        return
    for name in {"minimum", "maximum"} - {accuracy.limit[0]}:
        if getattr(accuracy, name) is not None:
            message = f"{name} is no limit of {accuracy.metric}: give {accuracy.limit[0]}"
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
            yield Problem((*where, "name"), f"the sample '{item.name}' stands there twice")
        if known and item.expect not in known:
            yield Problem((*where, "expect"), unknown_name("label", item.expect, known))


def _repeated(kind: str, where: Location, key: Location, names: Sequence[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem((*where, index, *key), f"the {kind} '{name}' stands there twice")


def _file_problems(usecase: UseCase, folder: Path) -> Iterator[Problem]:
    for index, source in enumerate(usecase.sources):
        yield from _missing_file(("sources", index), folder, source)
    if usecase.train is not None:
        yield from _missing_file(("train",), folder, usecase.train)
    for where, origin in _origins(usecase):
        if origin.path:
            yield from _missing_file((*where, "path"), folder, origin.path)


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
        yield Problem(where, f"there is no file {path}{hint}")


def _origins(usecase: UseCase) -> Iterator[tuple[Location, Origin]]:
    yield ("model", "source"), usecase.model.source
    for index, sample in enumerate(usecase.samples):
        if sample.source is not None:
            yield ("samples", index, "source"), sample.source
    for index, item in enumerate(usecase.accuracy.items if usecase.accuracy else ()):
        yield ("accuracy", "items", index, "source"), item.source
