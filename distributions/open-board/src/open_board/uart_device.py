# SPDX-License-Identifier: Apache-2.0
"""The CMSDK UART as hardware has it: one byte in the shifter, one waiting, and none beyond.

QEMU's UART is never full. Here each byte keeps it full until the program has seen that it is.
"""

from __future__ import annotations

from open_board.realism import Realism

ADDRESS, SIZE_BYTES = 0x49303000, 0x1000
DATA, STATE, CTRL, BAUDDIV = 0x00, 0x04, 0x08, 0x10
CLOCK_HZ = 25_000_000
BAUD = 115_200

_STATE_TX_FULL = 1 << 0
_CTRL_TX_ENABLE, _CTRL_RX_ENABLE = 1 << 0, 1 << 1
_MIN_BAUDDIV = 16
_MAX_ERROR_PERCENT = 3


class UartDevice:
    """Checks a program's use of the transmitter.

    Attributes:
        sent: Bytes that the program has sent.
    """

    def __init__(self, realism: Realism) -> None:
        self._realism = realism
        self._full = False
        self._ctrl = self._bauddiv = 0
        self.sent = 0

    @property
    def interrupts(self) -> bool:
        """The program has enabled some of its interrupts, which QEMU's UART has to raise."""
        return bool(self._ctrl & ~(_CTRL_TX_ENABLE | _CTRL_RX_ENABLE))

    def read_state(self) -> int:
        """Return STATE; a byte that was sent keeps it full for one read."""
        state = _STATE_TX_FULL if self._full else 0
        self._full = False
        return state

    def write(self, offset: int, value: int) -> None:
        """See a write, which QEMU's UART carries out.

        Raises:
            RunError: The byte would be lost or unreadable, and that is refused.
        """
        if offset == CTRL:
            self._ctrl = value
        elif offset == BAUDDIV:
            self._bauddiv = value
        elif offset == DATA:
            self._check(value)
            self._full = True
            self.sent += 1

    def _check(self, value: int) -> None:
        byte = f"byte 0x{value & 0xFF:02x} on UART0"
        if not self._ctrl & _CTRL_TX_ENABLE:
            self._realism.refuse(f"{byte}: the transmitter is off; set CTRL.TX_EN first")
        if self._full:
            self._realism.refuse(
                f"{byte} is lost: the one before it is still being sent; wait until"
                " STATE.TX_FULL is clear"
            )
        baud = CLOCK_HZ / self._bauddiv if self._bauddiv >= _MIN_BAUDDIV else 0
        if abs(baud - BAUD) * 100 > BAUD * _MAX_ERROR_PERCENT:
            self._realism.refuse(
                f"{byte}: BAUDDIV {self._bauddiv} is {baud:.0f} baud at {CLOCK_HZ} Hz, expected"
                f" {BAUD}: BAUDDIV {CLOCK_HZ // BAUD}"
            )
