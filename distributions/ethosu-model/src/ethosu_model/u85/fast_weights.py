# SPDX-License-Identifier: Apache-2.0
"""Decodes Ethos-U85's fast weight streams.

A header of 32 bytes, then indices of two or four bits into its table of sixteen weights, or the
weights themselves as bytes, less an offset. The format is that of Vela's ``ml_encode_fwd``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethosu_model.faults import WeightFault
from ethosu_model.fields import Word, bits, flag

_HEADER_BYTES = 32
_TABLE_AT = 112  # bits
_TABLE_SIZE = 16
_TABLE_BITS = 9


class _Header(Word):
    """What precedes the table."""

    raw = flag(0)
    small = flag(1)
    zero_adjust = bits(104, 8)


_HEADER = _Header()


def decode_fast_weights(data: bytes, count: int) -> NDArray[np.int16]:
    """Return ``count`` weights of a stream.

    Raises:
        WeightFault: The stream is too short, or its header contradicts itself.
    """
    if len(data) < _HEADER_BYTES:
        raise WeightFault("fast weight stream ends inside its header")
    header = int.from_bytes(data[:_HEADER_BYTES], "little")
    raw, small = _HEADER.raw.get(header), _HEADER.small.get(header)
    if raw and small:
        raise WeightFault("fast weight stream both raw and with a small table")
    width = 8 if raw else 2 if small else 4
    body = np.frombuffer(data, np.uint8, offset=_HEADER_BYTES)
    if len(body) * 8 < count * width:
        raise WeightFault(f"fast weight stream of {len(data)} bytes for {count} weights")
    if raw:
        offset = _HEADER.zero_adjust.get(header)
        signed = offset - 256 if offset > 127 else offset
        return np.asarray(body[:count].view(np.int8).astype(np.int16) - signed, np.int16)
    shifts = np.arange(0, 8, width, dtype=np.uint8)
    indices = (body[:, None] >> shifts & (1 << width) - 1).ravel()[:count]
    return np.asarray(_table(header)[indices], np.int16)


def _table(header: int) -> NDArray[np.int16]:
    """Return the table; its entries have their sign in the lowest bit."""
    entries = [
        header >> _TABLE_AT + _TABLE_BITS * place & (1 << _TABLE_BITS) - 1
        for place in range(_TABLE_SIZE)
    ]
    return np.array([-(e >> 1) if e & 1 else e >> 1 for e in entries], np.int16)
