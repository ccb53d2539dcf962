# SPDX-License-Identifier: Apache-2.0
"""What has been carried out in the stopped CPU's stead, and the packets that tell QEMU so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from open_board.gdb_client import (
    CONTINUE,
    PC,
    XPSR,
    CoreRegisters,
    continue_at,
    write_general,
    write_register,
)

_FEW_REGISTERS = 2  # PC among them: one packet each costs less than all in one


class NpuAccess(NamedTuple):
    """One access to the register page.

    Attributes:
        offset: Offset of its first byte in the page.
        is_load: The CPU reads.
    """

    offset: int
    is_load: bool


@dataclass(frozen=True)
class Served:
    """Instructions that have been carried out for the CPU.

    Attributes:
        after: Its registers' new values.
        registers: Its registers before.
        accesses: Offset in the NPU's page and direction of each access.
        writes: The gdb packets that write what the instructions have written to memory.
    """

    after: CoreRegisters
    registers: CoreRegisters
    accesses: list[NpuAccess]
    writes: list[bytes]

    @property
    def changes(self) -> dict[int, int]:
        """Its registers' new values by number, PC among them."""
        numbered = enumerate(zip(self.after.general, self.registers.general, strict=True))
        changes = {n: new for n, (new, old) in numbered if new != old or n == PC}
        if self.after.xpsr != self.registers.xpsr:
            changes[XPSR] = self.after.xpsr
        return changes

    @property
    def packets(self) -> list[bytes]:
        """The gdb packets that give the CPU its registers' values."""
        changes = self.changes.items()
        return [*self.writes, *(write_register(number, value) for number, value in changes)]

    @property
    def resumption(self) -> tuple[list[bytes], bytes]:
        """The fewest packets that do so, and the one that then lets the CPU go on.

        Each packet costs QEMU two messages.
        """
        changes, first = self.changes, self.writes
        if XPSR in changes:
            first = [*first, write_register(XPSR, changes.pop(XPSR))]
        if len(changes) > _FEW_REGISTERS:
            return [*first, write_general(self.after.general)], CONTINUE
        pc = changes.pop(PC)
        rest = [write_register(number, value) for number, value in changes.items()]
        return [*first, *rest], continue_at(pc)
