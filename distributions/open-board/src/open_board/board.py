# SPDX-License-Identifier: Apache-2.0
"""What tells one board from another, as data: TOML files, some of which come with the package.

QEMU's machine is the same for nearly all. The rest follows from the file: the CPU's name, where a
reset finds the vector table, and the pages that the bridge serves in QEMU's stead.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from open_board.board_table import Table, WrongEntryError
from open_board.errors import BoardError, unknown_name
from open_board.files import read_bytes
from open_board.machine import (
    ADAPTER_PAGE_BYTES,
    AN547,
    NPU_PAGE_BYTES,
    UART_PAGE_BYTES,
    QemuMachine,
    page_offset,
)

DEFAULT_BOARD = "sse300"
# Ethosmith takes a file that is named after a module for a part of it.
_PREFIX, _SUFFIX = "board.", ".toml"
_KEYS = (
    *("title", "vectors", "cpu", "npu", "timing_adapters", "constants", "fvp", "card", "uart"),
    "qemu",
)
_MAX_FILE_BYTES = 1 << 16
_INTERRUPTS = 96  # of QEMU's NVIC on this machine


@dataclass(frozen=True)
class CardWindow:
    """What a card's controller reaches from ``base`` on: memory at the CPU's ``address``."""

    base: int
    address: int
    size_bytes: int


@dataclass(frozen=True)
class CardLayout:
    """How the board boots from an MPS3 card.

    Attributes:
        notes: folders of the FPGA images that make this board, such as ``AN552``.
        updates: words of IMAGExUPDATE with which an image is loaded.
        windows: where the controller reaches memory.
    """

    notes: tuple[str, ...]
    updates: tuple[str, ...]
    windows: tuple[CardWindow, ...]


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: its name on the command line.
        title: its name in texts.
        vectors: address of the vector table at reset.
        npu_pages: addresses of the NPU's registers, secure alias first.
        npu_irq: number of the NPU's interrupt at the NVIC.
        cpu_midr: what CPUID reads; None: QEMU's Cortex-M55.
        adapter_pages: addresses of the timing adapters; none if there are none.
        constants: words that read as they are, by address: registers that QEMU's machine lacks.
        fvp_programs: executable of the board's FVP, by the NPU's product.
        card: how it boots from a card; None: it does not.
        npu_page_bytes: size of the NPU's registers; those of Ethos-U85 take two pages.
        uart_pages: addresses of UART0, where they are not those of QEMU's machine; a CMSDK UART.
        qemu_machines: machines of QEMU that it can be, the best first.
    """

    name: str
    title: str
    vectors: int
    npu_pages: tuple[int, ...]
    npu_irq: int
    cpu_midr: int | None = None
    adapter_pages: tuple[int, ...] = ()
    constants: Mapping[int, int] = field(default_factory=dict)
    fvp_programs: Mapping[str, str] = field(default_factory=dict)
    card: CardLayout | None = None
    npu_page_bytes: int = NPU_PAGE_BYTES
    uart_pages: tuple[int, ...] = ()
    qemu_machines: tuple[QemuMachine, ...] = (AN547,)

    @property
    def served(self) -> tuple[tuple[int, int], ...]:
        """Address and size of each span whose accesses the bridge carries out."""
        return (
            *((page, self.npu_page_bytes) for page in self.npu_pages),
            *((page, UART_PAGE_BYTES) for page in self.uart_pages),
            *((page, ADAPTER_PAGE_BYTES) for page in self.adapter_pages),
            *((address, 4) for address in self.constants),
        )

    def npu_register(self, address: int, size_bytes: int) -> int | None:
        """Return the offset in the NPU's page, or None if the access is not all in it."""
        return page_offset(self.npu_pages, self.npu_page_bytes, address, size_bytes)

    def adapter_register(self, address: int, size_bytes: int) -> int | None:
        """Return the offset in the timing adapters' page, or None as `npu_register`."""
        return page_offset(self.adapter_pages, ADAPTER_PAGE_BYTES, address, size_bytes)

    def uart_register(self, address: int, size_bytes: int) -> int | None:
        """Return the offset in the UART's page, or None as `npu_register`."""
        return page_offset(self.uart_pages, UART_PAGE_BYTES, address, size_bytes)

    def constant(self, address: int, size_bytes: int) -> int | None:
        """Return the word that holds ``address``, if it is one of the constants."""
        base = address & ~3
        return self.constants.get(base) if address + size_bytes <= base + 4 else None


