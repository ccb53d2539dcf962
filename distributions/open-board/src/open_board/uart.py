# SPDX-License-Identifier: Apache-2.0
"""Watch the UART for the end of the program: EOT, then its exit code as one byte."""

from __future__ import annotations

from open_board.job import Outcome, RunError, UartSink, discard

EOT = 0x04
MAX_OUTPUT_BYTES = 1 << 24


class UartWatch:
    """Collect UART output until the program's end.

    Attributes:
        output: What came before EOT.
        ended: EOT has come.
        exit_code: The byte after EOT; None until it comes.
    """

    def __init__(self, sink: UartSink = discard) -> None:
        """Hand output on to ``sink`` as it comes."""
        self._sink = sink
        self.output = bytearray()
        self.ended = False
        self.exit_code: int | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes from the UART; whatever follows the exit code is ignored.

        Raises:
            RunError: The program prints without end.
        """
        if not self.ended:
            text, eot, data = data.partition(bytes((EOT,)))
            self.output += text
            if len(self.output) > MAX_OUTPUT_BYTES:
                raise RunError(
                    Outcome.TOO_MUCH_OUTPUT,
                    f"more than {MAX_OUTPUT_BYTES >> 20} MiB on the UART without EOT",
                )
            if text:
                self._sink(text)
            self.ended = bool(eot)
        if self.ended and self.exit_code is None and data:
            self.exit_code = data[0]
