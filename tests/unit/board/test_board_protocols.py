# SPDX-License-Identifier: Apache-2.0
"""gdb packets, the UART's end marker and xPSR's IT bits, without a simulator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_board.emulation import advance_it
from open_board.gdb_client import Stop
from open_board.gdb_packet import PacketError, PacketReader, frame
from open_board.job import RunError
from open_board.uart import UartWatch


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@given(st.lists(st.binary(max_size=60), max_size=5), st.lists(st.integers(1, 30), max_size=20))
def test_packets_survive_any_cut_of_the_stream(payloads: list[bytes], sizes: list[int]) -> None:
    reader, received = PacketReader(), []

    for piece in _cut(b"+".join(map(frame, payloads)), sizes):
        reader.feed(piece)
        while (payload := reader.next()) is not None:
            received.append(payload)

    assert received == payloads
    assert not reader.interrupted


def test_checksum_is_gdbs() -> None:
    assert [frame(b"OK"), frame(b"g")] == [b"$OK#9a", b"$g#67"]


def test_run_length_is_expanded() -> None:
    reader = PacketReader()
    reader.feed(b"$0* 1#%02x" % (sum(b"0* 1") & 0xFF))  # the manual's own example: 0000 and 1

    assert reader.next() == b"00001"


@pytest.mark.parametrize("packet", [b"$OK#00", b"$OK#zz", b"$a}#de"])
def test_damaged_packet_is_refused(packet: bytes) -> None:
    reader = PacketReader()
    reader.feed(packet)

    with pytest.raises(PacketError):
        reader.next()


def test_interrupt_between_packets_is_seen_and_inside_one_is_data() -> None:
    reader = PacketReader()
    reader.feed(frame(b"X\x03"))
    assert reader.next() == b"X\x03"
    assert not reader.interrupted

    reader.feed(b"+\x03" + frame(b"g"))
    assert reader.next() == b"g"
    assert reader.interrupted


def test_stop_names_its_watchpoint() -> None:
    stop = Stop.parse(b"T05thread:p01.01;awatch:58102000;")

    assert (stop.signal, stop.watch_address) == (5, 0x58102000)


def test_packet_that_is_no_stop_fails_the_run() -> None:
    with pytest.raises(RunError, match="unexpected stop reply"):
        Stop.parse(b"OK")


@given(st.binary(max_size=20).filter(lambda data: b"\x04" not in data), st.integers(0, 255))
def test_exit_code_is_the_byte_after_eot_however_it_arrives(text: bytes, code: int) -> None:
    for cut in range(len(text) + 3):
        seen: list[bytes] = []
        watch = UartWatch(seen.append)
        data = text + bytes((4, code)) + b"late"
        watch.feed(data[:cut])
        watch.feed(data[cut:])

        assert (bytes(watch.output), watch.exit_code) == (text, code)
        assert b"".join(seen) == text


def test_text_without_eot_has_no_exit_code() -> None:
    watch = UartWatch()
    watch.feed(b"0 tests failed\0")

    assert (watch.ended, watch.exit_code) == (False, None)


def _it_bits(state: int) -> int:
    return (state & 0b11) << 25 | (state & 0xFC) << 8


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (0x08, 0x00),  # IT EQ: one instruction, then none
        (0x0C, 0x18),  # ITE EQ: then NE (condition's last bit set), one left
        (0x04, 0x08),  # ITT EQ: then EQ again, one left
        (0x01, 0x02),  # ITTTT EQ, first of four
        (0x00, 0x00),
        (0x10, 0x10),  # a vector instruction's beats, not an IT block
    ],
)
def test_it_block_advances_by_one_condition(before: int, after: int) -> None:
    others = 0x81000025  # flags, Thumb bit and an exception number stay

    assert advance_it(others | _it_bits(before)) == others | _it_bits(after)
