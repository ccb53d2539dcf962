# SPDX-License-Identifier: Apache-2.0
"""Show what a board prints on a serial port."""

from __future__ import annotations

import sys
from contextlib import suppress

from ethosmith.steps.step import Step, Unsigned, step


@step(verb="MONITOR", packages=("pyserial",), cacheable=False, owns_terminal=True)
class MonitorBoard(Step):
    """Show what a board prints on a serial port, until Ctrl-C.

    Attributes:
        port: the board's serial port.
        baud: its rate, bits a second.
    """

    port: Unsigned[str]
    baud: int

    def run(self) -> None:
        """Show what comes.

        Raises:
            EthosmithError: the port cannot be opened, or goes.
        """
        from ethosmith.verify.serial_port import opened, read_available
        from open_board.visible import Visible

        visible = Visible()
        with suppress(KeyboardInterrupt), opened(self.port, self.baud) as device:
            while True:
                sys.stdout.buffer.write(visible.text(read_available(device)))
                sys.stdout.buffer.flush()

    @property
    def title(self) -> str:
        """The port."""
        return f"{self.port} at {self.baud} baud; Ctrl-C ends it"
