# SPDX-License-Identifier: Apache-2.0
"""The CPU's data cache, as far as a program can be wrong about it.

QEMU has no caches: what the CPU sees of RAM is QEMU's memory. The NPU works on a copy of its own
here, which stands for what is in the memory chips. Clean operations move lines from the CPU's view
to the copy, invalidate operations the other way. Where the hardware's answer would depend on what
happens to be in the cache, the program is refused.

Nobody sees the CPU's writes as they happen: a line was written if it no longer holds what it held
when CPU and memory last agreed. So after a job the CPU's view of what the NPU has written becomes
the complement of it, which no program writes there by chance.

SRAM and the first half of DDR are write-back, BRAM and the second half write-through: the default
memory map of Armv8-M. Regions that an MPU makes non-cacheable are not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ethosu_model.memory import BusFault
from open_board.cache_bank import LINE_BYTES, Bank, is_write_through, lines_of, populated
from open_board.guest_memory import NpuMemory, PhysicalMemory, SharedDdr
from open_board.machine import BRAM, DDR, SRAM
from open_board.realism import Realism
from open_board.spans import Span

# Offsets of the maintenance registers from the first of them, DCIMVAC.
FIRST_OPERATION, OPERATIONS_BYTES = 0xE000EF5C, 0x1C
_INVALIDATE_LINE, _INVALIDATE_SETS, _CLEAN_LINES = 0x00, 0x04, (0x08, 0x0C)
_CLEAN_SETS, _CLEAN_INVALIDATE_LINE, _CLEAN_INVALIDATE_SETS = 0x10, 0x14, 0x18


class CachedMemory(NpuMemory):
    """The NPU's view of memory beside a CPU with a data cache.

    Attributes:
        enabled: The data cache is on; before, CPU and NPU see the same.
    """

    def __init__(
        self,
        ddr: SharedDdr,
        physical: PhysicalMemory,
        check_time: Callable[[], None],
        realism: Realism,
    ) -> None:
        """Make the view; see NpuMemory."""
        super().__init__(ddr, physical, check_time)
        self._realism = realism
        self._shared_ddr = ddr
        self._physical = physical
        self._banks = [
            Bank((DDR.base,), DDR.size_bytes, ddr),
            *(Bank(ram.bases, ram.size_bytes, physical) for ram in (SRAM, BRAM)),
        ]
        self.enabled = False
        self.describe: Callable[[int], str] = lambda address: f"0x{address:08x}"

    def close(self) -> None:
        """Give the memory back."""
        for bank in self._banks:
            bank.close()

    def enable(self) -> None:
        """Switch the data cache on: until now CPU and NPU saw the same."""
        if self.enabled:
            return
        self.enabled = True
        ddr, *rams = self._banks
        for start, end in populated(self._shared_ddr.fd):
            ddr.load(start, self._shared_ddr.read(DDR.base + start, end - start))
        for bank in rams:
            bank.load(0, self._physical.read(bank.bases[0], bank.size_bytes))

    def set_non_secure(self, non_secure: bool) -> None:
        """Begin a job."""
        super().set_non_secure(non_secure)
        self._forget()

    def write_back(self) -> None:
        """See that the CPU will run; it gets what the NPU wrote by invalidating."""
        if self.enabled:
            for bank in self._banks:
                bank.hide_written()
            self._forget()
        else:
            super().write_back()

    def _forget(self) -> None:
        for bank in self._banks:
            bank.forget()

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return memory; see NpuMemory.

        Raises:
            BusFault: Not all of the range is memory that the NPU reaches.
            RunError: The CPU has written some of it and not cleaned it, and that is refused.
        """
        if not self.enabled:
            return super().read(address, size_bytes)
        self._check(address)
        bank, offset = self._bank(address, size_bytes)
        bank.base = address - offset
        self._settle(bank, offset, offset + size_bytes, "reads")
        return bank.memory[offset : offset + size_bytes]

    def write(self, address: int, data: bytes) -> None:
        """Store ``data``; see NpuMemory.

        Raises:
            BusFault: Not all of the range is memory that the NPU reaches.
            RunError: A line of it is dirty in the CPU's cache, and that is refused.
        """
        if not self.enabled:
            super().write(address, data)
            return
        self._check(address)
        bank, offset = self._bank(address, len(data))
        bank.base = address - offset
        start, end = lines_of(offset, offset + len(data))
        self._settle(bank, start, end, "writes")
        bank.memory[offset : offset + len(data)] = data
        bank.stale.add(start, end)
        bank.written.add(start, end)

    def _settle(self, bank: Bank, start: int, end: int, verb: str) -> None:
        """Let the CPU's writes of a range reach the memory, or refuse that they have not."""
        cpu = bank.cpu(start, end - start)
        agreed = bank.agreed[start:end]
        if cpu == agreed:
            return
        first = next(i for i in range(len(cpu)) if cpu[i] != agreed[i])
        address = bank.base + start + first
        if not is_write_through(address):
            self._realism.refuse(
                f"the NPU {verb} {self.describe(address)}, which the CPU has written and not"
                f" cleaned (line 0x{address & ~(LINE_BYTES - 1):08x}): clean it before the job"
            )
        for index, byte in enumerate(cpu):
            if byte != agreed[index]:
                bank.memory[start + index] = bank.agreed[start + index] = byte

    def maintain(self, offset: int, value: int, running: bool) -> None:
        """Carry out a cache maintenance operation.

        Args:
            offset: Of its register from DCIMVAC.
            value: What the CPU writes.
            running: The NPU is at work.

        Raises:
            RunError: It loses data, or comes too early, and that is refused.
        """
        if not self.enabled:
            return
        if offset in (_INVALIDATE_SETS, _CLEAN_SETS, _CLEAN_INVALIDATE_SETS):
            self._maintain_all(offset, running)
            return
        line = value & ~(LINE_BYTES - 1)
        try:
            bank, at = self._bank(line, LINE_BYTES)
        except BusFault:
            return  # tightly coupled memory and devices are not cached
        if offset in (*_CLEAN_LINES, _CLEAN_INVALIDATE_LINE):
            self._clean(bank, at)
        if offset in (_INVALIDATE_LINE, _CLEAN_INVALIDATE_LINE):
            self._invalidate(bank, at, line, running)

    def _clean(self, bank: Bank, at: int) -> None:
        cpu = bank.cpu_line(at)
        if cpu != bank.agreed[at : at + LINE_BYTES]:
            bank.load(at, cpu)
            bank.stale.remove(at, at + LINE_BYTES)

    def _invalidate(self, bank: Bank, at: int, line: int, running: bool) -> None:
        cpu = bank.cpu_line(at)
        if cpu != bank.agreed[at : at + LINE_BYTES]:
            if is_write_through(line):
                self._clean(bank, at)
            else:
                self._refuse_loss(line)
        if running and bank.stale.overlap(at, at + LINE_BYTES):
            self._realism.refuse(
                f"line 0x{line:08x} ({self.describe(line)}) is invalidated while the NPU may still"
                " write it: invalidate when the job has ended"
            )
        memory = bank.memory[at : at + LINE_BYTES]
        if memory != cpu:
            bank.store(at, memory)
        bank.agreed[at : at + LINE_BYTES] = memory
        bank.stale.remove(at, at + LINE_BYTES)

    def _maintain_all(self, offset: int, running: bool) -> None:
        """By set and way: taken for a walk through the whole cache, at its first step."""
        self._forget()
        for bank in self._banks:
            for start, end in self._in_use(bank):
                self._clean_span(bank, start, end, loses=offset == _INVALIDATE_SETS)
        if offset in (_INVALIDATE_SETS, _CLEAN_INVALIDATE_SETS):
            for bank in self._banks:
                for start, end in list(bank.stale):
                    for at in range(start, end, LINE_BYTES):
                        self._invalidate(bank, at, bank.base + at, running)
        self._forget()

    def _in_use(self, bank: Bank) -> Iterator[Span]:
        if bank.bases == (DDR.base,):
            yield from populated(self._shared_ddr.fd)
        else:
            yield 0, bank.size_bytes

    def _clean_span(self, bank: Bank, start: int, end: int, *, loses: bool) -> None:
        """Clean all lines of a span, or refuse that what was written there is lost."""
        cpu = self._physical_of(bank).read(bank.bases[0] + start, end - start)
        if cpu == bank.agreed[start:end]:
            return
        for at in range(start, end, LINE_BYTES):
            line = cpu[at - start : at - start + LINE_BYTES]
            if line != bank.agreed[at : at + LINE_BYTES]:
                if loses and not is_write_through(bank.base + at):
                    self._refuse_loss(bank.base + at)
                bank.load(at, line)
                bank.stale.remove(at, at + LINE_BYTES)

    def _refuse_loss(self, line: int) -> None:
        self._realism.refuse(
            f"line 0x{line:08x} ({self.describe(line)}) is invalidated, and what the CPU has"
            " written there is lost: clean it, or keep it apart from the NPU's data"
        )

    def _physical_of(self, bank: Bank) -> PhysicalMemory:
        return self._shared_ddr if bank.bases == (DDR.base,) else self._physical

    def check_cpu_read(self, address: int, size_bytes: int, place: Callable[[], str]) -> None:
        """See that the CPU reads memory.

        Raises:
            RunError: It gets old bytes, since the NPU has written newer ones; and that is refused.
        """
        try:
            bank, offset = self._bank(address, size_bytes)
        except BusFault:
            return
        if not bank.stale.overlap(offset, offset + size_bytes):
            return
        for at in range(*lines_of(offset, offset + size_bytes), LINE_BYTES):
            unwritten = bank.cpu_line(at) == bank.agreed[at : at + LINE_BYTES]
            if unwritten and bank.stale.overlap(at, at + LINE_BYTES):
                self._realism.refuse(
                    f"the CPU reads {self.describe(address)} at {place()}, which the NPU has"
                    f" written and the CPU not invalidated (line 0x{bank.base + at:08x})"
                )

    def stale(self) -> list[Span]:
        """Return the spans whose reading by the CPU has to be seen."""
        banks = self._banks
        return [(bank.base + start, bank.base + end) for bank in banks for start, end in bank.stale]

    def dump(self, address: int, size_bytes: int) -> bytes:
        """Return what is in memory, for a dump; the CPU's view where the NPU does not reach."""
        try:
            bank, offset = self._bank(address, size_bytes)
        except BusFault:
            return self._physical.read(address, size_bytes)
        if self.enabled:
            self._forget()
            if is_write_through(address):
                self._settle(bank, offset, offset + size_bytes, "holds")
            return bank.memory[offset : offset + size_bytes]
        return self._physical_of(bank).read(bank.bases[0] + offset, size_bytes)

    def _bank(self, address: int, size_bytes: int) -> tuple[Bank, int]:
        for bank in self._banks:
            for base in bank.bases:
                if base <= address and address + size_bytes <= base + bank.size_bytes:
                    return bank, address - base
        raise BusFault(address)
