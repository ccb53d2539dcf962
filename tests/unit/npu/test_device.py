# SPDX-License-Identifier: Apache-2.0
"""The register page: what a driver reads and writes, and the faults of jobs."""

from __future__ import annotations

import struct
from unittest import mock

import pytest
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import (
    BASE,
    DEBUG,
    PMU,
    SHARED_BUFFER,
    TSU,
    cmd0,
    cmd1,
    pmu_event_type,
)

from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.events import EventTotals
from ethosu_model.faults import AxiChannel
from ethosu_model.memory import ArrayMemory, BusFault
from ethosu_model.registers import Command, Status
from tests.support.npu.streams import REGION, REGION_BYTES, STOP, STREAM, Bench, encode, word, words

DMA = {
    cmd0.NPU_SET_DMA0_SRC_REGION: 0,
    cmd0.NPU_SET_DMA0_DST_REGION: 0,
    cmd1.NPU_SET_DMA0_SRC: 0,
    cmd1.NPU_SET_DMA0_DST: 0x100,
    cmd1.NPU_SET_DMA0_LEN: 0x40,
}


def test_reset_takes_the_security_levels_and_clears_everything_else() -> None:
    bench = Bench()
    bench.run(struct.pack("<I", 0x3FF))
    bench.device.write_register(BASE.RESET.value, 0b11)
    assert bench.device.read_register(BASE.PROT.value) == 0b11
    assert bench.device.read_register(BASE.STATUS.value) == 0
    assert bench.device.read_register(BASE.QSIZE.value) == 0
    assert bench.device.read_register(BASE.CMD.value) == 0xC
    assert not bench.device.irq


def test_stop_ends_the_job_and_raises_the_interrupt_until_cleared() -> None:
    bench = Bench()
    status = Status(bench.run(word(cmd0.NPU_OP_IRQ, 0x0001) + STOP) & 0xFFF)
    assert status == Status.CMD_END_REACHED | Status.IRQ_RAISED
    assert bench.device.irq
    assert bench.device.read_register(BASE.QREAD.value) == 8
    bench.device.write_register(BASE.CMD.value, int(Command.CLEAR_IRQ) | 0xFFFE << 16)
    assert not bench.device.irq
    assert bench.device.read_register(BASE.STATUS.value) >> 16 == 0x0001


def test_queue_without_stop_ends_at_its_size() -> None:
    bench = Bench()
    status = bench.run(word(cmd0.NPU_SET_BLOCKDEP, 3))
    assert status & Status.CMD_END_REACHED
    assert bench.device.read_register(BASE.QREAD.value) == 4


@pytest.mark.parametrize(
    "stream",
    [
        struct.pack("<I", 0x0000_03FF),
        struct.pack("<I", 0x0000_0400),
        struct.pack("<I", 0x0000_8000),
        struct.pack("<I", 0x0000_40FF),
        struct.pack("<I", cmd1.NPU_SET_IFM_BASE0.value | 0x4000),
        word(cmd0.NPU_OP_POOL, 7),
        word(cmd0.NPU_OP_ELEMENTWISE, 10),
        word(cmd0.NPU_SET_IFM_REGION, 8) + word(cmd0.NPU_OP_CONV),
        word(cmd0.NPU_SET_PARALLEL_MODE, 1) + word(cmd0.NPU_OP_CONV),
        word(cmd0.NPU_SET_OFM_PRECISION, 3 << 14) + word(cmd0.NPU_OP_POOL),
    ],
    ids=[
        "unknown", "reserved-bits", "payload-size", "unknown-with-payload", "no-payload",
        "pool-mode", "elementwise-mode", "region", "cores", "rounding",
    ],
)  # fmt: skip
def test_illegal_command_is_a_parse_error(stream: bytes) -> None:
    bench = Bench()
    status = bench.run(stream)
    assert status & Status.CMD_PARSE_ERROR
    assert not status & Status.CMD_END_REACHED
    assert bench.device.irq


def test_after_an_error_only_reset_lets_the_npu_run() -> None:
    bench = Bench()
    bench.run(struct.pack("<I", 0x3FF))
    assert bench.run(STOP) & Status.CMD_PARSE_ERROR
    assert not bench.run(STOP) & Status.CMD_END_REACHED
    bench.device.write_register(BASE.RESET.value, 0)
    assert bench.run(STOP) & Status.CMD_END_REACHED


