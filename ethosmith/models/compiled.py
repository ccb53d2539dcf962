# SPDX-License-Identifier: Apache-2.0
"""Read what Vela compiled: command stream, weights, scratch, inputs and outputs."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_DATA_BYTES, check_readable, parsing, read_bytes
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec

_FOURCC = b"COP1"
# Our own array in Vela's file.
VARIABLE_ZERO_POINT = "variable_zero_point"
# Vela's mark of an input that is not needed is 2^64 - 1; numpy may have rounded it.
_NO_OFFSET = 1 << 32
_ALIGNMENT_BYTES = 16


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
class Variable:
    """State that the network keeps from one inference to the next, and its first value.

    Attributes:
        region: NPU region that holds it.
        offset: from the base of the region, in bytes.
        size_bytes: of all its elements.
        element_bytes: of one of them.
        zero_point: the element that stands for 0, which all of them are at first.
    """

    region: int
    offset: int
    size_bytes: int
    element_bytes: int
    zero_point: int


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
    variables: tuple[Variable, ...] = ()


def read_compiled(raw: Path, network: NetworkSpec) -> CompiledNetwork:
    """Read Vela's raw output of the int8 network ``network``.

    Raises:
        EthosmithError: the file is damaged, of another Vela, or of another network.
    """
    check_readable(raw, limit_bytes=MAX_DATA_BYTES)
    with parsing(raw, "raw file of Vela 5"), np.load(raw, allow_pickle=False) as arrays:
        if sum(one.file_size for one in arrays.zip.infolist()) > MAX_DATA_BYTES:
            raise EthosmithError(f"{raw}: more than {MAX_DATA_BYTES:,} bytes when unpacked")
        return _from_arrays(raw, arrays, network)


def _from_arrays(raw: Path, arrays: Any, network: NetworkSpec) -> CompiledNetwork:
    command_stream = _bytes_of(arrays["cmd_data"])
    if command_stream[:4] != _FOURCC:
        raise EthosmithError(f"{raw}: the command stream does not begin with COP1")
    scratch = Area(int(arrays["scratch_region"]), int(arrays["scratch_size"]))
    scratch, inputs = _with_unread(scratch, _placed(raw, arrays, "input", network.inputs))
    return CompiledNetwork(
        command_stream=command_stream,
        weights=_bytes_of(arrays["weight_data"]),
        weights_region=int(arrays["weight_region"]),
        scratch=scratch,
        scratch_fast=Area(int(arrays["scratch_fast_region"]), int(arrays["scratch_fast_size"])),
        inputs=inputs,
        outputs=_placed(raw, arrays, "output", network.outputs),
        variables=_variables(raw, arrays),
    )


def _with_unread(
    scratch: Area, inputs: tuple[PlacedTensor, ...]
) -> tuple[Area, tuple[PlacedTensor, ...]]:
    """Give inputs that the NPU never reads a place behind the scratch memory.

    Vela marks them by an offset that is no address. The application fills all inputs.
    """
    placed = []
    for tensor in inputs:
        if tensor.offset >= _NO_OFFSET:
            at = -(-scratch.size_bytes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
            tensor = replace(tensor, region=scratch.region, offset=at)  # noqa: PLW2901
            scratch = replace(scratch, size_bytes=at + tensor.size_bytes)
        placed.append(tensor)
    return scratch, tuple(placed)


def _variables(raw: Path, arrays: Any) -> tuple[Variable, ...]:
    """Return each variable once; Vela lists it for every operator that uses it."""
    shapes = arrays["variable_shape"]
    if len(shapes) == 0:
        return ()
    if VARIABLE_ZERO_POINT not in arrays:
        raise EthosmithError(f"{raw}: says nothing of the zero points of its variables")
    found = [
        Variable(int(region), int(offset), int(np.prod(shape)) * int(size), int(size), int(zero))
        for shape, size, region, offset, zero in zip(
            shapes,
            arrays["variable_elem_size"],
            arrays["variable_region"],
            arrays["variable_offset"],
            arrays[VARIABLE_ZERO_POINT],
            strict=True,
        )
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.region, one.offset)))


def with_zero_points(raw: Path) -> bytes:
    """Return Vela's raw file with the zero points of its variables as plain numbers.

    Vela writes quantisation as Python objects, which nothing else here reads.

    Args:
        raw: what Vela has just written; nothing else may be given, for it is unpickled.
    """
    check_readable(raw, limit_bytes=MAX_DATA_BYTES)
    with np.load(raw, allow_pickle=True) as arrays:
        if len(arrays["variable_shape"]) == 0:
            return read_bytes(raw)
        kept = {name: arrays[name] for name in arrays.files if not name.endswith("quantization")}
        points = [
            int(entry["zero_point"][0]) if len(entry["zero_point"]) else 0
            for entry in arrays["variable_quantization"]
        ]
    content = io.BytesIO()
    kept[VARIABLE_ZERO_POINT] = np.array(points, np.int64)
    np.savez(content, allow_pickle=False, **kept)
    return content.getvalue()


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
