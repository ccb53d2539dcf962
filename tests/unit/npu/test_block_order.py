# SPDX-License-Identifier: Apache-2.0
"""What the blocks of turned OFMs and of chains read and write, in blocks of 4x4x16."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ethosu_model.blocks import BlockWork, Reading, Stretch, blockdep_fault
from ethosu_model.enums import Layout, Product, Upscale
from ethosu_model.faults import AxiPort, CommandFault
from ethosu_model.operands import FeatureMap, Kernel, Padding, Shape, Tiles
from ethosu_model.ordering import Accesses, Ordering
from ethosu_model.overwriting import overwritten
from ethosu_model.spans import NOTHING, span, spans_of
from ethosu_model.traffic import Window

TALL, WIDE = Shape(8, 4, 16), Shape(4, 8, 16)
A, B, C = 0x1000, 0x2000, 0x3000
AROUND = Window(
    Kernel(3, 3, 1, 1, 1, 1, part_kernel_first=False, decomposition=8),
    Padding(1, 1, 1, 1),
    Upscale.NONE,
)


def dense(shape: Shape, address: int, kind: str = "i1") -> FeatureMap:
    dtype = np.dtype(kind)
    return FeatureMap(
        shape=shape,
        dtype=dtype,
        layout=Layout.NHWC,
        tiles=Tiles(shape.height, shape.height, shape.width, (address, 0, 0, 0)),
        stride_y=shape.width * shape.depth * dtype.itemsize,
        stride_x=shape.depth * dtype.itemsize,
        stride_c=dtype.itemsize,
        zero_point=0,
        port=AxiPort.AXI0,
    )


def work(name: str, shape: Shape, written: FeatureMap | None, *readings: Reading) -> BlockWork:
    return BlockWork(
        name=name,
        blockdep=0,
        shape=shape,
        block=Shape(4, 4, 16),
        written=written,
        readings=readings,
        table=False,
        spares_table=True,
    )


def most(previous: BlockWork, later: BlockWork) -> int:
    """Return the largest BLOCKDEP that the check lets pass, up to 3."""
    allowed = [d for d in range(4) if blockdep_fault(previous, replace(later, blockdep=d)) is None]
    assert allowed == list(range(len(allowed)))
    return allowed[-1]


def test_a_turned_ofm_is_written_block_by_block() -> None:
    rows = work("first", TALL, dense(TALL, A))
    columns = work("first", TALL, dense(WIDE, A))
    turned = replace(columns, transpose=(1, 0, 2))
    read_tall = work("second", TALL, None, Reading(dense(TALL, A)))
    read_wide = work("second", WIDE, None, Reading(dense(WIDE, A)))
    assert most(rows, read_tall) == 1
    assert most(turned, read_wide) == 1
    # Backwards, the last block lies where the first job reads.
    assert most(replace(rows, reverse=0), read_tall) == 0
    assert most(replace(turned, reverse=1), read_wide) == 0
    assert most(replace(turned, reverse=0), read_wide) == 1


def test_a_chain_reads_with_all_its_parts_and_writes_with_the_last() -> None:
    head = work("head", TALL, None, Reading(dense(TALL, A), AROUND))
    chain = head.with_part(work("part", TALL, dense(TALL, C), Reading(dense(TALL, B))))
    assert most(work("before", TALL, dense(TALL, B)), chain) == 1
    assert most(work("before", TALL, dense(TALL, A)), chain) == 0
    assert most(chain, work("behind", TALL, None, Reading(dense(TALL, C)))) == 1
    # Where the head takes its IFM in two jobs, the part reads in the second of them.
    sums = replace(head, readings=(Reading(dense(TALL, A), AROUND, summed_depth=8),))
    sums = sums.with_part(chain.parts[0])
    assert most(work("before", TALL, dense(TALL, B)), sums) == 2


def test_a_chain_is_one_kernel_for_the_waits() -> None:
    ordering = Ordering(Product.U85)
    head, part = work("head", TALL, None), work("part", TALL, None)
    ordering.kernel(Accesses("head", spans_of(dense(TALL, A)), NOTHING), head, joins=False)
    ordering.kernel(Accesses("part", NOTHING, spans_of(dense(TALL, C))), part, joins=True)
    ordering.wait_for_kernels(1)
    with pytest.raises(CommandFault, match="overwrites what part may not have read, at 0x1010"):
        ordering.transfer(Accesses("copy", NOTHING, span(A + 16, 16)))
    ordering.wait_for_kernels(0)
    ordering.transfer(Accesses("copy", NOTHING, span(A + 16, 16)))


def test_no_block_may_overwrite_what_a_later_one_reads() -> None:
    own = dense(TALL, A)
    assert overwritten(work("in place", TALL, own, Reading(own))) is None
    assert overwritten(work("around", TALL, own, Reading(own, AROUND))) == A + 3 * 4 * 16
    wider = work("wider", TALL, dense(TALL, A, "i4"), Reading(own))
    assert overwritten(wider) == A + 4 * 4 * 16
    chain = work("head", TALL, None, Reading(own, AROUND))
    chain = chain.with_part(work("part", TALL, own, Reading(dense(TALL, B))))
    assert overwritten(chain) == A + 3 * 4 * 16


def test_a_resize_reads_the_neighbours_of_its_block() -> None:
    # By 2, from half an element before the first: 0 0 0+1 0+1 1+2 1+2 ..., or 0 0 1 1 2 2 ...
    both, nearest = Stretch(4, 2, -1, nearest=False), Stretch(4, 2, -1, nearest=True)
    assert [both.under((row, row + 1), 4) for row in range(4)] == [(0, 1), (0, 2), (0, 2), (1, 3)]
    assert [nearest.under((row, row + 1), 4) for row in range(4)] == [
        (0, 1),
        (0, 1),
        (1, 2),
        (1, 2),
    ]
    assert both.under((6, 8), 4) == (2, 4)
    assert nearest.under((2, 8), 4) == (1, 4)


def test_ifm_blocks_run_backwards_in_every_second_block_along_depth() -> None:
    shape, deep = Shape(8, 4, 32), Shape(8, 4, 16)
    reading = Reading(dense(deep, A), AROUND, summed_depth=8)
    one_slice = replace(work("first", deep, None, reading), alternates=True)
    first, second, third, _ = one_slice.first_read(4)
    assert first[0, 0] == A
    assert second[0, 0] == A + 8
    assert third[0, 0] % 16 == 0  # a new place begins anew
    two_slices = replace(one_slice, shape=shape)
    assert [job[0, 0] for job in two_slices.first_read(4)] == [A, A + 8, A + 8, A]
