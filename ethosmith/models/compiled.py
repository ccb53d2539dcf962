# SPDX-License-Identifier: Apache-2.0
"""Read what Vela compiled: command stream, weights, scratch, inputs and outputs."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ethosmith.core.errors import EthosmithError
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec

_FOURCC = b"COP1"


@dataclass(frozen=True)
class PlacedTensor:
    """An input or output and its place: ``offset`` bytes from the base of NPU ``region``."""

    spec: TensorSpec
    region: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class Area:
    """Scratch memory of the NPU; regions are indices of its BASEP registers."""

    region: int
    size_bytes: int


@dataclass(frozen=True)
class CompiledNetwork:
    """One Vela raw file, joined with the names and quantisation of the int8 network.

    ``command_stream`` is the driver's payload and begins with ``COP1``.
    """

    command_stream: bytes
    weights: bytes
    weights_region: int
    scratch: Area
    scratch_fast: Area
    inputs: tuple[PlacedTensor, ...]
    outputs: tuple[PlacedTensor, ...]


def read_compiled(raw: Path, network: NetworkSpec) -> CompiledNetwork:
    """Read Vela's raw output of the int8 network ``network``.

    Raises:
        EthosmithError: the file is damaged, of another Vela, or of another network.
    """
    try:
        with np.load(raw, allow_pickle=False) as arrays:
            return _from_arrays(raw, arrays, network)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise EthosmithError(f"{raw}: not a raw file of Vela 5: {error}") from None


def _from_arrays(raw: Path, arrays: Any, network: NetworkSpec) -> CompiledNetwork:
    command_stream = _bytes_of(arrays["cmd_data"])
    if command_stream[:4] != _FOURCC:
        raise EthosmithError(f"{raw}: the command stream does not begin with COP1")
    return CompiledNetwork(
        command_stream=command_stream,
        weights=_bytes_of(arrays["weight_data"]),
        weights_region=int(arrays["weight_region"]),
        scratch=Area(int(arrays["scratch_region"]), int(arrays["scratch_size"])),
        scratch_fast=Area(int(arrays["scratch_fast_region"]), int(arrays["scratch_fast_size"])),
        inputs=_placed(raw, arrays, "input", network.inputs),
        outputs=_placed(raw, arrays, "output", network.outputs),
    )


def _bytes_of(array: np.ndarray[Any, Any]) -> bytes:
    """Return the bytes that Vela stored: one byte string (NULs at its end included), or uint8."""
    if array.dtype.kind == "S" or array.dtype == np.uint8:
        return array.tobytes()
    if array.size == 0:
        return b""
    raise ValueError(f"binary data of type {array.dtype}")


def _placed(
    raw: Path, arrays: Any, kind: str, specs: tuple[TensorSpec, ...]
) -> tuple[PlacedTensor, ...]:
    shapes, sizes = arrays[f"{kind}_shape"], arrays[f"{kind}_elem_size"]
    regions, offsets = arrays[f"{kind}_region"], arrays[f"{kind}_offset"]
    elements = [int(np.prod(shape)) for shape in shapes]
    if elements != [spec.element_count for spec in specs]:
        raise EthosmithError(
            f"{raw}: its {kind}s have {elements} elements, the int8 network's"
            f" {[spec.element_count for spec in specs]}; is it another network?"
        )
    return tuple(
        PlacedTensor(spec, int(region), int(offset), count * int(size))
        for spec, region, offset, count, size in zip(
            specs, regions, offsets, elements, sizes, strict=True
        )
    )
