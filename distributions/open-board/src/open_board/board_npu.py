# SPDX-License-Identifier: Apache-2.0
"""The NPU as a part of the board: its jobs and resets last, and power and security have a say.

The model carries out a job within the write of CMD that starts it. The CPU does not see that:
STATUS says RUNNING and the interrupt stays low until the job is ended, after some reads of the
registers or where the program begins to sleep.
"""

from __future__ import annotations

from collections.abc import Callable

from open_board.npu_registers import NpuRegisters, starts_job
from open_board.realism import Realism

STATUS, CMD, RESET, QREAD, PROT = 0x04, 0x08, 0x0C, 0x18, 0x24
STATUS_RUNNING, STATUS_RESET = 1 << 0, 1 << 3
_CMD_STOP = 1 << 4
_CMD_RUN = 1 << 0
_CMD_POWER_Q = 1 << 3
_PROT_NON_SECURE = 1 << 1

_RESET_READS = 2  # of STATUS that find the reset going on
# Constants of the build: they need no power to be right.
_CONSTANT = {0x00, 0x28}


class BoardNpu:
    """The register page of an NPU between the bridge and the model.

    Attributes:
        running: A job goes on, as far as the CPU can tell.
    """

    def __init__(
        self,
        inner: NpuRegisters,
        realism: Realism,
        set_non_secure: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """Stand in front of ``inner``.

        Args:
            inner: The model.
            realism: What is done as the hardware does.
            set_non_secure: Told before each job whether the NPU's accesses are non-secure.
        """
        self._inner = inner
        self._realism = realism
        self._set_non_secure = set_non_secure
        self.running = False
        self._job_reads_left = 0
        self._reset_reads_left = 0
        self._power_may_go = False

    @property
    def inner(self) -> NpuRegisters:
        """The model."""
        return self._inner

    @property
    def irq(self) -> bool:
        """Level of the interrupt line."""
        return self._inner.irq and not self.running

    def peek(self, offset: int) -> int:
        """Return a word without any effect, for a debugger."""
        return self._inner.read_register(offset)

    def read(self, offset: int) -> int:
        """Return the word at ``offset`` of the page.

        Raises:
            RunError: Hardware could answer otherwise, and that is refused.
        """
        if self._reset_reads_left:
            return self._read_in_reset(offset)
        self._lose_power(offset, "read from")
        if not self.running:
            return self._inner.read_register(offset)
        self._job_reads_left -= 1
        if self._job_reads_left < 0:
            self.finish()
            return self._inner.read_register(offset)
        if offset == STATUS:
            return STATUS_RUNNING
        return 0 if offset == QREAD else self._inner.read_register(offset)

    def write(self, offset: int, value: int, *, secure: bool = True) -> bool:
        """Write the word at ``offset`` of the page.

        Args:
            offset: In the page, in bytes.
            value: The word.
            secure: The CPU used the page's secure alias.

        Returns:
            Whether the write started a job.

        Raises:
            RunError: Hardware could ignore the write, and that is refused.
        """
        if offset == RESET:
            self._reset(value, secure)
            return False
        if self._reset_reads_left:
            self._realism.refuse(
                f"register 0x{offset:03x} of the NPU is written while its reset goes on: wait until"
                " STATUS.reset_status is clear"
            )
            return False
        starts = starts_job(offset, value)
        self._lose_power(offset, "told to run" if starts else "written to", starts)
        if offset == CMD:
            return self._command(value)
        if self.running:
            self._realism.refuse(
                f"register 0x{offset:03x} of the NPU is written while a job runs: wait for its"
                " interrupt"
            )
        self._inner.write_register(offset, value)
        return False

    def finish(self) -> None:
        """End the job; the interrupt line and STATUS now tell how."""
        self.running = False

    def _command(self, value: int) -> bool:
        self._power_may_go = self._realism.npu_time and bool(value & _CMD_POWER_Q)
        if self.running:
            if value & _CMD_RUN:
                self._realism.refuse("a job is started while another one runs")
            self._inner.write_register(CMD, value & ~_CMD_RUN)
            if value & _CMD_STOP:
                self.finish()
            return False
        starts = starts_job(CMD, value)
        if starts:
            prot = self._inner.read_register(PROT)
            self._set_non_secure(self._realism.npu_security and bool(prot & _PROT_NON_SECURE))
            self._job_reads_left = self._realism.job_reads
            self.running = self._realism.npu_time and self._job_reads_left > 0
        self._inner.write_register(CMD, value)
        return starts

    def _reset(self, value: int, secure: bool) -> None:
        """Take the levels asked for; nobody can raise the NPU above the own level."""
        if self._realism.npu_security and not secure and not value & _PROT_NON_SECURE:
            self._realism.refuse(
                "the NPU's non-secure page cannot reset it to secure: write RESET by the secure"
                " page, or with pending_CSL = 1"
            )
            value |= _PROT_NON_SECURE
        self.running = False
        # A reset NPU stays powered until CMD is written.
        self._power_may_go = False
        self._inner.write_register(RESET, value)
        self._reset_reads_left = _RESET_READS if self._realism.npu_time else 0

    def _read_in_reset(self, offset: int) -> int:
        if offset == STATUS:
            self._reset_reads_left -= 1
            return STATUS_RESET
        if offset not in _CONSTANT:
            self._realism.refuse(
                f"register 0x{offset:03x} of the NPU is read while its reset goes on: wait until"
                " STATUS.reset_status is clear"
            )
        return self._inner.read_register(offset) if offset in _CONSTANT else 0

    def _lose_power(self, offset: int, access: str, starts: bool = False) -> None:
        """Forget the registers, as an idle NPU may at any time while CMD allows power-off."""
        if not self._power_may_go or self.running or self._inner.irq:
            return
        if starts or offset not in (STATUS, CMD, *_CONSTANT):
            self._realism.refuse(
                f"register 0x{offset:03x} of the NPU is {access} while CMD allows power-off: its"
                " value may be lost with the power; reset the NPU or write 0 to CMD first"
            )
        self._inner.write_register(RESET, 0)