def test_commands_before_a_bad_word_are_executed() -> None:
    bench = Bench()
    bench.memory.write(REGION, bytes(range(64)))
    bench.run(encode(DMA) + word(cmd0.NPU_OP_DMA_START) + struct.pack("<I", 0x3FF))
    assert bench.memory.read(REGION + 0x100, 64) == bytes(range(64))


@pytest.mark.parametrize(
    ("setting", "value", "channel"),
    [
        (cmd1.NPU_SET_DMA0_SRC, REGION_BYTES, AxiChannel.DMA_READ),
        (cmd1.NPU_SET_DMA0_DST, REGION_BYTES - 16, AxiChannel.DMA_WRITE),
    ],
)
def test_bus_fault_tells_interface_and_channel(
    setting: cmd1, value: int, channel: AxiChannel
) -> None:
    bench = Bench()
    stream = encode(DMA | {setting: value}) + word(cmd0.NPU_OP_DMA_START) + STOP
    status = bench.run(stream, region_config=3)
    assert status & Status.BUS_STATUS
    assert status & Status.FAULTING_AXI1
    assert status >> 12 & 0xF == channel
    assert bench.device.irq


def test_command_fetch_outside_memory_is_a_bus_fault_on_the_command_channel() -> None:
    bench = Bench()
    bench.device.write_register(BASE.QBASE0.value, STREAM - 4)
    bench.device.write_register(BASE.QSIZE.value, 8)
    bench.device.write_register(BASE.CMD.value, int(Command.RUN))
    status = bench.device.read_register(BASE.STATUS.value)
    assert status & Status.BUS_STATUS
    assert status >> 12 & 0xF == AxiChannel.COMMAND


@pytest.mark.parametrize(
    "changes",
    [
        {cmd1.NPU_SET_DMA0_SRC: 8},
        {cmd1.NPU_SET_DMA0_LEN: 24},
        {cmd0.NPU_SET_DMA0_DST_REGION: 1 << 9},
        {cmd0.NPU_SET_DMA0_DST_REGION: 1 << 8, cmd1.NPU_SET_DMA0_DST: 24 * 1024 - 16},
    ],
    ids=["address", "length", "2d-on-u55", "beyond-shram"],
)
def test_dma_that_the_hardware_cannot_do_is_a_parse_error(changes: dict[cmd0 | cmd1, int]) -> None:
    bench = Bench()
    assert bench.run(encode(DMA | changes) + word(cmd0.NPU_OP_DMA_START)) & Status.CMD_PARSE_ERROR


def test_three_dimensional_dma_of_ethos_u65_spreads_rows() -> None:
    bench = Bench("ethos-u65-256")
    data = bytes(range(1, 25))
    bench.memory.write(REGION, data)
    settings = DMA | {
        cmd0.NPU_SET_DMA0_DST_REGION: 2 << 9,
        cmd1.NPU_SET_DMA0_LEN: 4,
        cmd0.NPU_SET_DMA0_SIZE0: 3,
        cmd0.NPU_SET_DMA0_SIZE1: 2,
        cmd1.NPU_SET_DMA0_SKIP0: 2,
        cmd1.NPU_SET_DMA0_SKIP1: 20,
    }
    status = bench.run(encode(settings) + word(cmd0.NPU_OP_DMA_START) + STOP)
    assert status & Status.CMD_END_REACHED
    written = bench.memory.read(REGION + 0x100, 64)
    rows = [written[plane * 32 + row * 6 :][:4] for plane in range(2) for row in range(3)]
    assert b"".join(rows) == data
    assert sum(map(bool, written)) == len(data)


def test_debug_registers_show_the_command_registers_and_shram() -> None:
    bench = Bench()
    bench.memory.write(REGION, bytes(range(64)))
    settings = DMA | {cmd0.NPU_SET_DMA0_DST_REGION: 1 << 8, cmd1.NPU_SET_OFM_SCALE: 7 | 33 << 32}
    bench.run(encode(settings) + word(cmd0.NPU_OP_DMA_START) + STOP)
    read = bench.device.read_register
    assert read(TSU.DMA0_LEN.value) == 0x40
    assert (read(TSU.OFM_SCALE.value), read(TSU.OFM_SCALE_SHIFT.value)) == (7, 33)
    bench.device.write_register(DEBUG.DEBUG_ADDRESS.value, 0x100)
    assert read(SHARED_BUFFER.SHARED_BUFFER1.value) == 0x07060504
    bench.device.write_register(DEBUG.DEBUG_ADDRESS.value, 1 << 20)
    assert read(SHARED_BUFFER.SHARED_BUFFER1.value) == 0


