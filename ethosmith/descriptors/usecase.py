# SPDX-License-Identifier: Apache-2.0
"""usecases/NAME/usecase.yaml: one network, its samples and its application on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from ethosmith.descriptors.accuracy import Accuracy
from ethosmith.descriptors.base import EMPTY, Descriptor, Strict
from ethosmith.descriptors.budget import Budget
from ethosmith.descriptors.inputs import ArrayInput, SoundInput
from ethosmith.descriptors.optimise import Optimise
from ethosmith.descriptors.origin import Origin
from ethosmith.descriptors.words import (
    FUNCTION_NAME,
    PARAMETER_NAME,
    Checked,
    Label,
    Limits,
    Name,
    RelativePath,
    SampleFormat,
    SampleName,
)

ParameterName = Annotated[str, Limits(pattern=PARAMETER_NAME)]


def _fits_c(value: bool | float | str) -> bool | float | str:
    if isinstance(value, int) and not -(2**31) <= value < 2**32:
        raise ValueError(f"{value} does not fit into 32 bits")
    if isinstance(value, float) and not abs(value) <= _FLOAT_MAX:
        raise ValueError("the number is beyond single precision")
    return value


_FLOAT_MAX = 3.4028234e38
ParameterValue = Annotated[bool | int | float | str, Checked(_fits_c)]
Size = Annotated[int, Limits(ge=1, le=65536)] | Literal["any"]
ResetState = Literal["sample", "inference", "never"]
FunctionName = Annotated[str, Limits(pattern=FUNCTION_NAME)]
Layout = Literal["nchw", "nhwc"]
Activations = Literal["int8", "int16"]
RuntimeName = Literal["direct", "prebuilt", "tflm", "executorch"]


class RandomInputs(Strict):
    """Seeded uniform inputs in ``[low, high)``, for a network without real samples.

    Attributes:
        seed: the same seed gives the same data.
        count: inputs to calibrate with.
        low: smallest value.
        high: every value is below it.
    """

    seed: Annotated[int, Limits(ge=0)]
    count: Annotated[int, Limits(ge=1, le=10000)] = 100
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")


class InputArrays(Strict):
    """Real inputs, for a network with several: `.npz` files with an array for each, by its name.

    Attributes:
        folder: with the files; each array holds one input, or several along its first axis.
    """

    folder: RelativePath


class Quantise(Strict):
    """How the float network becomes integers.

    Attributes:
        representative: data that sets the ranges of the network's tensors: `samples` (the use
            case's own, through its own pre-processing), seeded random inputs, or arrays in files.
        activations: of a PyTorch network, what is between its operators, and its inputs and
            outputs; weights are int8 with either.
    """

    representative: Literal["samples"] | RandomInputs | InputArrays = "samples"
    activations: Activations = "int8"


class Model(Strict):
    """The network.

    Attributes:
        name: in file names and on the device.
        source: the file.
        build: of a Python file that builds a PyTorch network, the function that returns it.
        weights: a PyTorch network's parameters: a file that `torch.save(net.state_dict(), ...)`
            wrote.
        layout: of a PyTorch network: `nchw`, with channels second inside and last in
            `input_shape` and for the application; or `nhwc`, nothing is moved.
        input_shape: what the pre-processing can fill, without the batch; `any` where it
            takes every size. Without it the use case takes every network, and its
            quantisation needs random inputs.
        reset_state: when the variables of a network that has any (LSTM, streaming networks)
            get their first values again: before each `sample`, whose windows are one sequence;
            before each `inference`; or `never`, so that all samples are one sequence.
    """

    name: Name
    source: Origin
    build: FunctionName = "build"
    weights: Origin | None = None
    layout: Layout = "nchw"
    input_shape: Annotated[tuple[Size, ...], Limits(min_length=1, max_length=5)] | None = None
    reset_state: ResetState = "sample"


class Vela(Strict):
    """Options of Vela beyond accelerator, system config and memory mode.

    Attributes:
        optimise: Vela's strategy.
        arena_cache_size_bytes: bound of the arena; Vela's memory mode has the default.
    """

    optimise: Literal["Performance", "Size"] = "Performance"
    arena_cache_size_bytes: Annotated[int, Limits(ge=1024)] | None = None


class MixPart(Strict):
    """Another sample inside a longer clip.

    Attributes:
        sample: its name; a file of sound.
        at_s: where in the clip it begins, in seconds.
    """

    sample: SampleName
    at_s: Annotated[float, Limits(ge=0)]


class Mix(Strict):
    """A longer clip, made from other samples over low noise.

    Attributes:
        duration_s: of the clip.
        noise_rms: root mean square of the white noise, in steps of 16-bit PCM; 0: silence.
        seed: of the noise.
        parts: what is heard when.
    """

    duration_s: Annotated[float, Limits(gt=0, le=600)]
    noise_rms: Annotated[float, Limits(ge=0, le=10000)] = 0.0
    seed: Annotated[int, Limits(ge=0)] = 0
    parts: Annotated[tuple[MixPart, ...], Limits(min_length=1)]


class TimedLabel(Strict):
    """A label in an answer of the form `yes@1.30s no@2.95s`.

    Attributes:
        label: one of `labels`.
        from_s: its time is this, in seconds, or later.
        to_s: its time is this or earlier.
    """

    label: Label
    from_s: Annotated[float, Limits(ge=0)]
    to_s: float

    def __post_init__(self) -> None:
        if not self.from_s <= self.to_s:
            raise ValueError(f"from_s {self.from_s} must not be above to_s {self.to_s}")


class Sample(Strict):
    """One input baked into the image: a file and its format, a mix of others, or a seed.

    Attributes:
        name: what the device prints.
        source: the file.
        format: how its bytes are read; see `ethosmith.lib.sample_formats`.
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
    seed: Annotated[int, Limits(ge=0, lt=1 << 32)] | None = None
    expect: Label | None = None
    expect_times: tuple[TimedLabel, ...] | None = None

    def __post_init__(self) -> None:
        if sum(origin is not None for origin in (self.source, self.mix, self.seed)) != 1:
            raise ValueError("give one of: source and format, mix, seed")
        if (self.source is None) != (self.format is None):
            raise ValueError("source and format go together")
        if self.expect is not None and self.expect_times is not None:
            raise ValueError("give expect or expect_times, not both")


