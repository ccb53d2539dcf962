# SPDX-License-Identifier: Apache-2.0
"""Parts for the NPU inside ExecuTorch programs, as they are, cut, and with absurd numbers."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.vela_blocks import part_of_program


def _tensors(*rows: tuple[int, ...]) -> bytes:
    return struct.pack("<i", len(rows)) + b"".join(struct.pack("<9i", *row) for row in rows)


_BLOCKS: Mapping[str, bytes] = {
    "vela_bin_stream": b"",
    "cmd_data": b"COP1" + bytes(9),
    "weight_data": bytes(range(16)),
    "scratch_size": struct.pack("<I", 4096),
    "inputs": _tensors((1, 1, 1, 8, 8, 3, 1, 64, 1)),
    "outputs": _tensors((1, 1, 1, 1, 1, 12, 2, 0, 1), (1, 1, 1, 1, 1, 2, 4, 32, 1)),
    "vela_end_stream": b"",
}


def _payload(**changed: bytes) -> bytes:
    text = b""
    for name, data in {**_BLOCKS, **changed}.items():
        text += struct.pack("<16sIB11x", name.encode(), len(data), 0)
        text += data + bytes(-len(data) % 16)
    return text


def test_commands_weights_memory_and_tensors_are_read() -> None:
    part = part_of_program(_payload(), scratch_fast_bytes=1024)
    assert (part.payload, part.weights) == (_BLOCKS["cmd_data"], bytes(range(16)))
    assert (part.scratch_bytes, part.scratch_region) == (4096, 1)
    assert (part.scratch_fast_bytes, part.scratch_fast_region) == (1024, 2)
    (given,) = part.inputs
    assert (given.size_bytes, given.offset, given.region) == (192, 64, 1)
    assert [one.dtype.itemsize for one in part.outputs] == [2, 4]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (_payload()[:-40], "is cut short|unpack_from"),
        (b"", "unpack_from"),
        (_payload()[32:], "block 'cmd_data' is not expected at byte 0"),
        (_payload(inputs=_tensors((1, 1, 1, 1, 1, 8, 3, 0, 1))), "elements of 3 bytes"),
        (_payload(inputs=_tensors((1, 1, 1, 1, 1, -8, 1, 0, 1))), "a tensor of"),
        (_payload(inputs=_tensors((1, 1, 9999, 9999, 9999, 8, 1, 0, 1))), "a tensor of"),
        (_payload(outputs=struct.pack("<i", 1 << 30)), "1073741824 inputs or outputs"),
    ],
)
def test_what_is_damaged_ends_in_one_line(payload: bytes, said: str) -> None:
    with pytest.raises(EthosmithError, match=said) as raised:
        part_of_program(payload, scratch_fast_bytes=0)
    assert "\n" not in str(raised.value)
