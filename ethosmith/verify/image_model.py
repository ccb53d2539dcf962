# SPDX-License-Identifier: Apache-2.0
"""The model in a linked image, as the firmware finds it: ``model`` of firmware/runtime/model.h."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.images.elf import Elf, read_image, read_symbols
from ethosmith.models.tensor_spec import TensorSpec

_RESETS = ("sample", "inference", "never")
_DTYPES = ("int8", "uint8", "int16", "int32", "float32")
_MAX_TEXT_BYTES = 1024
_MAX_RANK = 6
_FIELDS = (
    *("name", "accelerator_config", "macs", "memory_mode", "tflite"),
    *("command_stream", "command_stream_bytes"),
    *("weights", "weights_bytes", "weights_region"),
    *("scratch", "scratch_bytes", "scratch_region"),
    *("scratch_fast", "scratch_fast_bytes", "scratch_fast_region"),
    *("inputs", "input_count", "outputs", "output_count", "variables", "variable_count"),
    *("reset", "hash"),
)
# An enum takes one byte, and fills a word.
_MODEL = struct.Struct("<22IB3xI")
_TENSOR = struct.Struct(f"<IB3xI{_MAX_RANK}I3Ifi")
_VARIABLE = struct.Struct("<4Ii")


@dataclass(frozen=True)
class Part:
    """Memory of the model: NPU region, address and size; no bytes: there is none."""

    region: int
    address: int
    size_bytes: int


@dataclass(frozen=True)
class ImageTensor:
    """An input, an output or a variable of the model in the image.

    Attributes:
        spec: of an input or output; None of a variable.
        region: the NPU region that holds it.
        offset: from the region's base, in bytes.
        size_bytes: its size.
        first: the bytes that a variable has at first.
    """

    spec: TensorSpec | None
    region: int
    offset: int
    size_bytes: int
    first: bytes = b""


@dataclass(frozen=True)
class ImageModel:
    """What ``model`` of an image says.

    Attributes:
        accelerator_config: the NPU that it was compiled for.
        memory_mode: where it lies.
        payload: the driver's payload; it begins at ``payload_address``.
        weights: read by the NPU.
        scratch: read and written by the NPU.
        scratch_fast: likewise.
        reset: when variables get their first values, as the descriptor's ``model.reset_state``.
    """

    accelerator_config: str
    memory_mode: str
    payload: bytes
    payload_address: int
    weights: Part
    scratch: Part
    scratch_fast: Part
    inputs: tuple[ImageTensor, ...]
    outputs: tuple[ImageTensor, ...]
    variables: tuple[ImageTensor, ...]
    reset: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """The memory that has bytes."""
        every = (self.weights, self.scratch, self.scratch_fast)
        return tuple(part for part in every if part.size_bytes)


class ImageBytes:
    """What a running program sees of an image's loaded bytes, after its start-up code."""

    def __init__(self, path: Path) -> None:
        """Read the image; EthosmithError as `read_image`."""
        self.path = path
        self.elf: Elf = read_image(path)
        self.symbols = read_symbols(self.elf)

    def at(self, address: int, size_bytes: int) -> bytes:
        """Return bytes by their address in the running program.

        Raises:
            EthosmithError: the image has none there.
        """
        for section in self.elf.sections:
            offset = address - section.address
            held = section.load_address is not None
            if held and offset >= 0 and offset + size_bytes <= section.size_bytes:
                start = section.file_offset + offset
                return self.elf.data[start : start + size_bytes]
        raise EthosmithError(f"{self.path}: has no {size_bytes} bytes at {address:#010x}")

    def text(self, address: int) -> str:
        """Return the text at ``address``, up to its terminator."""
        found = bytearray()
        while len(found) < _MAX_TEXT_BYTES and (byte := self.at(address + len(found), 1)) != b"\0":
            found += byte
        return found.decode("utf-8", "replace")


def read_image_model(image: ImageBytes) -> ImageModel:
    """Return the model of an image that runs a command stream.

    Raises:
        EthosmithError: the image has no such model, or a damaged one.
    """
    where = image.symbols.addresses.get("model")
    if where is None:
        raise EthosmithError(f"{image.path}: has no symbol 'model'; is it an image built here?")
    found = dict(zip(_FIELDS, _MODEL.unpack(image.at(where, _MODEL.size)), strict=True))
    if not found["command_stream_bytes"] or found["reset"] >= len(_RESETS):
        raise EthosmithError(f"{image.path}: its model is no command stream")

    def part(name: str) -> Part:
        return Part(*(found[f"{name}{end}"] for end in ("_region", "", "_bytes")))

    def rows(kind: str, row_bytes: int) -> list[int]:
        count = found[f"{kind}_count"]
        return [found[f"{kind}s"] + number * row_bytes for number in range(count)]

    return ImageModel(
        accelerator_config=image.text(found["accelerator_config"]),
        memory_mode=image.text(found["memory_mode"]),
        payload=image.at(found["command_stream"], found["command_stream_bytes"]),
        payload_address=found["command_stream"],
        weights=part("weights"),
        scratch=part("scratch"),
        scratch_fast=part("scratch_fast"),
        inputs=tuple(_tensor(image, row) for row in rows("input", _TENSOR.size)),
        outputs=tuple(_tensor(image, row) for row in rows("output", _TENSOR.size)),
        variables=tuple(_variable(image, row) for row in rows("variable", _VARIABLE.size)),
        reset=_RESETS[found["reset"]],
    )


def _tensor(image: ImageBytes, address: int) -> ImageTensor:
    name, dtype, rank, *rest = _TENSOR.unpack(image.at(address, _TENSOR.size))
    shape, (size_bytes, region, offset, scale, zero_point) = rest[:_MAX_RANK], rest[_MAX_RANK:]
    if dtype >= len(_DTYPES) or rank > _MAX_RANK:
        raise EthosmithError(f"{image.path}: a damaged tensor at {address:#010x}; build it again")
    spec = TensorSpec(image.text(name), _DTYPES[dtype], tuple(shape[:rank]), scale, zero_point)
    return ImageTensor(spec, region, offset, size_bytes)


def _variable(image: ImageBytes, address: int) -> ImageTensor:
    region, offset, size_bytes, element_bytes, zero_point = _VARIABLE.unpack(
        image.at(address, _VARIABLE.size)
    )
    element = zero_point.to_bytes(element_bytes, "little", signed=True)
    first = element * (size_bytes // element_bytes)
    return ImageTensor(None, region, offset, size_bytes, first)
