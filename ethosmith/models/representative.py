# SPDX-License-Identifier: Apache-2.0
"""Representative data for post-training quantisation: real samples, or seeded random."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError

Batch = list[npt.NDArray[np.float32]]


@dataclass(frozen=True)
class RandomData:
    """Uniform random inputs in ``[low, high)``, the same for the same seed."""

    seed: int
    count: int
    low: float
    high: float


def from_files(
    files: Sequence[Path], shapes: Sequence[tuple[int, ...]]
) -> Callable[[], Iterator[Batch]]:
    """Return a generator over raw float32 files, little endian.

    Args:
        files: one file per sample, as the host's pre-processing wrote it: one input tensor
            for each of the sample's windows.
        shapes: the network's input shapes including a batch of 1; exactly one.

    Raises:
        EthosmithError: the network has several inputs, or a file has another size.
    """
    if len(shapes) != 1:
        raise EthosmithError(
            f"the network has {len(shapes)} inputs; samples can stand for one only:"
            " use 'representative: {seed: 0}'"
        )
    shape = shapes[0]
    tensors = [tensor for file in files for tensor in _read(file, shape)]
    return lambda: ([tensor] for tensor in tensors)


def _read(file: Path, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return the windows of one sample; each has the network's shape."""
    values = np.frombuffer(file.read_bytes(), dtype="<f4")
    wanted = int(np.prod(shape))
    if values.size == 0 or values.size % wanted:
        raise EthosmithError(
            f"{file}: pre-processing gives {values.size} values, the network's input"
            f" {'x'.join(map(str, shape))} wants {wanted}"
        )
    return values.reshape(-1, *shape)


def from_random(
    data: RandomData, shapes: Sequence[tuple[int, ...]]
) -> Callable[[], Iterator[Batch]]:
    """Return a generator over ``data.count`` batches of seeded uniform random inputs."""

    def batches() -> Iterator[Batch]:
        random = np.random.default_rng(data.seed)
        for _ in range(data.count):
            yield [random.uniform(data.low, data.high, s).astype(np.float32) for s in shapes]

    return batches
