# SPDX-License-Identifier: Apache-2.0
"""The estimate of Ethos-U85's cycles: what bounds an operation, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ethosu_model.cycles import BlockKind
from ethosu_model.enums import Upscale
from ethosu_model.faults import AxiPort
from ethosu_model.memory_timing import MemoryTiming, SystemTiming
from ethosu_model.operands import Kernel, Padding, Shape
from ethosu_model.timeline import Timeline
from ethosu_model.traffic import Traffic, Window, ifm_block
from ethosu_model.u85.channels import Channel, channel_bandwidth, transfer_cycles
from ethosu_model.u85.config import U85Config
from ethosu_model.u85.cycles import Workload, estimate
from ethosu_model.u85.enums import Microblock
from ethosu_model.u85.ifm_units import ifm_unit

SRAM = MemoryTiming(2.0, 64, 32, 32, ports=2, max_reads=8, max_writes=8)
DRAM = MemoryTiming(0.75, 128, 500, 250, ports=1, max_reads=64, max_writes=32)
U85 = U85Config.parse("ethos-u85-256")
POINTWISE = Workload(
    kind=BlockKind.CONVOLUTION,
    ofm=Shape(16, 16, 64),
    stored_depth=64,
    block=Shape(8, 8, 64),
    unit=Shape(2, 2, 8),
    ifm=Shape(16, 16, 64),
    ifm_block=Shape(8, 8, 64),
    kernel=Kernel(1, 1, 1, 1, 1, 1, part_kernel_first=False, decomposition=8),
    part_kernel=False,
    sparse=False,
    ifm_bits=8,
    ofm_bits=8,
    wide=False,
    divides=False,
    pairs=False,
    chains=False,
    activates=False,
    turns=False,
    transfers=(),
)


def test_a_full_mac_array_decides() -> None:
    cycles = estimate(U85, POINTWISE)
    # 16 x 16 x 64 x 64 multiply-accumulates, 256 in a cycle; then one block's output.
    assert cycles.mac_active == 4096
    assert cycles.total == 4096 + 8 * 8 * 64 // 4
    assert estimate(U85, replace(POINTWISE, sparse=True)).mac_active == 2048
    # The output stage is the slower one where there is little to multiply; the commands of a block
    # take longer to issue than its MACs.
    thin = replace(POINTWISE, ifm=Shape(16, 16, 8), ifm_block=Shape(8, 8, 8))
    assert estimate(U85, thin).total == 16 * 16 * 64 // 4 + (1024 + 256) // 4


def test_a_read_buffer_bounds_what_comes_from_far_away() -> None:
    # 16 beats in bursts of 8: two transactions of 128 bytes in 500 cycles, four fifths of that.
    assert channel_bandwidth(256, DRAM, Channel.SCALE) == pytest.approx(2 * 128 / 500 * 0.8)
    assert channel_bandwidth(256, SRAM, Channel.IFM) == pytest.approx(64 * 12.8 / 32 * 0.8)
    assert channel_bandwidth(256, MemoryTiming(), Channel.SCALE) == 16
    timed = replace(U85, memory=SystemTiming(SRAM, DRAM))
    scales = (Channel.SCALE, Traffic(AxiPort.AXI1, read_bytes=40_960))
    bound = estimate(timed, replace(POINTWISE, transfers=(scales,)))
    assert bound.total == 100_000
    moved = [Traffic(AxiPort.AXI1, read_bytes=4096), Traffic(AxiPort.AXI0, written_bytes=4096)]
    expected = 500 + 4096 / (13 * 128 / 500 * 0.8)
    assert transfer_cycles(256, timed.memory, moved) == pytest.approx(expected)


def test_the_first_block_is_fetched_before_and_the_last_written_behind() -> None:
    timed = replace(U85, memory=SystemTiming(SRAM, DRAM))
    moved = (
        (Channel.IFM, Traffic(AxiPort.AXI0, read_bytes=16 * 16 * 64)),
        (Channel.WRITE, Traffic(AxiPort.AXI0, written_bytes=16 * 16 * 64)),
    )
    fetch = write = 32 + 8 * 8 * 64 // 32
    cycles = estimate(timed, replace(POINTWISE, transfers=moved))
    assert cycles.total == fetch + 4096 + 1024 + write
    assert (cycles.head, cycles.tail) == (fetch, 1024 + write)
    # One that may begin before the other has ended fetches while that one writes.
    alone, beside = Timeline(), Timeline()
    for timeline in (alone, beside):
        timeline.kernel(cycles)
        timeline.kernel(cycles, overlaps=timeline is beside)
    assert alone.end - beside.end == fetch


def test_a_chain_goes_through_the_output_stage_block_by_block() -> None:
    sums = replace(POINTWISE, kind=BlockKind.ELEMENTWISE)
    both = estimate(U85, POINTWISE, sums)
    # Half a cycle for an element of both operations: more than the MACs, which lead by one block.
    assert both.total == 16 * 16 * 64 // 2 + 1024
    wide = replace(sums, ifm_bits=32, ofm_bits=32, chains=True)
    assert estimate(U85, wide).total == 16 * 16 * 64 // 2
    assert estimate(U85, replace(wide, chains=False)).total == 16 * 16 * 64 // 4


def test_all_decoders_fill_the_weight_buffer() -> None:
    large = U85Config.parse("ethos-u85-2048")
    kernel = replace(POINTWISE.kernel, height=8, width=8)
    small = replace(
        POINTWISE,
        kind=BlockKind.DEPTHWISE,
        ofm=Shape(1, 1, 16),
        block=Shape(4, 4, 16),
        unit=Shape(4, 4, 16),
        kernel=kernel,
    )
    # 16 steps of 64 elements; a step takes 64 cycles of one decoder, and 2 to add up.
    assert estimate(large, small).mac_active == 16 * (64 // 4 + 2)


def test_ifm_blocks_are_whole() -> None:
    window = Window(
        replace(POINTWISE.kernel, height=3, width=3, stride_y=2, stride_x=2),
        Padding(0, 0, 0, 0),
        Upscale.NONE,
    )
    unit = ifm_unit(1024, Microblock.U2X4, 16 * 8)
    assert ifm_block(Shape(14, 12, 16), window, unit, 16) == Shape(30, 28, 16)
    unit = ifm_unit(1024, Microblock.U2X4, 64 * 8)
    assert ifm_block(Shape(6, 8, 64), window, unit, 64) == Shape(13, 18, 64)


def test_a_division_and_another_order_cost_more() -> None:
    plain = replace(POINTWISE, kind=BlockKind.ELEMENTWISE)
    cycles = estimate(U85, plain).total
    assert cycles == 16 * 16 * 64 // 4
    assert estimate(U85, replace(plain, divides=True)).total == 33 * 16 * 16 * 64
    assert estimate(U85, replace(plain, turns=True, activates=True)).total == 2 * cycles
