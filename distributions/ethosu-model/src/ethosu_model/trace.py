# SPDX-License-Identifier: Apache-2.0
"""A listener that sees every command the NPU executes."""

from __future__ import annotations

from typing import Protocol

from ethosu_model.events import EventTotals


class Trace(Protocol):
    """Told of the commands of a job, in order."""

    def command(self, offset: int, name: str, operands: str) -> None:
        """See one command.

        Args:
            offset: Byte offset in the command stream.
            name: The command's name, such as ``NPU_OP_CONV``.
            operands: Its resolved operands in one line.
        """

    def ofm(self, offset: int, name: str, shape: tuple[int, int, int], data: bytes) -> None:
        """See the OFM that the command at ``offset`` wrote: height, width, depth, NHWC bytes."""

    def cost(self, offset: int, name: str, added: EventTotals) -> None:
        """See what the command at ``offset`` adds to the job's cycles and beats.

        The fetch of the commands comes last, named ``commands``, at the offset that the job began
        at; all costs together are the job's.
        """