def board_names() -> list[str]:
    """Return the names of the boards that come with the package."""
    names = (file.name for file in resources.files("open_board").iterdir())
    return sorted(
        name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
        for name in names
        if name.startswith(_PREFIX) and name.endswith(_SUFFIX)
    )


def find_board(name: str | None = None) -> Board:
    """Return the board called ``name``, or that of the file ``name`` if it ends in ``.toml``.

    Without a name it is the Corstone-300.

    Raises:
        BoardError: there is none, or its file is wrong.
    """
    name = name or DEFAULT_BOARD
    if name.endswith(_SUFFIX):
        path = Path(name)
        return _parse(path.stem, read_bytes(path, limit_bytes=_MAX_FILE_BYTES), name)
    names = board_names()
    if name not in names:
        raise BoardError(f"{unknown_name('board', name, names)}; or give a file, NAME{_SUFFIX}")
    return _packaged(name)


@cache
def _packaged(name: str) -> Board:
    file = resources.files("open_board") / f"{_PREFIX}{name}{_SUFFIX}"
    with resources.as_file(file) as path:
        return _parse(name, read_bytes(path, limit_bytes=_MAX_FILE_BYTES), file.name)


def _parse(name: str, data: bytes, label: str) -> Board:
    try:
        table = tomllib.loads(data.decode("utf-8"))
        return _board(name, Table(table, _KEYS))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, WrongEntryError) as cause:
        raise BoardError(f"{label}: {cause}") from None


def _board(name: str, table: Table) -> Board:
    npu = table.table("npu", ("pages", "irq", "page_bytes"))
    uart = table.table("uart", ("pages",))
    cpu = table.table("cpu", ("midr",))
    adapters = table.table("timing_adapters", ("pages",))
    fvp = table.table("fvp", ("ethos-u55", "ethos-u65", "ethos-u85"))
    return Board(
        name=name,
        title=table.text("title"),
        vectors=table.number("vectors", multiple_of=128),
        npu_pages=npu.pages("pages"),
        npu_irq=npu.number("irq", limit=_INTERRUPTS - 1),
        cpu_midr=cpu.number("midr") if "midr" in cpu.values else None,
        adapter_pages=adapters.pages("pages") if adapters.values else (),
        constants=table.words("constants"),
        fvp_programs={product: fvp.text(product) for product in fvp.values},
        npu_page_bytes=npu.number("page_bytes", limit=0x10000, multiple_of=NPU_PAGE_BYTES)
        if "page_bytes" in npu.values
        else NPU_PAGE_BYTES,
        uart_pages=uart.pages("pages") if uart.values else (),
        card=_card(table.table("card", ("notes", "updates", "windows"))),
        qemu_machines=_machines(table) if "qemu" in table.values else (AN547,),
    )


def _machines(table: Table) -> tuple[QemuMachine, ...]:
    rows = table.tables("qemu", ("machine", "cpu"))
    return tuple(QemuMachine(row.name("machine"), row.name("cpu")) for row in rows)


def _card(table: Table) -> CardLayout | None:
    if not table.values:
        return None
    rows = table.tables("windows", ("base", "address", "size_kib"))
    windows = (
        CardWindow(row.number("base"), row.number("address"), row.number("size_kib") << 10)
        for row in rows
    )
    return CardLayout(table.texts("notes"), table.texts("updates"), tuple(windows))
