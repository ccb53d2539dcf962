# SPDX-License-Identifier: Apache-2.0
"""What the host hands to the NPU with CMD.run, and what a finished job leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from ethosu_model.faults import AxiPort, NpuFault

REGIONS = 8


@dataclass(frozen=True)
class Job:
    """A command stream and the memory regions it may name.

    Attributes:
        stream_address: QBASE.
        stream_bytes: QSIZE.
        stream_port: AXI port that fetches commands (QCONFIG).
        region_bases: BASEP0 to BASEP7, 64 bits each.
        region_ports: AXI port of each region (REGIONCFG).
    """

    stream_address: int
    stream_bytes: int
    stream_port: AxiPort
    region_bases: tuple[int, ...]
    region_ports: tuple[AxiPort, ...]


@dataclass
class JobResult:
    """How far a job came and what it cost.

    Attributes:
        read_offset: QREAD: bytes of the command stream consumed.
        end_reached: All of the stream was consumed without a fault.
        irq_raised: The stream asked for an interrupt.
        irq_mask: OR of the masks of NPU_OP_IRQ and NPU_OP_STOP.
        fault: What stopped the job, if not its end.
        masked_events: Event counts of the operations under NPU_OP_PMU_MASK.
        events: Event counts of all others, by ``pmu_event_type``.
    """

    read_offset: int = 0
    end_reached: bool = False
    irq_raised: bool = False
    irq_mask: int = 0
    fault: NpuFault | None = None
    events: dict[int, int] = field(default_factory=dict)
    masked_events: dict[int, int] = field(default_factory=dict)
