# SPDX-License-Identifier: Apache-2.0
"""How quick the memories behind the AXI ports are, and what transfers cost there.

The quantities are those of a system config of Vela; the rules are those of its
npu_performance: bursts shorter than a memory's own waste what is left of them, and all that goes
over a port in one operation shares its bandwidth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethosu_model.faults import AxiPort

if TYPE_CHECKING:
    from ethosu_model.traffic import Traffic


@dataclass(frozen=True)
class MemoryTiming:
    """The memory behind one port.

    Attributes:
        bandwidth: Beats of data per cycle: 1 for each port that is never without any.
        burst_bytes: Shortest transfer that uses the bandwidth.
        read_latency: Cycles from a read's address to its first data.
        write_latency: The same of a write.
        ports: How many lead there, which Ethos-U85 has several of.
        max_reads: Outstanding reads of a port that the memory takes; 0: any number.
        max_writes: The same of writes.
    """

    bandwidth: float = 1.0
    burst_bytes: int = 1
    read_latency: int = 0
    write_latency: int = 0
    ports: int = 1
    max_reads: int = 0
    max_writes: int = 0


@dataclass(frozen=True)
class SystemTiming:
    """The memories behind both ports; without arguments, one beat per cycle and no latency."""

    axi0: MemoryTiming = MemoryTiming()
    axi1: MemoryTiming = MemoryTiming()

    def of(self, port: AxiPort) -> MemoryTiming:
        """Return the memory behind ``port``."""
        return self.axi0 if port is AxiPort.AXI0 else self.axi1

    def cycles(self, traffic: Traffic, beat_bytes: int) -> float:
        """Return the cycles that ``traffic`` keeps its port busy."""
        memory = self.of(traffic.port)
        used = min(traffic.burst_bytes or memory.burst_bytes, memory.burst_bytes)
        moved = traffic.read_bytes + traffic.written_bytes
        return moved * memory.burst_bytes / used / (beat_bytes * memory.bandwidth)

    def latency(self, traffic: Traffic) -> int:
        """Return the cycles before the first data of ``traffic``."""
        memory = self.of(traffic.port)
        return memory.read_latency if traffic.read_bytes else memory.write_latency

    def operation(self, traffic: Iterable[Traffic], beat_bytes: int) -> float:
        """Return the cycles of the port that is busy for longest."""
        busy = dict.fromkeys(AxiPort, 0.0)
        for entry in traffic:
            busy[entry.port] += self.cycles(entry, beat_bytes)
        return max(busy.values())

    def transfer(self, traffic: Iterable[Traffic], beat_bytes: int) -> float:
        """Return the cycles of a DMA transfer: its slower side, a read with its latency."""
        return max(
            (
                self.cycles(entry, beat_bytes) + (self.latency(entry) if entry.read_bytes else 0)
                for entry in traffic
            ),
            default=0.0,
        )


IDEAL = SystemTiming()
