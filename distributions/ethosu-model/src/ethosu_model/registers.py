# SPDX-License-Identifier: Apache-2.0
"""The control registers that hold plain values, and the fields of those that do not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntFlag

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import BASE, BASE_POINTERS, DEBUG, ID, PMU

REGISTER_PAGE_BYTES = 0x1000
_WORD = 0xFFFFFFFF


class Status(IntFlag):
    """Fields of STATUS (``status_r``)."""

    RUNNING = 1 << 0
    IRQ_RAISED = 1 << 1
    BUS_STATUS = 1 << 2
    RESET_STATUS = 1 << 3
    CMD_PARSE_ERROR = 1 << 4
    CMD_END_REACHED = 1 << 5
    PMU_IRQ_RAISED = 1 << 6
    WD_FAULT = 1 << 7
    ECC_FAULT = 1 << 8
    FAULTING_AXI1 = 1 << 11


STATUS_ERRORS = Status.BUS_STATUS | Status.CMD_PARSE_ERROR | Status.WD_FAULT | Status.ECC_FAULT
STATUS_FAULTING_CHANNEL_SHIFT = 12
STATUS_IRQ_HISTORY_SHIFT = 16


class Command(IntFlag):
    """Fields of CMD (``cmd_r``)."""

    RUN = 1 << 0
    CLEAR_IRQ = 1 << 1
    CLOCK_Q_ENABLE = 1 << 2
    POWER_Q_ENABLE = 1 << 3
    STOP_REQUEST = 1 << 4


CMD_CLEAR_IRQ_HISTORY_SHIFT = 16
CMD_RESET_VALUE = Command.CLOCK_Q_ENABLE | Command.POWER_Q_ENABLE
PROTECTION_MASK = 0b11  # privilege level, security level: RESET and PROT


@dataclass(frozen=True)
class StoredRegister:
    """A register that reads back the writable bits of what was written."""

    writable: int = _WORD
    reset: int = 0


_AXI_LIMIT = StoredRegister(writable=0xFFFF00F3)

STORED: dict[int, StoredRegister] = {
    BASE.QBASE0.value: StoredRegister(writable=0xFFFFFFFC),
    BASE.QBASE1.value: StoredRegister(),
    BASE.QCONFIG.value: StoredRegister(writable=0b11),
    BASE.QSIZE.value: StoredRegister(writable=0xFFFFFFFC),
    BASE.LOCK.value: StoredRegister(),
    BASE.REGIONCFG.value: StoredRegister(writable=0xFFFF),
    BASE.AXI_LIMIT0.value: _AXI_LIMIT,
    BASE.AXI_LIMIT1.value: _AXI_LIMIT,
    BASE.AXI_LIMIT2.value: _AXI_LIMIT,
    BASE.AXI_LIMIT3.value: _AXI_LIMIT,
    DEBUG.CLKFORCE.value: StoredRegister(writable=0x3F),
    DEBUG.DEBUG_ADDRESS.value: StoredRegister(),
    DEBUG.DEBUG_MISC.value: StoredRegister(),
} | {BASE_POINTERS.BASEP0.value + 4 * i: StoredRegister() for i in range(16)}

# CoreSight component identification; PID0 is the part number's low byte.
IDENTIFICATION: dict[int, int] = {
    ID.PID4.value: 0x04,
    ID.PID0.value: 0x80,
    ID.PID1.value: 0xB5,
    ID.PID2.value: 0x0B,
    ID.CID0.value: 0x0D,
    ID.CID1.value: 0xF0,
    ID.CID2.value: 0x05,
    ID.CID3.value: 0xB1,
}

PMU_REGISTERS: dict[int, PMU] = {reg.value: reg for reg in PMU if reg is not PMU.SIZE}


def register_name(offset: int) -> str:
    """Return the architecture's name of the register at ``offset``, or its offset in hex."""
    blocks: tuple[type[Enum], ...] = (BASE, BASE_POINTERS, DEBUG, ID, PMU)
    for block in blocks:
        for register in block:
            if register.value == offset and register.name != "SIZE":
                return register.name
    return f"0x{offset:03x}"
