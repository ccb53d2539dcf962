# SPDX-License-Identifier: Apache-2.0
"""Data that calibrates a quantisation: the samples' own inputs, or seeded random ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_DATA_BYTES, check_readable, parsing, read_bytes
from ethosmith.models.keras_model import GivenInput

Array = npt.NDArray[Any]
# By the inputs' names, since a .tflite has them in another order than the model; one alone is
# a list.
Batch = list[Array] | dict[str, Array]


@dataclass(frozen=True)
class RandomData:
    """Uniform random inputs in ``[low, high)``, the same for the same seed."""

    seed: int
    count: int
    low: float
    high: float


def from_files(
    files: Sequence[Path], inputs: Sequence[GivenInput]
) -> Callable[[], Iterator[Batch]]:
    """Return a generator over raw float32 files, little endian.

    Args:
        files: one file per sample, as the host's pre-processing wrote it: one input tensor
            for each of the sample's windows.
        inputs: the network's; exactly one.

    Raises:
        EthosmithError: the network has several inputs, or a file has another size.
    """
    if len(inputs) != 1:
        raise EthosmithError(
            f"the network has {len(inputs)} inputs; samples can stand for one only:"
            " use 'representative: {seed: 0}'"
        )
    shape = inputs[0].shape
    tensors = [tensor for file in files for tensor in _read(file, shape)]
    return lambda: ([tensor] for tensor in tensors)


def _read(file: Path, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return the windows of one sample; each has the network's shape."""
    values = np.frombuffer(read_bytes(file), dtype="<f4")
    wanted = int(np.prod(shape))
    if values.size == 0 or values.size % wanted:
        raise EthosmithError(
            f"{file}: pre-processing gives {values.size} values, the network's input"
            f" {'x'.join(map(str, shape))} wants {wanted}"
        )
    return values.reshape(-1, *shape)


def from_arrays(
    files: Sequence[Path], inputs: Sequence[GivenInput]
) -> Callable[[], Iterator[Batch]]:
    """Return a generator over the inputs in .npz files, each with an array for each input.

    Args:
        files: arrays are named as the network's inputs; one holds an input, or several along its
            first axis, as many in all arrays of the file.
        inputs: the network's; integers go to those that take integers, numbers to the others.

    Raises:
        EthosmithError: a file is none, or lacks an input, or has one of another form.
    """
    batches = [batch for file in files for batch in _batches(file, inputs)]
    if len(inputs) == 1:
        return lambda: ([batch[inputs[0].name]] for batch in batches)
    return lambda: iter(batches)


def _batches(file: Path, inputs: Sequence[GivenInput]) -> list[dict[str, Array]]:
    check_readable(file, limit_bytes=MAX_DATA_BYTES)
    with parsing(file, ".npz file"), np.load(file, allow_pickle=False) as arrays:
        if sum(one.file_size for one in arrays.zip.infolist()) > MAX_DATA_BYTES:
            raise EthosmithError(f"{file}: more than {MAX_DATA_BYTES:,} bytes when unpacked")
        found = {name: np.asarray(arrays[name]) for name in arrays.files}
    wanted = [one.name for one in inputs]
    if sorted(found) != sorted(wanted):
        raise EthosmithError(
            f"{file}: has the arrays {', '.join(sorted(found)) or 'none'}; the network's inputs are"
            f" {', '.join(sorted(wanted))}"
        )
    taken = {one.name: _taken(file, found[one.name], one) for one in inputs}
    counts = {name: len(values) for name, values in taken.items()}
    if len(set(counts.values())) != 1:
        counted = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise EthosmithError(f"{file}: holds different numbers of inputs: {counted}")
    rows = zip(*(taken[name] for name in wanted), strict=True)
    return [dict(zip(wanted, row, strict=True)) for row in rows]


def _taken(file: Path, values: Array, given: GivenInput) -> list[Array]:
    """Return the inputs that an array holds, each with its batch of 1."""
    one = given.shape[1:]
    if values.shape[-len(one) :] != one and one:
        shape = "x".join(map(str, values.shape)) or "a scalar"
        raise EthosmithError(
            f"{file}: {given.name} is {shape}; the network's input is {'x'.join(map(str, one))},"
            " and several of them are along a first axis"
        )
    if given.is_integer:
        if values.dtype.kind not in "iu":
            raise EthosmithError(
                f"{file}: {given.name} has {values.dtype}; the input takes integers"
            )
        if values.size and (values.min() < 0 or values.max() >= given.end):
            raise EthosmithError(
                f"{file}: {given.name} is from {values.min()} to {values.max()}; the input takes 0"
                f" to {given.end - 1}"
            )
    elif values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise EthosmithError(f"{file}: {given.name} is not all finite numbers ({values.dtype})")
    rows = values.astype(given.dtype).reshape(-1, *given.shape)
    if not len(rows):
        raise EthosmithError(f"{file}: {given.name} is empty")
    return list(rows)


def from_random(data: RandomData, inputs: Sequence[GivenInput]) -> Callable[[], Iterator[Batch]]:
    """Return a generator over ``data.count`` batches of seeded uniform random inputs."""

    def batches() -> Iterator[Batch]:
        random = np.random.default_rng(data.seed)
        for _ in range(data.count):
            drawn = [_drawn(random, data, one) for one in inputs]
            if len(inputs) == 1:
                yield drawn
            else:
                yield dict(zip((one.name for one in inputs), drawn, strict=True))

    return batches


def _drawn(random: np.random.Generator, data: RandomData, given: GivenInput) -> Array:
    if given.is_integer:
        return random.integers(0, given.end, given.shape).astype(given.dtype)
    return random.uniform(data.low, data.high, given.shape).astype(given.dtype)


Representative = Callable[[Sequence[GivenInput]], Callable[[], Iterator[Batch]]]
