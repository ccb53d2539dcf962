# SPDX-License-Identifier: Apache-2.0
"""The host's side of firmware/live: the memory in which one sample after another is handed over.

It is the upper half of the platform's memory for samples, as for an evaluation set. It begins with
`struct live_window`; name and data of the sample follow. The last part holds the network's inputs
as the device has computed them.
"""

from __future__ import annotations

import struct

from ethosmith.accuracy.samples_window import Window
from ethosmith.core.errors import EthosmithError
from ethosmith.lib.c_text import notice, string
from ethosu_model.memory import Memory

# Where the program stands still, and what it prints before.
EXCHANGE, READY = "live_exchange", "ready"

# struct live_window: sample (name, data, size, file), sequence, inputs, capacity, used bytes.
_HEADER = struct.Struct("<8I")
_INPUTS_BYTES_OFFSET = _HEADER.size - 4
_MAX_INPUTS_BYTES = 8 << 20
_ALIGNMENT_BYTES = 16


def live_source(usecase: str, window: Window, source: str) -> str:
    """Return the C source that places the window in an image.

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


class LiveWindow:
    """Writes samples into a window, and reads the network's inputs from it."""

    def __init__(self, window: Window) -> None:
        """Hand over samples in ``window``."""
        self._window = window
        self._inputs_address = window.end - _MAX_INPUTS_BYTES
        self._sequence = 0

    @property
    def max_sample_bytes(self) -> int:
        """The size of the largest sample that there is room for, with a short name."""
        return self._inputs_address - self._window.address - _HEADER.size - 256

    def write(self, memory: Memory, name: str, data: bytes) -> None:
        """Hand over a sample to the program that stands still.

        Args:
            memory: the board's.
            name: what the device prints; without spaces.
            data: as the device's pre-processing takes it.

        Raises:
            EthosmithError: it is larger than the window.
        """
        if len(data) > self.max_sample_bytes:
            raise EthosmithError(
                f"{len(data):,} bytes, the device has room for {self.max_sample_bytes:,} in"
                f" {self._window.region}"
            )
        self._sequence += 1
        name_bytes = name.encode() + b"\0"
        name_address = self._window.address + _HEADER.size
        data_address = name_address + len(name_bytes)
        data_address += -data_address % _ALIGNMENT_BYTES
        header = _HEADER.pack(
            *(name_address, data_address, len(data), 0),
            *(self._sequence, self._inputs_address, _MAX_INPUTS_BYTES, 0),
        )
        memory.write(self._window.address, header)
        memory.write(name_address, name_bytes)
        memory.write(data_address, data)

    def inputs(self, memory: Memory) -> bytes:
        """Return the network's inputs of all windows of the sample, as far as there was room."""
        used = memory.read(self._window.address + _INPUTS_BYTES_OFFSET, 4)
        size_bytes = min(int.from_bytes(used, "little"), _MAX_INPUTS_BYTES)
        return memory.read(self._inputs_address, size_bytes)
