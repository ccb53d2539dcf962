# SPDX-License-Identifier: Apache-2.0
"""The NPU driver compiled for this computer, with Python as its hardware."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.support.firmware.compile import shared_object

REGIONS = 8
_U32, _U64, _BOOL = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_bool

_Read = ctypes.CFUNCTYPE(_U32, _U32)
_Write = ctypes.CFUNCTYPE(None, _U32, _U32)
_Wait = ctypes.CFUNCTYPE(_BOOL, _U32)
_Clock = ctypes.CFUNCTYPE(_U32)
_Cache = ctypes.CFUNCTYPE(None, _BOOL, _U64, _U64)


class _Functions(ctypes.Structure):
    _fields_ = (
        ("read", _Read),
        ("write", _Write),
        ("wait", _Wait),
        ("clock_ms", _Clock),
        ("cache", _Cache),
    )


class Counts(ctypes.Structure):
    """struct npu_counts"""

    _fields_ = (("cycles", _U64), ("events", _U32 * 8))


class Hardware(Protocol):
    """What the driver drives."""

    def read(self, offset: int) -> int: ...
    def write(self, offset: int, value: int) -> None: ...
    def interrupts(self) -> bool: ...


@dataclass(frozen=True)
class Region:
    """struct npu_region"""

    start: int
    size_bytes: int
    axi_limit: int = 0


@dataclass
class Driver:
    """One driver on one hardware; records its register writes and cache calls in order."""

    library: ctypes.CDLL
    hardware: Hardware
    log: list[tuple[str | int, int, int]] = field(default_factory=list)
    waited_ms: int = 0
    _now_ms: int = 0

    def __post_init__(self) -> None:
        # Kept alive as long as the driver may call them.
        self._functions = _Functions(
            _Read(self.hardware.read),
            _Write(self._write),
            _Wait(self._wait),
            _Clock(self._clock),
            _Cache(self._cache),
        )
        self.library.harness_connect(ctypes.byref(self._functions))

    def _write(self, offset: int, value: int) -> None:
        self.log.append((offset, value, 0))
        self.hardware.write(offset, value)

    def _wait(self, timeout_ms: int) -> bool:
        self.waited_ms = timeout_ms
        if self.hardware.interrupts():
            self.library.harness_interrupt()
            return True
        return False

    def _clock(self) -> int:
        self._now_ms += 1
        return self._now_ms

    def _cache(self, clean: bool, start: int, size_bytes: int) -> None:
        self.log.append(("clean" if clean else "invalidate", start, size_bytes))

    def init(self) -> str:
        """Return the driver's message, ``no error`` on success; so do the next three."""
        return self._message(self.library.harness_init())

    def check(self, config: int, ident: int, macs: int) -> str:
        return self._message(self.library.harness_check(_U32(config), _U32(ident), _U32(macs)))

    def prepare(
        self, stream: Region, regions: Mapping[int, Region], exchanged: Region | None = None
    ) -> str:
        """Prepare a job; all of ``exchanged`` is its input, the second half also its output."""
        rows = (_U64 * (3 * REGIONS))()
        for index, region in regions.items():
            values = (region.start, region.size_bytes, region.axi_limit)
            for column, value in enumerate(values):
                rows[3 * index + column] = value
        exchanged = exchanged or Region(0, 0)
        error = self.library.harness_prepare(
            _U64(stream.start),
            _U32(stream.size_bytes),
            _U32(stream.axi_limit),
            rows,
            _U64(exchanged.start),
            _U32(exchanged.size_bytes),
        )
        return self._message(error)

    def run(self, counts: Counts | None = None) -> str:
        """Run the job that was prepared last."""
        return self._message(self.library.harness_run(ctypes.byref(counts or Counts())))

    def message(self, error: int, capacity_bytes: int = 120) -> str:
        """Return npu_strerror()'s text in a buffer of that size."""
        buffer = ctypes.create_string_buffer(b"?" * 200)
        self.library.harness_strerror(error, buffer, _U32(capacity_bytes))
        assert buffer.raw[capacity_bytes:200] == b"?" * (200 - capacity_bytes)
        return buffer.value.decode()

    def _message(self, error: int) -> str:
        return self.message(error).removeprefix("NPU: ")

    def written(self, offset: int) -> list[int]:
        """Return all values written to a register, in order."""
        return [value for where, value, _ in self.log if where == offset]


def compile_driver(folder: Path) -> ctypes.CDLL:
    """Compile the driver and load it."""
    sources = ["npu/npu.c", "npu/npu_pmu.c", "npu/npu_strerror.c"]
    output = folder / "driver.so"
    return ctypes.CDLL(str(shared_object(output, "driver_harness.c", sources, "fake_access.h")))
