# SPDX-License-Identifier: Apache-2.0
"""The timing adapters of Corstone, as register files: they delay nothing here.

Two of them stand between the NPU and its memories. Names and offsets are those of Arm's driver.
"""

from __future__ import annotations

from open_board.machine import ADAPTER_BYTES
from open_board.realism import Realism

VERSION = 0x1117

_NAMES = (
    *("MAXR", "MAXW", "MAXRW", "RLATENCY", "WLATENCY", "PULSE_ON", "PULSE_OFF", "BWCAP"),
    *("PERFCTRL", "PERFCNT", "MODE", "MAXPENDING", "HISTBIN", "HISTCNT", "VERSION"),
)
_READ_ONLY = ("MAXPENDING", "VERSION")
# Widths as the evaluation kit's documentation has them: 6, 12 and 16 bits.
_MAX = {
    **dict.fromkeys(("MAXR", "MAXW", "MAXRW"), 0x3F),
    **dict.fromkeys(("RLATENCY", "WLATENCY"), 0xFFF),
    **dict.fromkeys(("PULSE_ON", "PULSE_OFF", "BWCAP"), 0xFFFF),
}
_WORD_BYTES = 4


class TimingAdapters:
    """Both adapters' page."""

    def __init__(self, realism: Realism) -> None:
        """Begin with every register at zero but VERSION."""
        self._realism = realism
        self._values: tuple[dict[str, int], dict[str, int]] = ({}, {})

    def read(self, offset: int) -> int:
        """Return the word at ``offset`` of the page."""
        adapter, name = self._place(offset)
        if name == "VERSION":
            return VERSION
        return self._values[adapter].get(name, 0) if name else 0

    def write(self, offset: int, value: int) -> None:
        """Write the word at ``offset`` of the page.

        Raises:
            RunError: The register takes no such value, and that is refused.
        """
        adapter, name = self._place(offset)
        if not name or name in _READ_ONLY:
            what = f"{name} is read-only" if name else "there is no such register"
            self._realism.refuse(f"timing adapter {adapter}, offset 0x{offset:02x}: {what}")
            return
        if value > _MAX.get(name, value):
            self._realism.refuse(
                f"timing adapter {adapter}: {name} is set to {value}, above {_MAX[name]}"
            )
        self._values[adapter][name] = value

    @property
    def settings(self) -> tuple[str, ...]:
        """What the program has set, one line for each adapter that it has set at all."""
        return tuple(
            f"AXI{adapter}: " + " ".join(f"{name} {value}" for name, value in values.items())
            for adapter, values in enumerate(self._values)
            if values
        )

    def _place(self, offset: int) -> tuple[int, str]:
        adapter, at = divmod(offset, ADAPTER_BYTES)
        index = at // _WORD_BYTES
        known = adapter < len(self._values) and index < len(_NAMES)
        return (adapter if known else 0), _NAMES[index] if known else ""
