# SPDX-License-Identifier: Apache-2.0
"""A compiled network as one block of bytes: what its hash is of, and what a partition holds.

Little-endian: a header of 32 words, the tables of tensors and variables, names, command stream and
weights. The hash in the header is that of the whole block with zeros in its place, so that a
damaged header is found as well.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ethosmith.lib.model_source import NO_NPU, ModelIdentity

if TYPE_CHECKING:
    from ethosmith.models.compiled import CompiledNetwork, PlacedTensor, Variable

MAGIC = b"ETHOMODL"
VERSION = 1
HEADER_BYTES = 128
_HASH = slice(16, 48)
_DTYPES = ("int8", "uint8", "int16", "int32", "float32")
_RESETS = ("sample", "inference", "never")
_MAX_RANK = 6
# The NPU reads command stream and weights with this alignment.
_ALIGNMENT_BYTES = 16


def model_image(compiled: CompiledNetwork, identity: ModelIdentity) -> bytes:
    """Return the block of ``compiled``.

    Args:
        compiled: what Vela made.
        identity: names of the network and of the NPU it was compiled for.
    """
    block = _Block()
    accelerator = identity.accelerator
    names = (identity.name, accelerator.name if accelerator else NO_NPU, identity.memory_mode)
    strings = [block.string(name) for name in names]
    inputs = block.tensors(compiled.inputs)
    outputs = block.tensors(compiled.outputs)
    variables = block.variables(compiled.variables)
    stream = block.aligned(compiled.command_stream)
    weights = block.aligned(compiled.weights)
    words = (
        *strings,
        accelerator.macs if accelerator else 0,
        _RESETS.index(identity.reset_state),
        stream,
        len(compiled.command_stream),
        weights,
        len(compiled.weights),
        compiled.weights_region,
        compiled.scratch.size_bytes,
        compiled.scratch.region,
        compiled.scratch_fast.size_bytes,
        compiled.scratch_fast.region,
        inputs,
        len(compiled.inputs),
        outputs,
        len(compiled.outputs),
        variables,
        len(compiled.variables),
    )
    return block.sealed(words)


def model_hash(image: bytes) -> str:
    """Return the hash that the block carries, as hexadecimal digits."""
    return image[_HASH].hex()


def tflite_hash(content: bytes) -> str:
    """Return the hash of a network that an interpreter runs, as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


class _Block:
    """The block as it grows; methods return the offset of what they append."""

    def __init__(self) -> None:
        self._bytes = bytearray(HEADER_BYTES)

    def _append(self, data: bytes) -> int:
        offset = len(self._bytes)
        self._bytes += data
        return offset

    def aligned(self, data: bytes) -> int:
        self._bytes += bytes(-len(self._bytes) % _ALIGNMENT_BYTES)
        return self._append(data)

    def string(self, text: str) -> int:
        return self._append(text.encode() + b"\0")

    def tensors(self, tensors: Sequence[PlacedTensor]) -> int:
        names = [self.string(tensor.spec.name) for tensor in tensors]
        rows = [_tensor(tensor, name) for tensor, name in zip(tensors, names, strict=True)]
        return self.aligned(b"".join(rows))

    def variables(self, variables: Sequence[Variable]) -> int:
        rows = [
            struct.pack("<4Ii", v.region, v.offset, v.size_bytes, v.element_bytes, v.zero_point)
            for v in variables
        ]
        return self.aligned(b"".join(rows))

    def sealed(self, words: Sequence[int]) -> bytes:
        self._bytes += bytes(-len(self._bytes) % _ALIGNMENT_BYTES)
        header = MAGIC + struct.pack(f"<2I32x{len(words)}I", VERSION, len(self._bytes), *words)
        self._bytes[:HEADER_BYTES] = header
        self._bytes[_HASH] = hashlib.sha256(self._bytes).digest()
        return bytes(self._bytes)


def _tensor(tensor: PlacedTensor, name: int) -> bytes:
    spec = tensor.spec
    shape = (*spec.shape, *[0] * (_MAX_RANK - len(spec.shape)))
    words = (name, _DTYPES.index(spec.dtype), len(spec.shape), *shape)
    places = (tensor.size_bytes, tensor.region, tensor.offset)
    return struct.pack("<12Ifi", *words, *places, spec.scale, spec.zero_point)
