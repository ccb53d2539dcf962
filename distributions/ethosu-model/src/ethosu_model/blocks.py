# SPDX-License-Identifier: Apache-2.0
"""What each block of an operation reads and writes, and what NPU_SET_BLOCKDEP lets overlap.

An operation is a row of jobs: one for each OFM block, and in operations that sum over the IFM's
depth one for each IFM block of it. BLOCKDEP is how many jobs, the end of the previous operation's
and the start of this one's together, may be in the pipeline at once: with BLOCKDEP d job i of an
operation may read the IFM while job j from the end of the previous one is still to write, if
i + j < d. That is the meaning by which Vela computes it: `calc_blockdep` of
register_command_stream_util.py, and `CalcBlockDep` of regor's generators for each product. Blocks
follow one another along depth, then width, then height, as in both.

A job of the previous operation counts as one OFM block here, though it may have taken several: the
check never misses an overlap of these rules, and is as strict as Vela's. Vela itself gives 0
wherever it does not work the blocks out (an OFM transposed, reversed, or read in another shape, and
chains); here their addresses decide.

A chain of Ethos-U85 is one operation: block by block all its parts run, each reads what it has in
memory, and the last one writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ethosu_model.enums import Upscale
from ethosu_model.operands import FeatureMap, Shape
from ethosu_model.spans import NOTHING, Box, Spans, box_spans, meeting, union
from ethosu_model.traffic import Window, block_counts


@dataclass(frozen=True)
class Stretch:
    """Where along an axis the elements of a resized OFM lie in the IFM.

    Attributes:
        parts: Into how many parts the distance of two of the IFM's elements is divided.
        step: Parts from one element of the OFM to the next.
        offset: Part at which the first lies.
        nearest: It reads the nearest element alone, and not both neighbours.
    """

    parts: int
    step: int
    offset: int
    nearest: bool

    def under(self, outputs: tuple[int, int], size: int) -> tuple[int, int]:
        """Return the IFM's rows (or columns), of ``size``, that some rows of the OFM need."""
        low, high = (self.offset + place * self.step for place in (outputs[0], outputs[1] - 1))
        if self.nearest:
            half = self.parts // 2 + self.parts % 2
            low, high = low + self.parts - half, high + self.parts - half
            first, last = low // self.parts, high // self.parts
        else:
            first, last = low // self.parts, high // self.parts + 1
        return min(max(first, 0), size - 1), min(max(last, 0), size - 1) + 1


@dataclass(frozen=True)
class Reading:
    """How the blocks of an operation read one feature map.

    Attributes:
        window: The kernel that moves over it; None: each OFM block reads the elements at its own
            place, axes of length 1 being broadcast.
        summed_depth: Channels of an IFM block, where an OFM block sums over all channels; 0: it
            reads its own channels alone.
        whole: Every job may read all of it.
        stretch: Of a resize, how rows and columns lie in it.
    """

    fm: FeatureMap
    window: Window | None = None
    summed_depth: int = 0
    whole: bool = False
    stretch: tuple[Stretch, Stretch] | None = None


