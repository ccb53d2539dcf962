# SPDX-License-Identifier: Apache-2.0
"""Read what an ExecuTorch program holds of a part for the NPU: Vela's output in named blocks.

Each block is a name of 16 bytes, a size, 12 bytes more, and data that ends at a multiple of 16.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

from ethosmith.core.errors import EthosmithError
from ethosu_model.harness import RawModel, RawTensor

_HEADER = struct.Struct("<16sIB11x")
_ALIGNMENT = 16
_FIRST, _LAST = "vela_bin_stream", "vela_end_stream"
# Six sizes, then the bytes of an element, the offset in its region, and the region.
_TENSOR = struct.Struct("<9i")
_ELEMENT_BYTES = (1, 2, 4)
_MAX_TENSORS, _MAX_TENSOR_BYTES = 1000, 1 << 28
# As ExecuTorch's runtime for the NPU numbers them.
WEIGHTS_REGION, SCRATCH_REGION, SCRATCH_FAST_REGION = 0, 1, 2


def part_of_program(payload: bytes, scratch_fast_bytes: int) -> RawModel:
    """Return a part for the NPU.

    Args:
        payload: of a delegate of an ExecuTorch program.
        scratch_fast_bytes: of the fast memory, which the runtime has and the part does not name.

    Raises:
        EthosmithError: it is not Vela's output in blocks, or is damaged.
    """
    try:
        blocks = _blocks(payload)
        return RawModel(
            payload=blocks["cmd_data"],
            weights=blocks["weight_data"],
            weights_region=WEIGHTS_REGION,
            scratch_bytes=struct.unpack("<I", blocks["scratch_size"])[0],
            scratch_region=SCRATCH_REGION,
            scratch_fast_bytes=scratch_fast_bytes,
            scratch_fast_region=SCRATCH_FAST_REGION,
            inputs=_tensors(blocks["inputs"]),
            outputs=_tensors(blocks["outputs"]),
        )
    except KeyError as error:
        raise EthosmithError(f"a part for the NPU has no block {error}") from None
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise EthosmithError(f"a part for the NPU is damaged: {error}") from None


def _blocks(payload: bytes) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    at = 0
    while _LAST not in found:
        raw, size_bytes, elsewhere = _HEADER.unpack_from(payload, at)
        name = raw.rstrip(b"\0").decode("ascii")
        if elsewhere or name in found or (not found and name != _FIRST):
            raise ValueError(f"block '{name}' is not expected at byte {at}")
        start = at + _HEADER.size
        found[name] = payload[start : start + size_bytes]
        if len(found[name]) != size_bytes:
            raise ValueError(f"block '{name}' is cut short")
        at = start + -(-size_bytes // _ALIGNMENT) * _ALIGNMENT
    return found


def _tensors(data: bytes) -> tuple[RawTensor, ...]:
    (count,) = struct.unpack_from("<i", data, 0)
    if not 0 < count <= _MAX_TENSORS:
        raise ValueError(f"{count} inputs or outputs")
    return tuple(_tensor(*_TENSOR.unpack_from(data, 4 + n * _TENSOR.size)) for n in range(count))


def _tensor(*numbers: int) -> RawTensor:
    *shape, element_bytes, offset, region = numbers
    if element_bytes not in _ELEMENT_BYTES:
        raise ValueError(f"a tensor with elements of {element_bytes} bytes")
    found = RawTensor(tuple(shape), np.dtype(f"<i{element_bytes}"), region, offset)
    end = offset + found.size_bytes
    if min(shape) < 1 or offset < 0 or not 0 <= end <= _MAX_TENSOR_BYTES or region < 0:
        raise ValueError(f"a tensor of {shape} at {offset} of region {region}")
    return found
