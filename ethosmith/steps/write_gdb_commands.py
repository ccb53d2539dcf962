# SPDX-License-Identifier: Apache-2.0
"""Write gdb commands that know the NPU's registers by name."""

from __future__ import annotations

from collections.abc import Iterable

from ethosmith.core.files import write_text
from ethosmith.steps.step import Output, Step, step

_HEAD = """\
# Commands for gdb: `npu` shows the registers of the NPU at {address:#x}, and each is the word that
# a variable points to: `print/x *$NPU_STATUS`, `watch *$NPU_CMD`.
"""


@step(verb="GDB")
class WriteGdbCommands(Step):
    """Write gdb commands that show and name the NPU's registers.

    Attributes:
        address: of the NPU's registers, as the firmware sees them.
        output: for gdb's command source.
    """

    address: int
    output: Output

    def run(self) -> None:
        """Write the file."""
        from ethosu_model.registers import REGISTERS

        named = [(register.name, offset) for offset, register in sorted(REGISTERS.items())]
        write_text(self.output, gdb_commands(self.address, named))


def gdb_commands(address: int, registers: Iterable[tuple[str, int]]) -> str:
    """Return commands for gdb.

    Args:
        address: of the first register.
        registers: name and offset in bytes of each.
    """
    lines = [_HEAD.format(address=address)]
    shown = []
    for name, offset in registers:
        lines.append(f"set $NPU_{name} = (unsigned int *) {address + offset:#x}")
        shown.append(f'  printf "{name:<20} 0x%08x\\n", *$NPU_{name}')
    lines += ["define npu", *shown, "end"]
    lines += ["document npu", "Show the NPU's registers.", "end"]
    return "\n".join(lines) + "\n"