def test_event_counters_see_the_beats_of_a_transfer_on_each_port() -> None:
    bench = Bench()
    write, read = bench.device.write_register, bench.device.read_register
    for index, event in enumerate(
        (
            pmu_event_type.AXI0_RD_DATA_BEAT_RECEIVED,
            pmu_event_type.AXI0_WR_DATA_BEAT_WRITTEN,
            pmu_event_type.AXI1_RD_DATA_BEAT_RECEIVED,
            pmu_event_type.NPU_ACTIVE,
        )
    ):
        write(PMU.PMEVTYPER0.value + 4 * index, event.value)
    write(PMU.PMCR.value, 1)
    write(PMU.PMCNTENSET.value, 0x8000_000F)
    stream = encode(DMA) + word(cmd0.NPU_OP_DMA_START) + STOP
    bench.run(stream)
    beats = [read(PMU.PMEVCNTR0.value + 4 * index) for index in range(4)]
    assert beats == [8 + -(-len(stream) // 8), 8, 0, 8]
    assert read(PMU.PMCCNTR_LO.value) == 8


def _totals(runs: str) -> list[EventTotals]:
    """Run three transfers several times, and return the totals; "f" meets a fault at the second."""
    bench, failing = Bench(), False
    write = bench.memory.write

    def write_or_fail(address: int, data: bytes) -> None:
        if failing and address == REGION + 0x200:
            raise BusFault(address)
        write(address, data)

    start, second = word(cmd0.NPU_OP_DMA_START), encode({cmd1.NPU_SET_DMA0_DST: 0x200})
    wait, masked = word(cmd0.NPU_OP_DMA_WAIT), word(cmd0.NPU_OP_PMU_MASK, 1)
    stream = encode(DMA) + start + wait + second + start + masked + start + STOP
    totals = []
    with mock.patch.object(bench.memory, "write", write_or_fail):
        for run in runs:
            failing = run == "f"
            status = bench.run(stream)
            assert bool(status & Status.BUS_STATUS) == failing
            if failing:
                bench.device.write_register(BASE.RESET.value, 0)
            totals.append(bench.device.totals)
    return totals


def test_a_job_counts_the_same_each_time_and_up_to_a_fault_what_it_did() -> None:
    once, twice, fault, thrice = _totals("..f.")
    failed_first, after = _totals("f.")
    for name in ("cycles", "axi0_read_beats", "axi0_written_beats"):
        whole, part = getattr(once, name), getattr(failed_first, name)
        assert 0 < part < whole
        assert getattr(twice, name) == 2 * whole
        assert getattr(fault, name) == 2 * whole + part
        assert getattr(thrice, name) == 3 * whole + part
        assert getattr(after, name) == part + whole


def test_masked_operations_are_not_counted_when_the_mask_is_enabled() -> None:
    bench = Bench()
    bench.device.write_register(PMU.PMCR.value, 0b1001)
    bench.device.write_register(PMU.PMCNTENSET.value, 1 << 31)
    masked = word(cmd0.NPU_OP_PMU_MASK, 1)
    bench.run(encode(DMA) + masked + word(cmd0.NPU_OP_DMA_START) + STOP)
    assert bench.device.read_register(PMU.PMCCNTR_LO.value) == 0


def test_overflow_of_an_event_counter_raises_its_interrupt() -> None:
    bench = Bench()
    write = bench.device.write_register
    write(PMU.PMEVTYPER0.value, pmu_event_type.AXI0_WR_DATA_BEAT_WRITTEN.value)
    write(PMU.PMEVCNTR0.value, 0xFFFFFFFC)
    write(PMU.PMCR.value, 1)
    write(PMU.PMCNTENSET.value, 1)
    write(PMU.PMINTSET.value, 1)
    status = bench.run(encode(DMA) + word(cmd0.NPU_OP_DMA_START) + STOP)
    assert status & Status.PMU_IRQ_RAISED
    assert bench.device.read_register(PMU.PMEVCNTR0.value) == 4
    write(BASE.CMD.value, int(Command.CLEAR_IRQ))
    assert not bench.device.irq
    assert bench.device.read_register(PMU.PMOVSSET.value) == 1
    write(PMU.PMOVSCLR.value, 1)
    assert bench.device.read_register(PMU.PMOVSSET.value) == 0


def test_addresses_of_ethos_u65_have_40_bits_and_of_ethos_u55_32() -> None:
    for name, reached in (("ethos-u55-256", False), ("ethos-u65-256", True)):
        bench = Bench(name)
        bench.memory.add(0x1_0000_0000 + REGION, 64)
        settings = encode(DMA | {cmd1.NPU_SET_DMA0_LEN: 16})
        source = words(cmd1.NPU_SET_DMA0_SRC, 0x1_0000_0000)
        bench.memory.write(0x1_0000_0000 + REGION, b"\x5a" * 16)
        bench.run(settings + source + word(cmd0.NPU_OP_DMA_START) + STOP)
        assert (bench.memory.read(REGION + 0x100, 1) == b"\x5a") is reached


@pytest.mark.parametrize(
    "command",
    [
        word(cmd0.NPU_SET_PARALLEL_MODE, 0),
        words(cmd1.NPU_SET_DMA0_SKIP0, 0),
        words(cmd1.NPU_SET_DMA0_SKIP1, 0),
        words(cmd1.NPU_SET_WEIGHT1_BASE, 0),
        words(cmd1.NPU_SET_WEIGHT1_LENGTH, 0),
        words(cmd1.NPU_SET_SCALE1_BASE, 0),
        words(cmd1.NPU_SET_SCALE1_LENGTH, 0),
    ],
)
def test_ethos_u55_refuses_the_commands_that_only_u65_has(command: bytes) -> None:
    assert Bench("ethos-u55-256").run(command + STOP) & Status.CMD_PARSE_ERROR
    assert Bench("ethos-u65-256").run(command + STOP) & Status.CMD_END_REACHED


def test_registers_of_a_custom_dma_are_known_to_ethos_u55_alone() -> None:
    command = struct.pack("<II", 0x40A7, 0x1234)  # NPU_SET_USER_DEFINED7
    assert Bench("ethos-u55-128").run(command + STOP) & Status.CMD_END_REACHED
    assert Bench("ethos-u65-256").run(command + STOP) & Status.CMD_PARSE_ERROR


def test_custom_dma_that_the_configuration_lacks_is_a_parse_error() -> None:
    settings = encode(DMA | {cmd0.NPU_SET_DMA0_SRC_REGION: 1 << 15})
    assert Bench().run(settings + word(cmd0.NPU_OP_DMA_START) + STOP) & Status.CMD_PARSE_ERROR


@pytest.mark.parametrize(
    ("command", "reserved"),
    [
        (cmd0.NPU_SET_IFM_REGION, 1 << 3),
        (cmd0.NPU_SET_BLOCKDEP, 1 << 2),
        (cmd0.NPU_SET_OFM_PRECISION, 1 << 3),
        (cmd0.NPU_OP_CONV, 1),
    ],
)
def test_reserved_bits_of_a_command_are_a_parse_error(command: cmd0, reserved: int) -> None:
    assert Bench().run(word(command, reserved) + STOP) & Status.CMD_PARSE_ERROR


def test_stop_before_the_end_interrupts_and_run_goes_on_behind_it() -> None:
    bench = Bench()
    bench.memory.write(REGION, bytes(range(64)))
    stream = encode(DMA) + STOP + word(cmd0.NPU_OP_DMA_START) + STOP
    status = bench.run(stream)
    assert status & Status.IRQ_RAISED
    assert not status & Status.CMD_END_REACHED
    assert bench.memory.read(REGION + 0x100, 1) == b"\0"
    bench.memory.write(REGION, b"\xa5")
    bench.device.write_register(BASE.CMD.value, int(Command.RUN | Command.CLEAR_IRQ))
    assert bench.memory.read(REGION + 0x100, 2) == b"\xa5\x01"
    assert bench.device.read_register(BASE.STATUS.value) & Status.CMD_END_REACHED
    assert bench.device.read_register(BASE.QREAD.value) == len(stream)


def test_run_at_the_end_of_the_queue_runs_nothing_again() -> None:
    bench = Bench()
    bench.run(encode(DMA) + word(cmd0.NPU_OP_DMA_START) + STOP)
    bench.memory.write(REGION + 0x100, b"\x77")
    bench.device.write_register(BASE.CMD.value, int(Command.RUN | Command.CLEAR_IRQ))
    assert bench.memory.read(REGION + 0x100, 1) == b"\x77"
    assert not bench.device.irq


@pytest.mark.parametrize("register", [BASE.QBASE0, BASE.QBASE1, BASE.QSIZE])
def test_writing_the_queue_clears_its_end_and_begins_anew(register: BASE) -> None:
    bench = Bench()
    assert bench.run(STOP) & Status.CMD_END_REACHED
    value = bench.device.read_register(register.value)
    bench.device.write_register(register.value, value)
    assert not bench.device.read_register(BASE.STATUS.value) & Status.CMD_END_REACHED
    assert bench.device.read_register(BASE.QREAD.value) == 0


def test_queue_that_runs_dry_raises_no_interrupt() -> None:
    bench = Bench()
    status = bench.run(word(cmd0.NPU_SET_BLOCKDEP, 3))
    assert status & Status.CMD_END_REACHED
    assert not bench.device.irq


@pytest.mark.parametrize(
    ("name", "revision", "expected"),
    [
        ("ethos-u55-128", "", 0x10104201),
        ("ethos-u55-128", "r0p0-0", 0x10064000),
        ("ethos-u65-256", "", 0x10066001),
        ("ethos-u65-256", "r0p0-0", 0x10066000),
    ],
)
def test_identification_is_the_current_revisions_unless_another_is_named(
    name: str, revision: str, expected: int
) -> None:
    device = NpuDevice(AcceleratorConfig.parse(name, revision), ArrayMemory())
    assert device.read_register(BASE.ID.value) == expected


def test_part_number_is_the_products() -> None:
    parts = [Bench(n).device.read_register(0xFE0) for n in ("ethos-u55-64", "ethos-u65-256")]
    assert parts == [0x80, 0x81]


_MAC, _READ = pmu_event_type.MAC_ACTIVE, pmu_event_type.AXI0_RD_DATA_BEAT_RECEIVED


@pytest.mark.parametrize(
    ("start", "stop", "jobs"),
    [
        (pmu_event_type.NO_EVENT, pmu_event_type.NO_EVENT, 2),
        (_READ, pmu_event_type.NO_EVENT, 2),
        (_MAC, pmu_event_type.NO_EVENT, 0),  # no transfer makes the MACs work
        (pmu_event_type.NPU_ACTIVE, _READ, 2),  # started anew by the second job
    ],
)
def test_cycle_counter_counts_cycles_from_its_start_event_to_its_stop_event(
    start: pmu_event_type, stop: pmu_event_type, jobs: int
) -> None:
    bench = Bench()
    write, read = bench.device.write_register, bench.device.read_register
    write(PMU.PMCCNTR_CFG.value, start.value | stop.value << 16)
    write(PMU.PMCR.value, 1)
    write(PMU.PMCNTENSET.value, 1 << 31)
    stream = encode(DMA) + word(cmd0.NPU_OP_DMA_START) + STOP
    for _ in range(2):
        bench.run(stream)
    assert read(PMU.PMCCNTR_LO.value) == 8 * jobs


def test_cycle_counter_goes_on_in_jobs_without_its_start_event() -> None:
    bench = Bench()
    write, read = bench.device.write_register, bench.device.read_register
    write(PMU.PMCCNTR_CFG.value, pmu_event_type.AXI1_RD_DATA_BEAT_RECEIVED.value)
    write(PMU.PMCR.value, 1)
    write(PMU.PMCNTENSET.value, 1 << 31)
    stream = encode(DMA) + word(cmd0.NPU_OP_DMA_START) + STOP
    counts = []
    for region_config in (0, 3, 0):
        bench.run(stream, region_config=region_config)
        counts.append(read(PMU.PMCCNTR_LO.value))
    assert counts == [0, 8, 16]