class UseCase(Descriptor):
    """One network, its samples, and the application that feeds it and reads it.

    Attributes:
        model: the network.
        train: the script that made the model's file, for `scons train`.
        optimise: how it is conditioned first: pruned, clustered, trained for int8.
        quantise: how it becomes int8.
        vela: how it is compiled for the NPU.
        sound: the form of its sounds, if its samples are sounds.
        array: the form of its arrays, if its samples are .npy files.
        labels: class names, in the order of the network's output; `labels[]` in C.
        samples: inputs baked into the image; the device runs them in this order.
        sources: C and C++ files with the pre- and post-processing.
        libraries: libraries of libraries/ that those files include.
        parameters: numbers and texts for them: `window_ms: 30` is `WINDOW_MS` in C.
        runtimes: values of `runtime=` that can execute it. `prebuilt` has none of the sources on
            the device: it is for use cases whose samples are the network's inputs.
        accuracy: how right the network is, and how far it may fall, for `scons accuracy`.
        budgets: the most that its images may use; `scons` fails where one uses more.
        on_request: it is built only if it is named: `usecase=all` leaves it out.
    """

    model: Model
    train: RelativePath | None = None
    optimise: Optimise | None = None
    quantise: Quantise = Quantise()
    vela: Vela = Vela()
    sound: SoundInput | None = None
    array: ArrayInput | None = None
    labels: tuple[Label, ...] = ()
    samples: tuple[Sample, ...] = ()
    sources: Annotated[tuple[RelativePath, ...], Limits(min_length=1)]
    libraries: tuple[Name, ...] = ()
    parameters: Mapping[ParameterName, ParameterValue] = EMPTY
    runtimes: Annotated[tuple[RuntimeName, ...], Limits(min_length=1)] = ("direct", "tflm")
    accuracy: Accuracy | None = None
    budgets: tuple[Budget, ...] = ()
    on_request: bool = False

    @property
    def sample_form(self) -> dict[str, Any]:
        """The form that samples are brought to, as JSON can hold it."""
        form: dict[str, Any] = {"sound": self.sound.form} if self.sound else {}
        array = (self.array or ArrayInput()).form
        return {**form, "array": {**array, "shape": array["shape"] or self.model.input_shape}}

    @property
    def c_parameters(self) -> dict[str, bool | int | float | str]:
        """All that is a macro in application_parameters.h: `parameters`, and those of `sound`."""
        return {**(self.sound.parameters if self.sound else {}), **self.parameters}
