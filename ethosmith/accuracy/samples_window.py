# SPDX-License-Identifier: Apache-2.0
"""A window of the board's memory with samples that the simulator puts there before the start.

The image of an evaluation takes ``samples`` and ``sample_count`` of firmware/runtime/sample.h
from fixed addresses and is otherwise the use case's own. So one image measures sets of any
size, a part at a time, and nothing is compiled for another set.

The window is the upper half of the platform's memory for samples: at its start the count
(uint32), 16 bytes behind it the table (name, data, size and file, each uint32), then names and
data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethosmith.accuracy.set_file import Item
from ethosmith.core.errors import EthosmithError
from ethosmith.lib.c_text import notice, string

if TYPE_CHECKING:
    from ethosmith.descriptors.platform import Platform
    from ethosmith.images.elf import Elf

_TABLE_OFFSET = 16
_ENTRY = struct.Struct("<IIII")
# As of samples that are baked in.
_ALIGNMENT_BYTES = 16


@dataclass(frozen=True)
class Window:
    """Where the samples lie: addresses as the CPU sees them."""

    region: str
    address: int
    size_bytes: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.size_bytes


def window_of(platform: Platform) -> Window:
    """Return the platform's window."""
    region = platform.region(platform.placement.samples)
    half = region.size_bytes // 2
    return Window(region.name, region.address + half, half)


def check_image(image: Elf, window: Window) -> None:
    """Check that the image leaves the window alone.

    Raises:
        EthosmithError: a section of it reaches into the window.
    """
    for section in image.sections:
        for start in {section.address, section.load_address}:
            if (
                start is not None
                and start < window.end
                and window.address < start + section.size_bytes
            ):
                raise EthosmithError(
                    f"{image.path}: its section {section.name} reaches into the upper half of"
                    f" {window.region}, where the evaluation's samples go; use a smaller model"
                )


def window_source(usecase: str, window: Window, source: str) -> str:
    """Return the C source that takes the place of the samples' own.

    Args:
        usecase: the use case's name, as the device prints it.
        window: where the samples will lie.
        source: the descriptor, as the file names it.
    """
    symbols = {"sample_count": window.address, "samples": window.address + _TABLE_OFFSET}
    lines = "\n".join(
        f'__asm__(".global {name}\\n.set {name}, 0x{address:08x}\\n");'
        for name, address in symbols.items()
    )
    return (
        f'{notice(source)}#include "sample.h"\n\n{lines}\n\n'
        f"const char usecase_name[] = {string(usecase)};\n"
    )


def live_source(usecase: str, window: Window, source: str) -> str:
    """Return the C source that places the live page's window, of `ethosmith.live.board`.

    Args:
        usecase: the use case's name, as the device prints it.
        window: where samples are handed over.
        source: the descriptor, as the file names it.
    """
    return (
        f'{notice(source)}#include "sample.h"\n\n'
        f'__asm__(".global live_window\\n.set live_window, 0x{window.address:08x}\\n");\n\n'
        "// The host hands them over.\n"
        "const uint32_t sample_count = 0;\n\n"
        f"const char usecase_name[] = {string(usecase)};\n"
    )


def window_bytes(window: Window, items: Sequence[Item]) -> bytes:
    """Return what the window has to hold for ``items``; they fit (see `batches`)."""
    table = bytearray(struct.pack("<I", len(items)).ljust(_TABLE_OFFSET, b"\0"))
    body = bytearray()
    body_offset = _body_offset(len(items))
    for item in items:
        name_address = window.address + body_offset + len(body)
        body += _aligned(_name(item))
        data_address = window.address + body_offset + len(body)
        body += _aligned(item.data)
        table += _ENTRY.pack(name_address, data_address, len(item.data), 0)
    return bytes(table).ljust(body_offset, b"\0") + bytes(body)


def batches(window: Window, items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """Yield ``items`` in parts of at most ``most`` that each fit the window.

    Raises:
        EthosmithError: one alone does not fit.
    """
    batch: list[Item] = []
    size_bytes = 0
    for item in items:
        own_bytes = len(_aligned(_name(item))) + len(_aligned(item.data))
        if _body_offset(1) + own_bytes > window.size_bytes:
            raise EthosmithError(
                f"evaluation item '{item.name}': {len(item.data)} bytes, the device has room for"
                f" {window.size_bytes} in {window.region}"
            )
        full = _body_offset(len(batch) + 1) + size_bytes + own_bytes > window.size_bytes
        if batch and (full or len(batch) == most):
            yield batch
            batch, size_bytes = [], 0
        batch.append(item)
        size_bytes += own_bytes
    if batch:
        yield batch


def _body_offset(count: int) -> int:
    return len(_aligned(bytes(_TABLE_OFFSET + count * _ENTRY.size)))


def _name(item: Item) -> bytes:
    return item.name.encode() + b"\0"


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT_BYTES)
