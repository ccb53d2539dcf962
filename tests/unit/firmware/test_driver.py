# SPDX-License-Identifier: Apache-2.0
"""The driver's order of register accesses, its refusals and its words for each error."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field

import pytest

from ethosu_model.config import ACCELERATORS, AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.memory import ArrayMemory

from .driver import Counts, Driver, Region, compile_driver

STATUS, CMD, RESET, QREAD, PROT, CONFIG = 0x04, 0x08, 0x0C, 0x18, 0x24, 0x28
QBASE0, QCONFIG, QSIZE, REGIONCFG, AXI_LIMIT0, BASEP0 = 0x10, 0x1C, 0x20, 0x3C, 0x40, 0x80
PMCR, PMCNTENSET, PMCNTENCLR, PMEVTYPER0 = 0x180, 0x184, 0x188, 0x380
RUN = 1

STREAM = Region(0x7000_0020, 16, 2)
WEIGHTS = Region(0x7001_0000, 4096, 3)
SCRATCH = Region(0x3100_0000, 1024, 1, written=True)


@dataclass
class Scripted:
    """Registers that hold what the test says; an interrupt comes if STATUS has its bit."""

    status_after_run: int = 0x22
    registers: dict[int, int] = field(default_factory=lambda: {PROT: 1})

    def read(self, offset: int) -> int:
        return self.registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        if offset == CMD and value & RUN:
            self.registers[STATUS] = self.status_after_run

    def interrupts(self) -> bool:
        return bool(self.registers.get(STATUS, 0) & 2)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return compile_driver(tmp_path_factory.mktemp("driver"))


def test_a_soft_reset_asks_for_secure_privileged_and_sets_the_limits(library: ctypes.CDLL) -> None:
    driver = Driver(library, Scripted())
    assert driver.init() == "no error"
    limit = 1 | 31 << 16 | 15 << 24
    assert driver.log == [(RESET, 1, 0), *((AXI_LIMIT0 + 4 * i, limit, 0) for i in range(4))]


def test_an_empty_bus_is_not_an_npu(library: ctypes.CDLL) -> None:
    said = Driver(library, Scripted(registers={})).init()
    assert said == (
        "none answers at 0x58102000: PROT should be 0x00000001, this NPU has 0x00000000"
    )


def test_a_reset_that_does_not_end_is_an_error(library: ctypes.CDLL) -> None:
    assert Driver(library, Scripted(registers={STATUS: 8, PROT: 1})).init() == "reset does not end"


WRONG = {
    "macs": ((0x1807, 0x10060000, 256), "the model is for MACs per cycle: 256, this NPU has 128"),
    "stream version": (
        (0x1817, 0x10060000, 128),
        "the model is for command stream version 1, this NPU has 0",
    ),
    "shram": (
        (0x3007, 0x10060000, 128),
        "the model is for CONFIG 0x00003007, this NPU has 0x00001807",
    ),
    "product": (
        (0x10001807, 0x10060000, 128),
        "the model is for CONFIG 0x10001807, this NPU has 0x00001807",
    ),
    "major version": (
        (0x1807, 0x20000000, 128),
        "the model is for ID 0x20000000, this NPU has 0x10061000",
    ),
    "newer minor version": (
        (0x1807, 0x10100000, 128),
        "the model is for ID 0x10100000, this NPU has 0x10061000",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_model_for_another_npu_is_refused(library: ctypes.CDLL, what: str) -> None:
    hardware = Scripted(registers={PROT: 1, CONFIG: 0x1807, 0x00: 0x10061000})
    driver = Driver(library, hardware)
    assert driver.init() == "no error"
    arguments, said = WRONG[what]
    assert driver.check(*arguments) == said


@pytest.mark.parametrize("accelerator", ACCELERATORS, ids=lambda config: config.name)
def test_a_model_for_this_npu_is_taken(
    library: ctypes.CDLL, accelerator: AcceleratorConfig
) -> None:
    config, ident = accelerator.config_register, accelerator.id_register
    hardware = Scripted(registers={PROT: 1, CONFIG: config, 0x00: ident})
    driver = Driver(library, hardware)
    assert driver.init() == "no error"
    assert driver.check(config, 0x10060000, accelerator.macs) == "no error"
    # Bits that the manual reserves do not count.
    hardware.registers[CONFIG] |= 1 << 27
    assert driver.check(config, 0x10060000, accelerator.macs) == "no error"


def test_a_job_is_set_up_before_it_runs(library: ctypes.CDLL) -> None:
    driver = Driver(library, Scripted())
    driver.init()
    driver.log.clear()
    high = Region(0x12_3456_7890, 64, 2)
    assert driver.run(STREAM, {0: WEIGHTS, 1: SCRATCH, 7: high}) == "no error"
    start = driver.log.index((CMD, RUN, 0))
    before = {where: value for where, value, _ in driver.log[:start]}
    assert (before[QBASE0], before[QBASE0 + 4]) == (0x7000_0020, 0)
    assert (before[QSIZE], before[QCONFIG]) == (16, 2)
    assert before[REGIONCFG] == 3 | 1 << 2 | 2 << 14
    assert (before[BASEP0], before[BASEP0 + 8], before[BASEP0 + 16]) == (
        0x7001_0000,
        0x3100_0000,
        0,
    )
    assert (before[BASEP0 + 56], before[BASEP0 + 60]) == (0x3456_7890, 0x12)
    assert [before[PMEVTYPER0 + 4 * i] for i in range(4)] == [0x23, 0x82, 0x87, 0x182]
    assert before[PMCR] & 7 == 7
    assert before[PMCNTENSET] == 0x8000000F
    # The PMU stops first, then clock and power may go.
    after = [(where, value) for where, value, _ in driver.log[start + 1 :]]
    assert (PMCNTENCLR, 0x8000000F) in after
    assert after[-1] == (CMD, 0xC)


def test_caches_are_cleaned_before_and_invalidated_after(library: ctypes.CDLL) -> None:
    driver = Driver(library, Scripted())
    driver.init()
    driver.log.clear()
    driver.run(STREAM, {0: WEIGHTS, 1: SCRATCH})
    start = driver.log.index((CMD, RUN, 0))
    calls = [entry for entry in driver.log if entry[0] in {"clean", "invalidate"}]
    assert calls == [
        ("clean", STREAM.start, STREAM.size_bytes),
        ("clean", WEIGHTS.start, WEIGHTS.size_bytes),
        ("clean", SCRATCH.start, SCRATCH.size_bytes),
        ("invalidate", SCRATCH.start, SCRATCH.size_bytes),
    ]
    assert driver.log.index(calls[2]) < start < driver.log.index(calls[3])


@pytest.mark.parametrize("wrong", [Region(0x3100_0008, 64, 0), Region(0x3100_0000, 64, 4)])
def test_an_impossible_region_starts_nothing(library: ctypes.CDLL, wrong: Region) -> None:
    driver = Driver(library, Scripted())
    driver.init()
    assert driver.run(STREAM, {2: wrong}) == f"region 2 cannot begin at {wrong.start:#010x}"
    assert RUN not in driver.written(CMD)


ERRORS = {
    0x0006: "bus error on AXI0 reading commands",
    0x1806: "bus error on AXI1 reading IFM",
    0x2806: "bus error on AXI1 reading weights",
    0x3006: "bus error on AXI0 reading scales and biases",
    0x4006: "bus error on AXI0 reading DMA data",
    0x8006: "bus error on AXI0 writing OFM",
    0x9006: "bus error on AXI0 writing DMA data",
    0xF006: "bus error on AXI0 writing an unknown channel",
    0x0012: "illegal command",
    0x0082: "weight stream cannot be decoded",
    0x0102: "uncorrectable memory error",
    0x0002: "stopped before the end of the command stream",
    0x0026: "bus error on AXI0 reading commands",
}


@pytest.mark.parametrize("status", ERRORS, ids=hex)
def test_each_error_bit_has_its_words(library: ctypes.CDLL, status: int) -> None:
    hardware = Scripted(status, {PROT: 1, QREAD: 24})
    driver = Driver(library, hardware)
    driver.init()
    assert driver.run(STREAM, {}) == (
        f"{ERRORS[status]} at byte 24 of the command stream (STATUS {status:#010x})"
    )
    assert driver.written(RESET) == [1, 1]


def test_a_job_without_an_interrupt_times_out_and_is_reset(library: ctypes.CDLL) -> None:
    hardware = Scripted(0x01, {PROT: 1, QREAD: 8})
    driver = Driver(library, hardware)
    driver.init()
    said = driver.run(STREAM, {})
    assert said == "no interrupt within 250 ms at byte 8 of the command stream (STATUS 0x00000001)"
    assert driver.waited_ms == 250
    assert driver.written(RESET) == [1, 1]


class Modelled:
    """The functional model of the NPU, with 4 KiB of memory."""

    def __init__(self, accelerator: AcceleratorConfig) -> None:
        self.memory = ArrayMemory()
        self.memory.add(STREAM.start & ~0xFFF, 4096)
        self.device = NpuDevice(accelerator, self.memory)
        self.read = self.device.read_register
        self.write = self.device.write_register

    def interrupts(self) -> bool:
        return self.device.irq


STOP = bytes.fromhex("0000ffff")


@pytest.mark.parametrize("accelerator", ACCELERATORS, ids=lambda config: config.name)
def test_the_model_of_the_npu_takes_the_driver_s_jobs(
    library: ctypes.CDLL, accelerator: AcceleratorConfig
) -> None:
    hardware = Modelled(accelerator)
    driver = Driver(library, hardware)
    assert driver.init() == "no error"
    hardware.memory.write(STREAM.start, b"\xff\xff\xff\xff" + STOP)
    stream = Region(STREAM.start, 8, 2)
    assert driver.run(stream, {}).startswith("illegal command at byte")
    beyond = Region(STREAM.start + 0x10000, 8, 2)
    assert driver.run(beyond, {}).startswith("bus error on AXI1 reading commands at byte")
    hardware.memory.write(STREAM.start, STOP + STOP)
    assert driver.run(stream, {}, Counts()) == "no error"
