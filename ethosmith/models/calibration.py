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
from ethosmith.core.files import read_bytes
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
