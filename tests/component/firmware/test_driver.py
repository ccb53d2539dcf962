# SPDX-License-Identifier: Apache-2.0
"""The driver's order of register accesses, its refusals and its words for each error."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field

import pytest

from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.memory import ArrayMemory
from ethosu_model.u85.config import ALL_ACCELERATORS
from tests.support.firmware.driver import Counts, Driver, Region, compile_driver

STATUS, CMD, RESET, QREAD, PROT, CONFIG = 0x04, 0x08, 0x0C, 0x18, 0x24, 0x28
QBASE0, QCONFIG, QSIZE, REGIONCFG, AXI_LIMIT0, BASEP0 = 0x10, 0x1C, 0x20, 0x3C, 0x40, 0x80
PMCR, PMCNTENSET, PMCNTENCLR, PMEVTYPER0 = 0x180, 0x184, 0x188, 0x380
POWER_CTRL, MEM_ATTR0, AXI_SRAM, AXI_EXT, U85_PMU = 0x38, 0x40, 0x50, 0x54, 0x1000
RUN, STOP_REQUEST = 1, 1 << 4
JOB_END = 0x22

STREAM = Region(0x7000_0020, 16, 2)
WEIGHTS = Region(0x7001_0000, 4096, 3)
SCRATCH = Region(0x3100_0000, 1024, 1)
EXCHANGED = Region(0x3100_0040, 64)
BLOCKDEP = bytes.fromhex("2f010000")  # a command that does nothing by itself


@dataclass
class Scripted:
    """Registers that hold what the test says; an interrupt comes if STATUS has its bit."""

    status_after_run: int = JOB_END
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


LIMITS = [(AXI_LIMIT0 + 4 * i, 1 | 31 << 16 | 15 << 24, 0) for i in range(4)]
# Secure and privileged; then power and clock stay on while registers are set.
FULL_RESET = [(RESET, 1, 0), (CMD, 0, 0), *LIMITS]
MAY_POWER_OFF = (CMD, 0xC, 0)


def test_a_soft_reset_asks_for_secure_privileged_and_sets_the_limits(library: ctypes.CDLL) -> None:
    driver = Driver(library, Scripted())
    assert driver.init() == "no error"
    assert driver.log == [*FULL_RESET, MAY_POWER_OFF]


U85_CONFIG = 0x2000_0118
# Reads and writes less one, longest burst of 128 bytes; the SRAM ports take no more than 12 reads.
U85_PORTS = [
    *[(MEM_ATTR0 + 4 * i, i // 2 << 2, 0) for i in range(4)],
    (AXI_SRAM, 11 | 15 << 8 | 1 << 16, 0),
    (AXI_EXT, 31 | 15 << 8 | 1 << 16, 0),
    (POWER_CTRL, 0, 0),
]


def test_an_ethos_u85_gets_its_own_ports_and_counters(library: ctypes.CDLL) -> None:
    driver = Driver(library, Scripted(registers={PROT: 1, CONFIG: U85_CONFIG}))
    assert driver.init() == "no error"
    assert driver.log == [(RESET, 1, 0), (CMD, 0, 0), *U85_PORTS, MAY_POWER_OFF]
    driver.prepare(STREAM, {0: WEIGHTS, 1: SCRATCH})
    driver.log.clear()
    assert driver.run() == "no error"
    start = driver.log.index((CMD, RUN, 0))
    before = {where: value for where, value, _ in driver.log[:start]}
    # The same numbers choose a memory attribute here.
    assert (before[QCONFIG], before[REGIONCFG]) == (2, 3 | 1 << 2)
    types = [before[U85_PMU + PMEVTYPER0 + 4 * i] for i in range(8)]
    assert types == [0x23, 0x82, 0x87, 0x182, 0, 0, 0, 0]
    assert before[U85_PMU + PMCNTENSET] == 0x800000FF
    assert (U85_PMU + PMCNTENCLR, 0x800000FF, 0) in driver.log[start:]
    assert not {PMCR, PMCNTENSET, PMEVTYPER0} & {where for where, _, _ in driver.log}


def test_an_empty_bus_is_not_an_npu(library: ctypes.CDLL) -> None:
    message = Driver(library, Scripted(registers={})).init()
    assert message == "no NPU at 0x58102000: PROT reads 0x00000000, expected 0x00000001"


def test_after_a_failed_reset_nothing_runs_until_one_succeeds(library: ctypes.CDLL) -> None:
    hardware = Scripted(registers={STATUS: 8, PROT: 1, CONFIG: 0x1807, 0x00: 0x10061000})
    driver = Driver(library, hardware)
    assert driver.init() == "reset timed out"
    assert driver.check(0x1807, 0x10060000, 128) == "the last reset failed"
    assert driver.prepare(STREAM, {}) == "no error"
    assert driver.run() == "reset timed out"
    # A job's registers must not be set in a device that is in an unknown state.
    assert {where for where, _, _ in driver.log} <= {RESET, "clean"}
    hardware.registers[STATUS] = 0
    assert driver.run() == "no error"
    assert driver.check(0x1807, 0x10060000, 128) == "no error"


WRONG = {
    "macs": ((0x1807, 0x10060000, 256), "model compiled for 256 MACs/cycle, this NPU has 128"),
    "stream version": (
        (0x1817, 0x10060000, 128),
        "model compiled for command stream version 1, this NPU has 0",
    ),
    "shram": (
        (0x3007, 0x10060000, 128),
        "model compiled for CONFIG 0x00003007, this NPU has 0x00001807",
    ),
    "product": (
        (0x10001807, 0x10060000, 128),
        "model compiled for CONFIG 0x10001807, this NPU has 0x00001807",
    ),
    "major version": (
        (0x1807, 0x20000000, 128),
        "model compiled for ID 0x20000000, this NPU has 0x10061000",
    ),
    "newer minor version": (
        (0x1807, 0x10100000, 128),
        "model compiled for ID 0x10100000, this NPU has 0x10061000",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_model_for_another_npu_is_refused(library: ctypes.CDLL, what: str) -> None:
    hardware = Scripted(registers={PROT: 1, CONFIG: 0x1807, 0x00: 0x10061000})
    driver = Driver(library, hardware)
    assert driver.init() == "no error"
    arguments, said = WRONG[what]
    assert driver.check(*arguments) == said


@pytest.mark.parametrize("accelerator", ALL_ACCELERATORS, ids=lambda config: config.name)
def test_a_model_for_this_npu_is_taken(
    library: ctypes.CDLL, accelerator: AcceleratorConfig
) -> None:
    config, ident = accelerator.config_register, accelerator.id_register
    oldest = 0x2000_0000 if accelerator.product == "ethos-u85" else 0x1006_0000
    hardware = Scripted(registers={PROT: 1, CONFIG: config, 0x00: ident})
    driver = Driver(library, hardware)
    assert driver.init() == "no error"
    assert driver.check(config, oldest, accelerator.macs) == "no error"
    # Bits that the manual reserves do not count.
    hardware.registers[CONFIG] |= 1 << 27
    assert driver.check(config, oldest, accelerator.macs) == "no error"


def test_a_job_is_set_up_after_a_reset_and_before_it_runs(library: ctypes.CDLL) -> None:
    driver = Driver(library, Scripted())
    driver.init()
    high = Region(0x12_3456_7890, 64, 2)
    driver.prepare(STREAM, {0: WEIGHTS, 1: SCRATCH, 7: high})
    driver.log.clear()
    assert driver.run() == "no error"
    # Whatever the job before left in the registers is gone: PROT, AXI limits, PMU, power requests.
    assert driver.log[: len(FULL_RESET)] == FULL_RESET
    start = driver.log.index((CMD, RUN, 0))
    before = {where: value for where, value, _ in driver.log[len(FULL_RESET) : start]}
    assert CMD not in before
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
    after = driver.log[start + 1 :]
    assert (PMCNTENCLR, 0x8000000F, 0) in after
    assert after[-1] == MAY_POWER_OFF


def test_a_second_job_starts_from_the_same_state_as_the_first(library: ctypes.CDLL) -> None:
    driver = Driver(library, Scripted())
    driver.init()
    driver.prepare(STREAM, {0: WEIGHTS, 1: SCRATCH}, EXCHANGED)
    driver.log.clear()
    assert driver.run() == "no error"
    first = list(driver.log)
    driver.log.clear()
    assert driver.run() == "no error"
    assert driver.log == first


def _cache_calls(driver: Driver) -> list[tuple[str | int, int, int]]:
    return [entry for entry in driver.log if entry[0] in {"clean", "invalidate"}]


def test_caches_are_cleaned_once_for_all_memory_and_then_for_what_changes(
    library: ctypes.CDLL,
) -> None:
    driver = Driver(library, Scripted())
    driver.init()
    assert driver.prepare(STREAM, {0: WEIGHTS, 1: SCRATCH}, EXCHANGED) == "no error"
    assert _cache_calls(driver) == [
        ("clean", STREAM.start, STREAM.size_bytes),
        ("clean", WEIGHTS.start, WEIGHTS.size_bytes),
        ("clean", SCRATCH.start, SCRATCH.size_bytes),
    ]
    driver.log.clear()
    driver.run()
    start = driver.log.index((CMD, RUN, 0))
    calls = _cache_calls(driver)
    assert calls == [("clean", 0x3100_0040, 64), ("invalidate", 0x3100_0060, 32)]
    assert driver.log.index(calls[0]) < start < driver.log.index(calls[1])


def test_a_job_that_is_not_prepared_does_not_run(library: ctypes.CDLL) -> None:
    driver = Driver(library, Scripted())
    driver.init()
    misaligned = Region(STREAM.start + 4, 16, 2)
    message = driver.prepare(misaligned, {})
    assert message == "command stream: base 0x70000024 is not 16-byte aligned"
    driver.log.clear()
    counts = Counts(cycles=7)
    assert driver.run(counts) == "npu_run() of a job without npu_prepare()"
    assert driver.log == []
    assert counts.cycles == 0


IMPOSSIBLE = {
    "region 2: base 0x31000008 is not 16-byte aligned": Region(0x3100_0008, 64, 0),
    "region 2: AXI limit counter 4, expected 0 to 3": Region(0x3100_0000, 64, 4),
}


@pytest.mark.parametrize("message", IMPOSSIBLE)
def test_an_impossible_region_is_refused(library: ctypes.CDLL, message: str) -> None:
    driver = Driver(library, Scripted())
    driver.init()
    assert driver.prepare(STREAM, {2: IMPOSSIBLE[message]}) == message
    assert _cache_calls(driver) == []


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


U85_ERRORS = {
    0x0006: "bus error on SRAM reading commands",
    0x1806: "bus error on EXT reading IFM",
    0x5006: "bus error on SRAM reading IFM",
    0x6806: "bus error on EXT reading DMA indices",
    0x9806: "bus error on EXT writing DMA data",
    0x0202: "illegal branch",
    0x0102: "uncorrectable memory error",
}


@pytest.mark.parametrize(
    ("config", "status", "words"),
    [*((0, *error) for error in ERRORS.items()), *((U85_CONFIG, *e) for e in U85_ERRORS.items())],
)
def test_each_error_bit_has_its_words(
    library: ctypes.CDLL, config: int, status: int, words: str
) -> None:
    hardware = Scripted(status, {PROT: 1, QREAD: 24, CONFIG: config})
    driver = Driver(library, hardware)
    driver.init()
    driver.prepare(STREAM, {}, EXCHANGED)
    message = f"{words} at byte 24 of the command stream (STATUS {status:#010x})"
    assert driver.run() == message
    assert driver.written(RESET) == [1, 1, 1]
    # What is truncated stays terminated and inside the buffer.
    full = "NPU: " + message
    code = next(code for code in range(20) if driver.message(code) == full)
    for capacity_bytes in (1, 2, 30, len(full), len(full) + 1):
        assert driver.message(code, capacity_bytes) == full[: capacity_bytes - 1]


def test_a_job_without_an_interrupt_is_stopped_reset_and_only_then_invalidated(
    library: ctypes.CDLL,
) -> None:
    hardware = Scripted(0x01, {PROT: 1, QREAD: 8})
    driver = Driver(library, hardware)
    driver.init()
    driver.prepare(STREAM, {1: SCRATCH}, EXCHANGED)
    message = driver.run()
    assert message == (
        "no interrupt within 250 ms at byte 8 of the command stream (STATUS 0x00000001)"
    )
    assert driver.waited_ms == 250
    # Until it is reset the NPU may write memory, so the caches come last.
    end = driver.log[driver.log.index((CMD, RUN, 0)) + 1 :]
    stop = end.index((CMD, STOP_REQUEST, 0))
    assert end[stop + 1 :] == [*FULL_RESET, MAY_POWER_OFF, ("invalidate", 0x3100_0060, 32)]


@dataclass
class Stuck(Scripted):
    """Its jobs never end, and after the first no reset ends either."""

    def write(self, offset: int, value: int) -> None:
        super().write(offset, value)
        if offset == CMD and value & RUN:
            self.registers[STATUS] = 9


def test_a_time_out_whose_reset_fails_leaves_the_device_unusable(library: ctypes.CDLL) -> None:
    hardware = Stuck()
    driver = Driver(library, hardware)
    driver.init()
    driver.prepare(STREAM, {1: SCRATCH}, EXCHANGED)
    assert driver.run().startswith("no interrupt within 250 ms")
    # Its power must not go while it may still be writing.
    assert driver.written(CMD)[-1] == STOP_REQUEST
    assert driver.check(0, 0, 1) == "the last reset failed"
    assert driver.run() == "reset timed out"
    assert driver.written(CMD).count(RUN) == 1


@dataclass
class Spurious(Scripted):
    """Before the job's interrupt the handler is entered once without one."""

    driver: Driver | None = None

    def interrupts(self) -> bool:
        assert self.driver is not None
        status = self.registers[STATUS]
        self.registers[STATUS] = 1
        self.driver.library.harness_interrupt()
        self.registers[STATUS] = status
        return False


