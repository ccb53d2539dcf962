# SPDX-License-Identifier: Apache-2.0
"""A coarse estimate of the cycles that Ethos-U85 takes; no figure of the hardware.

The MAC array at its full rate, or the output stage at the rate of Vela's table, or one beat per
port and cycle: the slowest of them.
"""

from __future__ import annotations

from math import ceil

from ethosu_model.accounting import OperationCost, busiest_port_bytes
from ethosu_model.config import AcceleratorConfig
from ethosu_model.cycles import Cycles
from ethosu_model.events import traffic_events
from ethosu_model.operands import Shape
from ethosu_model.traffic import Traffic

_OUTPUT_RATE = 64  # of Vela's performance table: cycles per element, times MACs


def operation_cost(
    accelerator: AcceleratorConfig,
    ofm: Shape,
    multiply_accumulates: int,
    ifm_bits: int,
    traffic: list[Traffic],
) -> OperationCost:
    """Return the cost of an operation.

    Args:
        accelerator: The build.
        ofm: Size of the OFM.
        multiply_accumulates: How many, of 8 bits; one of 16 bits counts for two.
        ifm_bits: Element size of the IFM.
        traffic: What it moves.
    """
    busy = multiply_accumulates * (2 if ifm_bits == 16 else 1) / accelerator.macs
    output = ofm.elements * _OUTPUT_RATE / accelerator.macs
    memory = busiest_port_bytes(traffic) / accelerator.axi_bytes
    return OperationCost(
        Cycles(total=max(1, ceil(max(busy, output, memory))), mac_active=ceil(busy)),
        ifm_bits,
        traffic_events(traffic, accelerator.axi_bytes),
    )
