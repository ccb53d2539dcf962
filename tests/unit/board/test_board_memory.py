# SPDX-License-Identifier: Apache-2.0
"""What the NPU reads and writes is what the CPU has and gets, page cache or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethosu_model.memory import BusFault
from open_board.guest_memory import NpuMemory

_SPAN = 5 * 4096
_BASES = {0x31000000: "SRAM", 0x21000000: "SRAM", 0x11000000: "BRAM", 0x01000000: "BRAM"}


class _Ram:
    """QEMU's side: two RAMs, each reached at its secure alias, and DDR."""

    def __init__(self) -> None:
        pattern = bytes(i * 7 & 0xFF for i in range(_SPAN))
        self.bytes = {"SRAM": bytearray(pattern), "BRAM": bytearray(pattern[::-1])}
        self.traffic_bytes = 0

    def read(self, address: int, size_bytes: int) -> bytes:
        self.traffic_bytes += size_bytes
        ram, start = self._place(address)
        return bytes(ram[start : start + size_bytes])

    def write(self, address: int, data: bytes) -> None:
        self.traffic_bytes += len(data)
        ram, start = self._place(address)
        ram[start : start + len(data)] = data

    def _place(self, address: int) -> tuple[bytearray, int]:
        base = address & 0xFF000000
        return self.bytes[_BASES[base]], address - base


_ACCESS = st.tuples(
    st.sampled_from(sorted(_BASES)),
    st.integers(0, _SPAN - 1),
    st.integers(0, 3 * 4096),
    st.sampled_from(["read", "write", "end of job"]),
    st.integers(0, 255),
)


@given(st.lists(_ACCESS, max_size=30))
def test_copied_ram_is_the_same_as_plain_memory(
    accesses: list[tuple[int, int, int, str, int]],
) -> None:
    ram, plain = _Ram(), _Ram()
    memory = NpuMemory(ram, ram)

    for base, offset, wanted_bytes, kind, value in accesses:
        address, size_bytes = base + offset, min(wanted_bytes, _SPAN - offset)
        if kind == "read":
            assert memory.read(address, size_bytes) == plain.read(address, size_bytes)
        elif kind == "write":
            data = bytes((value + i) & 0xFF for i in range(size_bytes))
            memory.write(address, data)
            plain.write(address, data)
        else:
            memory.write_back()
            assert ram.bytes == plain.bytes
    memory.write_back()

    assert ram.bytes == plain.bytes


def test_pages_are_fetched_once_in_a_job_and_again_in_the_next() -> None:
    ram = _Ram()
    memory = NpuMemory(ram, ram)

    for _ in range(5):
        memory.read(0x31000010, 100)
    assert ram.traffic_bytes == 4096

    memory.write_back()
    ram.write(0x31000010, b"new")
    assert memory.read(0x21000010, 3) == b"new"


@pytest.mark.parametrize(
    ("address", "size_bytes"),
    [
        (0x00000000, 4),  # ITCM
        (0x20000000, 4),  # DTCM
        (0x10000000, 4),
        (0x30000000, 4),
        (0x00FFFFFE, 4),
        (0x011FFFFE, 4),  # runs out of BRAM
        (0x313FFFFC, 8),
        (0x48102000, 4),  # the NPU's own registers
        (0x5FFFFFFC, 8),
        (0xDFFFFFFC, 8),
        (0x100000000, 4),
    ],
)
def test_what_the_npu_does_not_reach_is_a_bus_fault(address: int, size_bytes: int) -> None:
    ram = _Ram()
    memory = NpuMemory(ram, ram)

    with pytest.raises(BusFault) as read:
        memory.read(address, size_bytes)
    with pytest.raises(BusFault) as write:
        memory.write(address, bytes(size_bytes))

    assert read.value.address == write.value.address == address
    assert ram.traffic_bytes == 0