def test_an_interrupt_that_the_npu_did_not_raise_ends_no_job(library: ctypes.CDLL) -> None:
    hardware = Spurious()
    hardware.driver = Driver(library, hardware)
    hardware.driver.init()
    hardware.driver.prepare(STREAM, {})
    assert hardware.driver.run().startswith("no interrupt within")
    assert 2 not in hardware.driver.written(CMD)


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


@pytest.mark.parametrize("accelerator", ALL_ACCELERATORS, ids=lambda config: config.name)
def test_the_model_of_the_npu_takes_the_driver_s_jobs(
    library: ctypes.CDLL, accelerator: AcceleratorConfig
) -> None:
    hardware = Modelled(accelerator)
    driver = Driver(library, hardware)
    assert driver.init() == "no error"
    hardware.memory.write(STREAM.start, b"\xff\xff\xff\xff" + STOP)
    stream = Region(STREAM.start, 8, 2)
    driver.prepare(stream, {})
    assert driver.run().startswith("illegal command at byte")
    beyond = Region(STREAM.start + 0x10000, 8, 2)
    driver.prepare(beyond, {})
    port = "EXT" if accelerator.product == "ethos-u85" else "AXI1"
    assert driver.run().startswith(f"bus error on {port} reading commands at byte")
    hardware.memory.write(STREAM.start, STOP + STOP)
    driver.prepare(stream, {})
    assert driver.run().startswith("stopped before the end of the command stream at byte 4")
    hardware.memory.write(STREAM.start, BLOCKDEP + STOP)
    driver.prepare(stream, {})
    assert driver.run(Counts()) == "no error"
