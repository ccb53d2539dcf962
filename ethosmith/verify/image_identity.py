# SPDX-License-Identifier: Apache-2.0
"""Who a board says it is, and who it should be: hash of the image, of the model, build options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.images.elf import Elf, SymbolTable, read_image, read_symbols
from ethosmith.lib.model_image import MAGIC, model_hash

_LINE = re.compile(r"^identity: image=(?P<image>\w+) model=(?P<model>\w+)(?P<options>( \S+=\S+)*)$")
# What firmware/runtime/identity.c prints of each hash.
_DIGITS = 16
_NOTE_HEADER_BYTES = 16
_MAX_TEXT_BYTES = 1024


@dataclass(frozen=True)
class ImageIdentity:
    """What an image is.

    Attributes:
        image: the first digits of the linker's hash of it; empty: any.
        model: the first digits of the hash of its model.
        options: how it was built, by name.
    """

    image: str
    model: str
    options: Mapping[str, str]

    def problem(self, expected: ImageIdentity) -> str | None:
        """Return how it differs from the identity ``expected``; None if it does not.

        The model comes first: with another one, every answer may be another.
        """
        if self.model != expected.model:
            return f"another model: its hash is {self.model}, expected {expected.model}"
        for name, value in expected.options.items():
            if self.options.get(name) != value:
                found = self.options.get(name, "not named")
                return f"an image of another build: {name} is {found}, expected {value}"
        if expected.image and self.image != expected.image:
            return f"another image: its hash is {self.image}, expected {expected.image}"
        return None


def identity_in_log(text: str) -> ImageIdentity | None:
    """Return what the last start in a log says; None if nothing says who it is."""
    for line in reversed(text.splitlines()):
        if match := _LINE.match(line.rstrip()):
            options = (word.partition("=") for word in match["options"].split())
            return ImageIdentity(
                match["image"], match["model"], {name: v for name, _, v in options}
            )
    return None


def identity_of_image(path: Path) -> ImageIdentity:
    """Return the identity of a linked image.

    Raises:
        EthosmithError: the file is no image, or not one that says who it is.
    """
    image = read_image(path)
    symbols = read_symbols(image)
    start = _address(image, symbols, "__build_id_start")
    end = _address(image, symbols, "__build_id_end")
    digest = _bytes_at(image, start, end - start)[_NOTE_HEADER_BYTES:]
    model = _text_at(image, _address(image, symbols, "model_hash"))
    words = _text_at(image, _address(image, symbols, "build_options")).split()
    options = (word.partition("=") for word in words)
    return ImageIdentity(
        digest.hex()[:_DIGITS], model[:_DIGITS], {name: value for name, _, value in options}
    )


def identity_of_model(path: Path, image: ImageIdentity) -> ImageIdentity:
    """Return the identity of any image of ``image``'s build that runs a model of a partition.

    Args:
        path: of the step write-model-image.
        image: of an image.

    Raises:
        EthosmithError: the file is no model for a partition.
    """
    content = read_bytes(path)
    if not content.startswith(MAGIC):
        raise EthosmithError(f"{path}: is no model for a model partition")
    return ImageIdentity("", model_hash(content)[:_DIGITS], image.options)


def check_identity(text: str, expected: ImageIdentity) -> None:
    """Raise an `EthosmithError` unless the log ``text`` is of the image ``expected``."""
    found = identity_in_log(text)
    if found is None:
        raise EthosmithError("the log has no line 'identity:'; is it of an image built here?")
    if problem := found.problem(expected):
        raise EthosmithError(f"the log is of {problem}")


def _address(image: Elf, symbols: SymbolTable, name: str) -> int:
    if name not in symbols.addresses:
        raise EthosmithError(f"{image.path}: has no symbol '{name}'; is it an image built here?")
    return symbols.addresses[name]


def _bytes_at(image: Elf, address: int, size_bytes: int) -> bytes:
    for segment in image.segments:
        offset = address - segment.address
        if 0 <= offset < segment.size_bytes:
            size = min(size_bytes, segment.size_bytes - offset)
            start = segment.file_offset + offset
            return image.data[start : start + size]
    raise EthosmithError(f"{image.path}: has no bytes at {address:#010x}")


def _text_at(image: Elf, address: int) -> str:
    return _bytes_at(image, address, _MAX_TEXT_BYTES).partition(b"\0")[0].decode("utf-8", "replace")
