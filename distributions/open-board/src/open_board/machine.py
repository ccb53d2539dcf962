# SPDX-License-Identifier: Apache-2.0
"""What all boards have in common: QEMU's MPS3 with a Corstone subsystem, and its memory."""

from __future__ import annotations

from dataclasses import dataclass

NPU_PAGE_BYTES = 0x1000  # of Ethos-U55 and U65
UART_PAGE_BYTES = 0x1000
# Both timing adapters.
ADAPTER_PAGE_BYTES = 0x1000
ADAPTER_BYTES = 0x200  # from one to the other

# QEMU's CPU with its NVIC, and the name that qtest has for the NVIC's lines.
QEMU_CPU = "/machine/iotkit/cluster0/armv7m0"
QEMU_CPU_LINES = "unnamed-gpio-in"
# The secure alias of the system control block's INITSVTOR0: the vector table of the next reset.
INITSVTOR0 = 0x58021110


@dataclass(frozen=True)
class QemuMachine:
    """A machine of QEMU.

    Attributes:
        name: As ``-machine`` takes it.
        cpu_type: QEMU's type of its CPU, for ``-global``.
    """

    name: str
    cpu_type: str


# Every QEMU that is new enough has it.
AN547 = QemuMachine("mps3-an547", "cortex-m55-arm-cpu")


@dataclass(frozen=True)
class AddressRange:
    """``size_bytes`` bytes from ``base``."""

    name: str
    base: int
    size_bytes: int

    @property
    def end(self) -> int:
        """The first address behind the range."""
        return self.base + self.size_bytes

    def holds(self, address: int, size_bytes: int) -> bool:
        """Tell whether all of ``size_bytes`` bytes from ``address`` lie in the range."""
        return self.base <= address and address + size_bytes <= self.end


@dataclass(frozen=True)
class SharedRam:
    """A RAM that the CPU and the NPU both reach, at one or two aliases.

    Attributes:
        name: Its name in the board's documents.
        size_bytes: Its size.
        bases: Where it appears; every alias shows the same bytes.
    """

    name: str
    size_bytes: int
    bases: tuple[int, ...]


# QEMU keeps all DDR4 banks, secure and non-secure, in one block of RAM.
DDR = AddressRange("DDR", 0x60000000, 0x80000000)
BRAM = SharedRam("BRAM", 0x200000, (0x11000000, 0x01000000))
SRAM = SharedRam("SRAM", 0x400000, (0x31000000, 0x21000000))
ITCM = SharedRam("ITCM", 0x80000, (0x00000000, 0x10000000))
DTCM = SharedRam("DTCM", 0x80000, (0x20000000, 0x30000000))

NPU_RAMS = (SRAM, BRAM)
CPU_RAMS = (*NPU_RAMS, ITCM, DTCM)


def ram_holds(ram: SharedRam, address: int, size_bytes: int) -> bool:
    """Tell whether the range lies within one alias of ``ram``."""
    return any(
        base <= address and address + size_bytes <= base + ram.size_bytes for base in ram.bases
    )


def is_secure_alias(address: int) -> bool:
    """Tell whether an address is of a secure alias: bit 28, as the IDAU has it."""
    return bool(address >> 28 & 1)


def is_memory(address: int, size_bytes: int) -> bool:
    """Tell whether all of the range is one of the board's memories."""
    return DDR.holds(address, size_bytes) or any(
        ram_holds(ram, address, size_bytes) for ram in CPU_RAMS
    )


def is_npu_memory(address: int) -> bool:
    """Tell whether the NPU reaches the memory at an address."""
    return DDR.holds(address, 1) or any(ram_holds(ram, address, 1) for ram in NPU_RAMS)


def page_offset(
    bases: tuple[int, ...], page_bytes: int, address: int, size_bytes: int
) -> int | None:
    """Return the offset in a page with some aliases, or None if the access is not all in it."""
    for base in bases:
        if base <= address and address + size_bytes <= base + page_bytes:
            return address - base
    return None