@dataclass(frozen=True)
class BlockWork:
    """One operation, block by block.

    Attributes:
        name: Command and offset in the stream, for messages.
        blockdep: NPU_SET_BLOCKDEP.
        shape: Size of the OFM, before it is turned.
        block: OFM block.
        written: The OFM; None if it is not in memory.
        transpose: Which axes of a block are the OFM's rows, columns and channels.
        reverse: The axis of the OFM that runs backwards, if one does.
        readings: The feature maps in memory that it reads.
        table: Whether it looks up a table.
        spares_table: Whether its accumulators leave the tables alone.
        alternates: Whether IFM blocks run backwards in every second OFM block along depth.
        parts: The operations that are chained to it, in their order.
    """

    name: str
    blockdep: int
    shape: Shape
    block: Shape
    written: FeatureMap | None
    readings: tuple[Reading, ...]
    table: bool
    spares_table: bool
    alternates: bool = False
    transpose: tuple[int, int, int] = (0, 1, 2)
    reverse: int | None = None
    parts: tuple[BlockWork, ...] = ()

    def with_part(self, part: BlockWork) -> BlockWork:
        """Return the chain to which ``part`` was added."""
        return replace(self, parts=(*self.parts, part))

    @cached_property
    def _counts(self) -> Shape:
        return block_counts(self.shape, self.block)

    def _box(self, index: int) -> Box:
        """Return the elements of an OFM block: first and last + 1 of rows, columns, channels."""
        counts, shape, block = self._counts, self.shape, self.block
        rest, z = divmod(index, counts.depth)
        y, x = divmod(rest, counts.width)
        return (
            (y * block.height, min((y + 1) * block.height, shape.height)),
            (x * block.width, min((x + 1) * block.width, shape.width)),
            (z * block.depth, min((z + 1) * block.depth, shape.depth)),
        )

    @property
    def writer(self) -> BlockWork:
        """The operation whose OFM goes to memory: of a chain, the last one."""
        return self.parts[-1] if self.parts else self

    @property
    def block_count(self) -> int:
        """OFM blocks."""
        return self._counts.elements

    def last_written(self, count: int) -> Iterator[Spans]:
        """Yield what the last ``count`` jobs write, the very last one first."""
        last = self.block_count - 1
        for index in range(last, max(last - count, -1), -1):
            yield self.writer.block_written(index)

    def block_written(self, index: int) -> Spans:
        """Return what an OFM block writes into memory."""
        if self.written is None:
            return NOTHING
        before = self._box(index)
        height, width, depth = (before[axis] for axis in self.transpose)
        box = [height, width, depth]
        if self.reverse is not None:
            shape, (first, end) = self.written.shape, box[self.reverse]
            size = (shape.height, shape.width, shape.depth)[self.reverse]
            box[self.reverse] = (size - end, size - first)
        return box_spans(self.written, (box[0], box[1], box[2]))

    def first_read(self, count: int) -> Iterator[Spans]:
        """Yield what the first ``count`` jobs read; parts of a chain read with a block's last."""
        per_block = max((_slices(reading) for reading in self.readings), default=1)
        for job in range(min(count, self.block_count * per_block)):
            block, part = divmod(job, per_block)
            chained = self.parts if part == per_block - 1 else ()
            if self.alternates and block % self._counts.depth % 2:
                part = per_block - 1 - part
            reads = [self._read(reading, block, part) for reading in self.readings]
            yield union([*reads, *(each.block_read(each.readings, block) for each in chained)])

    def block_read(self, readings: Iterable[Reading], index: int) -> Spans:
        """Return what an OFM block reads, all its jobs together, of some of the ``readings``."""
        return union(
            self._read(reading, index, part)
            for reading in readings
            for part in range(_slices(reading))
        )

    def _read(self, reading: Reading, block: int, part: int) -> Spans:
        if reading.whole:
            return box_spans(reading.fm, None)
        shape = reading.fm.shape
        rows, columns, channels = self._box(block)
        window = reading.window
        if reading.stretch is not None:
            vertical, across = reading.stretch
            height, width = vertical.under(rows, shape.height), across.under(columns, shape.width)
            return box_spans(reading.fm, (height, width, channels))
        if window is None:
            sizes = (shape.height, shape.width, shape.depth)
            own = zip((rows, columns, channels), sizes, strict=True)
            height, width, depth = (span if size > 1 else (0, 1) for span, size in own)
            return box_spans(reading.fm, (height, width, depth))
        kernel, pad, factor = window.kernel, window.padding, _factor(window)
        if reading.summed_depth:
            first = part * reading.summed_depth
            channels = (first, min(first + reading.summed_depth, shape.depth))
        height = _under(rows, kernel.stride_y, kernel.dilated_height, pad.top, factor)
        width = _under(columns, kernel.stride_x, kernel.dilated_width, pad.left, factor)
        return box_spans(reading.fm, (height, width, channels))


def blockdep_fault(previous: BlockWork, work: BlockWork) -> str | None:
    """Return why BLOCKDEP of ``work`` is too large behind ``previous``, None if it is not."""
    if not work.blockdep:
        return None
    if previous.table and not work.table and not work.spares_table:
        return f"overwrites the table of {previous.name}: BLOCKDEP is {work.blockdep}, at most 0"
    written = list(previous.last_written(work.blockdep))
    for later, reads in enumerate(work.first_read(work.blockdep)):
        for earlier, writes in enumerate(written[: work.blockdep - later]):
            address = meeting(reads, writes)
            if address is not None:
                return (
                    f"reads what {previous.name} may not have written, at 0x{address:x}:"
                    f" BLOCKDEP is {work.blockdep}, at most {later + earlier}"
                )
    return None


def _slices(reading: Reading) -> int:
    if not reading.summed_depth:
        return 1
    return -(-reading.fm.shape.depth // reading.summed_depth)


def _factor(window: Window) -> int:
    return 1 if window.upscale is Upscale.NONE else 2


def _under(
    outputs: tuple[int, int], stride: int, extent: int, pad: int, factor: int
) -> tuple[int, int]:
    """Return the IFM's rows (or columns) under a kernel that makes some rows of the OFM."""
    low = max(0, outputs[0] * stride - pad)
    high = (outputs[1] - 1) * stride + extent - pad
    return low // factor, -(-high // factor)
