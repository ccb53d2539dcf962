# SPDX-License-Identifier: Apache-2.0
"""What a channel of Ethos-U85 can move: its read buffer and a memory's latency limit it.

The rules and the sizes of the buffers are those of Vela's C++ core (ethos_u85_performance.cpp,
ethos_u85.cpp).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

from ethosu_model.faults import AxiPort
from ethosu_model.memory_timing import MemoryTiming, SystemTiming

if TYPE_CHECKING:
    from ethosu_model.traffic import Traffic  # which imports NumPy

_BEAT_BYTES = 16
_USABLE = 0.8  # of outstanding transactions, and again of what they move


class Channel(IntEnum):
    """A channel by its place in `_READ_BUFFERS`; writes have no read buffer."""

    MEM2MEM = 0
    IFM_STREAM = 1
    WEIGHT = 2
    FAST_WEIGHT = 3
    IFM = 4
    SCALE = 5
    WRITE = 6


# Beats of each channel's read buffer, by MACs.
_READ_BUFFERS = {
    128: (64, 64, 128, 128, 104, 16),
    256: (104, 104, 128, 128, 128, 16),
    512: (128, 128, 256, 256, 128, 16),
    1024: (256, 256, 416, 208, 256, 16),
    2048: (256, 256, 512, 256, 256, 16),
}


def port_bandwidth(memory: MemoryTiming) -> float:
    """Return the bytes per cycle of all ports to a memory."""
    return _BEAT_BYTES * memory.bandwidth


def channel_bandwidth(macs: int, memory: MemoryTiming, channel: Channel) -> float:
    """Return the bytes per cycle that a channel can move from or to a memory."""
    writes = channel is Channel.WRITE
    latency = memory.write_latency if writes else memory.read_latency
    outstanding = memory.max_writes if writes else memory.max_reads
    if not latency or not outstanding:
        return port_bandwidth(memory)
    transactions = outstanding * memory.ports * _USABLE
    if not writes:
        burst_beats = max(memory.burst_bytes // _BEAT_BYTES, 1)
        transactions = min(transactions, _READ_BUFFERS[macs][channel] / burst_beats)
    moved = memory.burst_bytes * transactions / latency * _USABLE
    return min(port_bandwidth(memory), moved)


def padded_bytes(memory: MemoryTiming, traffic: Traffic) -> float:
    """Return the bytes of ``traffic`` with what short bursts waste."""
    used = min(traffic.burst_bytes or memory.burst_bytes, memory.burst_bytes)
    return (traffic.read_bytes + traffic.written_bytes) * memory.burst_bytes / used


def access_cycles(
    macs: int, memories: SystemTiming, transfers: Iterable[tuple[Channel, Traffic]]
) -> float:
    """Return the cycles of the memory, or of its channel, that is busy for longest."""
    by_port: dict[AxiPort, float] = {}
    by_channel: dict[tuple[AxiPort, Channel], float] = {}
    for channel, traffic in transfers:
        memory = memories.of(traffic.port)
        moved = padded_bytes(memory, traffic)
        busy = moved / port_bandwidth(memory)
        by_port[traffic.port] = by_port.get(traffic.port, 0) + busy
        key = traffic.port, channel
        taken = moved / channel_bandwidth(macs, memory, channel)
        by_channel[key] = by_channel.get(key, 0) + taken
    return max(*by_port.values(), *by_channel.values(), 0, 0)


def transfer_cycles(macs: int, memories: SystemTiming, moved: Iterable[Traffic]) -> float:
    """Return the cycles of a DMA transfer: its slower side, with the latency of it."""
    longest = 0.0
    for traffic in moved:
        memory = memories.of(traffic.port)
        channel = Channel.MEM2MEM if traffic.read_bytes else Channel.WRITE
        size = traffic.read_bytes + traffic.written_bytes
        taken = size / channel_bandwidth(macs, memory, channel) + memories.latency(traffic)
        longest = max(longest, taken)
    return longest
