# SPDX-License-Identifier: Apache-2.0
"""The ways an NPU job can end badly, one exception per STATUS bit."""

from __future__ import annotations

from enum import IntEnum

from ethosu_model.memory import BusFault


class AxiPort(IntEnum):
    """STATUS.faulting_interface."""

    AXI0 = 0
    AXI1 = 1


class AxiChannel(IntEnum):
    """STATUS.faulting_channel: who asked for the transfer."""

    COMMAND = 0
    IFM = 1
    WEIGHT = 2
    SCALE = 3
    DMA_READ = 4
    OFM = 8
    DMA_WRITE = 9


class NpuFault(Exception):  # noqa: N818 - faults of the machine, not of this program
    """A job stopped; the message says why, for traces and error reports."""


class CommandFault(NpuFault):
    """STATUS.cmd_parse_error: a command or its operands are not legal."""


class WeightFault(NpuFault):
    """STATUS.wd_fault: the weight decoder met a stream that is not one."""


class TransferFault(NpuFault):
    """STATUS.bus_status: a transfer met a bus error."""

    def __init__(self, port: AxiPort, channel: AxiChannel, cause: BusFault) -> None:
        super().__init__(f"bus fault on {port.name}, {channel.name} channel: {cause}")
        self.port = port
        self.channel = channel
        self.address = cause.address
