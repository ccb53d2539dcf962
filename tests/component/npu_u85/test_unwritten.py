# SPDX-License-Identifier: Apache-2.0
"""What Vela writes for no network: by hand-written streams, against NumPy and exact fractions.

What the model runs is compared in every element; what it refuses has to say so by name. The last
test holds the streams together to the list of what Vela does not write.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import floor, trunc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ethosu_model.command_words import Command
from ethosu_model.registers import Status
from ethosu_model.u85.commands import Cmd0, Cmd1
from ethosu_model.u85.enums import (
    AccumulatorInput,
    AccumulatorOutput,
    BranchCondition,
    BroadcastMode,
    ElementSize,
    ElementwiseMode,
    Function,
    IfmRounding,
    OfmRounding,
    PoolingMode,
    ResizeMode,
    Storage,
)
from ethosu_model.u85.registers import Reg
from tests.support.npu.u85_streams import Words, encoded, feature_map, run
from tests.support.npu_corpus.u85_coverage import NOT_WRITTEN, written_in

Array = NDArray[Any]
Shape = tuple[int, int, int]

IFM, IFM2, TABLE, OFM = 0x0, 0x400, 0x800, 0xC00
SHAPE = (4, 6, 5)
RANDOM = np.random.default_rng(3)
I8 = RANDOM.integers(-128, 128, SHAPE).astype("i1")
OTHER = RANDOM.integers(-128, 128, SHAPE).astype("i1")
U8, OTHER_U8 = I8.view("u1"), OTHER.view("u1")
I32 = RANDOM.integers(-(1 << 28), 1 << 28, SHAPE).astype("i4")
I64 = RANDOM.integers(-(1 << 40), 1 << 40, SHAPE).astype("i8")
FIRST_ROW = I8[:, :1, :1]
BYTES = RANDOM.integers(0, 256, 256).astype("u1")
HALVES = RANDOM.integers(-(1 << 15), 1 << 15, 256).astype("i2")

_SIZES = {1: ElementSize.B8, 2: ElementSize.B16, 4: ElementSize.B32, 8: ElementSize.B64}
_OPERANDS = {"IFM": (Cmd0.NPU_SET_IFM_PRECISION, IFM), "IFM2": (Cmd0.NPU_SET_IFM2_PRECISION, IFM2)}


@dataclass(frozen=True)
class Stream:
    """An operation with the elements that it reads and is to give, or its refusal.

    Attributes:
        data: Arrays by offset in region 0.
        expected: What is at `OFM` behind the run.
        refusal: Part of the message instead.
    """

    commands: Words
    data: dict[int, Array]
    expected: Array | None = None
    refusal: str = ""


def operand(name: str, array: Array, storage: Storage = Storage.TILE2X2) -> Words:
    precision, offset = _OPERANDS[name]
    size = array.dtype.itemsize
    value = (array.dtype.kind == "i") | _SIZES[size] << 2 | storage << 14
    height, width, depth = array.shape
    return [(precision, value), *feature_map(name, (height, width, depth), size, offset)]


def result(
    dtype: str,
    shape: Shape = SHAPE,
    storage: Storage = Storage.TILE2X2,
    rounding: OfmRounding = OfmRounding.NATURAL,
    scale: tuple[int, int] = (1, 0),
) -> Words:
    size, word = np.dtype(dtype).itemsize, Cmd1.NPU_SET_OFM_SCALE
    scaling = word.scale.put(scale[0]) | word.shift.put(scale[1]) | word.round_mode.put(rounding)
    precision = (dtype[0] == "i") | _SIZES[size] << 1 | 1 << 8 | storage << 14
    return [
        (Cmd0.NPU_SET_OFM_PRECISION, precision),
        (word, scaling),
        (Cmd0.NPU_SET_ACTIVATION, 1 << 12),
        *feature_map("OFM", shape, size, OFM),
    ]


def elementwise(mode: ElementwiseMode) -> tuple[Command, int]:
    return Cmd0.NPU_OP_ELEMENTWISE, mode


def pool(mode: PoolingMode) -> tuple[Command, int]:
    return Cmd0.NPU_OP_POOL, mode


def rounded(values: Array, scale: tuple[int, int], how: Callable[[Fraction], int]) -> Array:
    """Return values * scale[0] / 2**scale[1], by exact fractions."""
    exact = [how(Fraction(int(v) * scale[0], 1 << scale[1])) for v in values.ravel()]
    return np.array(exact, np.int64).reshape(values.shape)


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def to_table(size_bytes: int) -> Words:
    """Move a table into the first place of the table RAM."""
    return [
        (Cmd0.NPU_SET_DMA0_DST_REGION, 1 << 8),
        (Cmd1.NPU_SET_DMA0_SRC, TABLE),
        (Cmd1.NPU_SET_DMA0_LEN, size_bytes),
        (Cmd0.NPU_OP_DMA_START, 0),
        (Cmd0.NPU_OP_DMA_WAIT, 0),
    ]


def looked_up(function: Function, table: Array, ifm: Array, gives: str) -> Words:
    return [
        *to_table(table.nbytes),
        *operand("IFM", ifm),
        *result(gives),
        (Cmd0.NPU_SET_ACTIVATION, function | 1 << 12),
        pool(PoolingMode.MAX),
    ]


_IFM_SCALE, _IFM2_SCALE = (1234567, 21), (7654321, 23)
_OFM_SCALE = (1234567, 22)


def _scaled_sum() -> Stream:
    words: list[tuple[Command, int]] = []
    for word, scale in (
        (Cmd1.NPU_SET_IFM_SCALE, _IFM_SCALE),
        (Cmd1.NPU_SET_IFM2_SCALE, _IFM2_SCALE),
    ):
        rounding = word.round_mode.put(IfmRounding.NATURAL)
        words.append((word, word.scale.put(scale[0]) | word.shift.put(scale[1]) | rounding))
    expected = rounded(I8, _IFM_SCALE, half_up) + rounded(OTHER, _IFM2_SCALE, half_up)
    commands = [*operand("IFM", I8), *operand("IFM2", OTHER), *result("i2"), *words]
    commands.append(elementwise(ElementwiseMode.ADD))
    return Stream(commands, {IFM: I8, IFM2: OTHER}, expected.astype("i2"))


def _both(mode: ElementwiseMode, first: Array, second: Array, expected: Array, **of: Any) -> Stream:
    dtype = f"{expected.dtype.kind}{expected.dtype.itemsize}"
    commands = [*operand("IFM", first), *operand("IFM2", second), *result(dtype, **of)]
    return Stream([*commands, elementwise(mode)], {IFM: first, IFM2: second}, expected)


def _enlarged(upscale: int) -> Stream:
    small = I8[:2, :3]
    expected = np.zeros((4, 6, 5), "i1")
    expected[::2, ::2] = small
    if upscale == 1:
        expected = small.repeat(2, 0).repeat(2, 1)
    commands = [*operand("IFM", small), *result("i1"), (Cmd0.NPU_SET_IFM_UPSCALE, upscale)]
    return Stream([*commands, pool(PoolingMode.MAX)], {IFM: small}, expected)


def _first_of_rows() -> Stream:
    commands = [
        *operand("IFM", I8),
        *result("i4", (1, 6, 5), rounding=OfmRounding.TRUNCATE_TO_LOWER, scale=(1, 16)),
        (Cmd0.NPU_SET_KERNEL_HEIGHT_M1, 3),
        pool(PoolingMode.ARGMAX_Y),
    ]
    return Stream(commands, {IFM: I8}, I8.argmax(axis=0)[None].astype("i4"))


def _from_the_table_ram() -> Stream:
    commands = [
        *to_table(256),
        (Cmd0.NPU_SET_DMA0_SRC_REGION, 1 << 8),
        (Cmd0.NPU_SET_DMA0_DST_REGION, 0),
        (Cmd1.NPU_SET_DMA0_SRC, 64),
        (Cmd1.NPU_SET_DMA0_DST, OFM),
        (Cmd1.NPU_SET_DMA0_LEN, 128),
        (Cmd0.NPU_OP_DMA_START, 0),
    ]
    return Stream(commands, {TABLE: BYTES}, BYTES[64:192])


def _accumulators_of_64_bits() -> Stream:
    scale = (3, 20)
    commands = [
        *operand("IFM2", I64),
        *result("i4", scale=scale),
        (Cmd0.NPU_SET_ACC_FORMAT, AccumulatorInput.IFM2 << 4),
        pool(PoolingMode.NONE),
    ]
    return Stream(commands, {IFM2: I64}, rounded(I64, scale, half_up).astype("i4"))


def _scaled_by_channel() -> Stream:
    """Vela writes this for TOSA's RESCALE of accumulators, and for no network of the corpus."""
    biases, scales, shifts = (
        (-70000, 5, 0, 1 << 20, 9),
        (3, 7, 1 << 30, 12345, 1),
        (20, 22, 52, 30, 18),
    )
    records = np.zeros((16, 10), "u1")
    for record, values in zip(records, zip(biases, scales, shifts, strict=True), strict=False):
        record[:9] = np.frombuffer(struct.pack("<iiB", *values), "u1")
    expected = np.stack(
        [
            rounded(I32[:, :, channel].astype("i8") + bias, (scale, shift), half_up)
            for channel, (bias, scale, shift) in enumerate(zip(biases, scales, shifts, strict=True))
        ],
        axis=-1,
    )
    commands = [
        *operand("IFM2", I32),
        *result("i2"),
        (Cmd0.NPU_SET_OFM_PRECISION, 1 | ElementSize.B16 << 1),
        (Cmd1.NPU_SET_SCALE_BASE, TABLE),
        (Cmd1.NPU_SET_SCALE_LENGTH, records.size),
        (Cmd0.NPU_SET_ACC_FORMAT, AccumulatorInput.IFM2 << 4),
        pool(PoolingMode.NONE),
    ]
    return Stream(commands, {IFM2: I32, TABLE: records}, expected.astype("i2"))


def _decomposed() -> Stream:
    """Only the order of weights depends on the decomposition: a pooling has none."""
    expected = np.full((1, 1, 5), -128, "i1")
    expected[0, 0] = I8[:, :5].reshape(-1, 5).max(axis=0)
    commands = [
        *operand("IFM", I8[:, :5].copy()),
        *result("i1", (1, 1, 5)),
        (Cmd0.NPU_SET_KERNEL_HEIGHT_M1, 3),
        (Cmd0.NPU_SET_KERNEL_WIDTH_M1, 4),
        (Cmd0.NPU_SET_KERNEL_STRIDE, Cmd0.NPU_SET_KERNEL_STRIDE.decomposition.mask),
        pool(PoolingMode.MAX),
    ]
    return Stream(commands, {IFM: I8[:, :5].copy()}, expected)


RUN = {
    "XOR": _both(ElementwiseMode.XOR, I8, OTHER, I8 ^ OTHER),
    "unsigned IFM2": _both(ElementwiseMode.MAX, U8, OTHER_U8, np.maximum(U8, OTHER_U8)),
    "TRUNCATE_TO_ZERO": _both(
        ElementwiseMode.MUL,
        I8,
        OTHER,
        rounded(I8.astype("i4") * OTHER, _OFM_SCALE, trunc).astype("i2"),
        scale=_OFM_SCALE,
        rounding=OfmRounding.TRUNCATE_TO_ZERO,
    ),
    "IFM_SCALE and IFM2_SCALE NATURAL": _scaled_sum(),
    "IFM_BROADCAST CW": Stream(
        [
            *operand("IFM", FIRST_ROW),
            *operand("IFM2", OTHER),
            *result("i1"),
            (Cmd0.NPU_SET_IFM_BROADCAST, BroadcastMode.CW),
            elementwise(ElementwiseMode.MIN),
        ],
        {IFM: FIRST_ROW, IFM2: OTHER},
        np.minimum(FIRST_ROW, OTHER),
    ),
    "IFM_UPSCALE NEAREST": _enlarged(1),
    "IFM_UPSCALE ZEROS": _enlarged(2),
    "ARGMAX_Y": _first_of_rows(),
    "LUT_U8_U8": Stream(
        looked_up(Function.LUT_U8_U8, BYTES, U8, "u1"), {IFM: U8, TABLE: BYTES}, BYTES[U8]
    ),
    "LUT_S8_S16": Stream(
        looked_up(Function.LUT_S8_S16, HALVES, I8, "i2"),
        {IFM: I8, TABLE: HALVES},
        HALVES[I8.astype(int) + 128],
    ),
    "transfer from the table RAM": _from_the_table_ram(),
    "IFM2 of 64 bits": _accumulators_of_64_bits(),
    "accumulators scaled by channel": _scaled_by_channel(),
    "D4X4": _decomposed(),
}


def _refused(refusal: str, *commands: tuple[Command, int]) -> Stream:
    given = [*operand("IFM", I8), *operand("IFM2", OTHER), *result("i1"), *commands]
    return Stream(given, {IFM: I8, IFM2: OTHER}, refusal=refusal)


_ADD, _MUL = elementwise(ElementwiseMode.ADD), elementwise(ElementwiseMode.MUL)
_MAX = pool(PoolingMode.MAX)
REFUSED = {
    "branch": _refused("NPU_OP_BRANCH", (Cmd1.NPU_OP_BRANCH, 0)),
    "branch on a flag": _refused(
        "NPU_OP_BRANCH",
        (Cmd1.NPU_OP_BRANCH, Cmd1.NPU_OP_BRANCH.branch_cond.put(BranchCondition.RF_TRUE)),
    ),
    "LSR": _refused("ELEMENTWISE LSR", elementwise(ElementwiseMode.LSR)),
    "REPLICATE": _refused(
        "REPLICATE",
        *result("i1", scale=(1, 16)),
        (Cmd0.NPU_SET_KERNEL_HEIGHT_M1, 3),
        (Cmd0.NPU_SET_KERNEL_WIDTH_M1, 5),
        (Cmd0.NPU_OP_RESIZE, ResizeMode.REPLICATE),
    ),
    "KEEP": _refused("acc_input KEEP", (Cmd0.NPU_SET_ACC_FORMAT, AccumulatorInput.KEEP << 4), _MAX),
    "DISABLE": _refused(
        "acc_output DISABLE", (Cmd0.NPU_SET_ACC_FORMAT, AccumulatorOutput.DISABLE << 6), _MAX
    ),
    "LUT_S16_S32": _refused(
        "LUT_S16_S32", (Cmd0.NPU_SET_ACTIVATION, Function.LUT_S16_S32 | 1 << 12), _MAX
    ),
    "IFM of 64 bits": _refused("operands of int64", *operand("IFM", I64), _ADD),
    "IFM in 3x1 tiles": _refused("TILE3X1", *operand("IFM", I8, Storage.TILE3X1), _ADD),
    "IFM2 in 3x1 tiles": _refused("TILE3X1", *operand("IFM2", OTHER, Storage.TILE3X1), _ADD),
    "OFM in 3x1 tiles": _refused("TILE3X1", *result("i1", storage=Storage.TILE3X1), _ADD),
    "OFM nowhere": _refused("storage NONE", *result("i1", storage=Storage.NONE), _ADD),
    "a sum scaled by channel": _refused(
        "NPU_OP_POOL: scale_mode PER_CHANNEL",
        (Cmd0.NPU_SET_OFM_PRECISION, 1),
        pool(PoolingMode.SUM),
    ),
    "DOUBLE_ASYMMETRIC": _refused(
        "DOUBLE_ASYMMETRIC", *result("i1", rounding=OfmRounding.DOUBLE_ASYMMETRIC), _MUL
    ),
}


def _memory(stream: Stream) -> bytes:
    data = bytearray(0x1000)
    for offset, array in stream.data.items():
        raw = np.ascontiguousarray(array).tobytes()
        assert len(raw) <= 0x400
        data[offset : offset + len(raw)] = raw
    return bytes(data)


@pytest.mark.parametrize("stream", RUN.values(), ids=RUN)
def test_a_form_that_vela_does_not_write_is_its_definition(stream: Stream) -> None:
    device, memory = run(stream.commands, _memory(stream))
    assert device.last_fault is None
    assert stream.expected is not None
    got = np.frombuffer(memory, stream.expected.dtype, stream.expected.size, OFM)
    np.testing.assert_array_equal(got.reshape(stream.expected.shape), stream.expected)
    assert len(np.unique(got)) > 1


@pytest.mark.parametrize("stream", REFUSED.values(), ids=REFUSED)
def test_a_form_whose_meaning_is_not_known_is_refused_by_name(stream: Stream) -> None:
    before = _memory(stream)
    device, memory = run(stream.commands, before)
    assert device.read_register(Reg.STATUS.offset) & Status.CMD_PARSE_ERROR
    assert stream.refusal in str(device.last_fault)
    assert memory == before


_XOR = RUN["XOR"]
INTERRUPTS = [*_XOR.commands, (Cmd0.NPU_OP_IRQ, 0x0105), *_XOR.commands]
MASKED = [(Cmd0.NPU_OP_PMU_MASK, 1), *_XOR.commands]
UNMASKED = [*MASKED, (Cmd0.NPU_OP_PMU_MASK, 0), *_XOR.commands]


def test_an_interrupt_on_the_way_leaves_its_mask_in_the_history() -> None:
    device, _ = run(INTERRUPTS, _memory(_XOR))
    assert device.irq
    assert device.read_register(Reg.STATUS.offset) >> 16 == 0x0105


def test_masked_operations_count_nothing() -> None:
    def counted(commands: Words) -> int:
        device, _ = run(commands, _memory(_XOR))
        return device.read_register(Reg.PMCCNTR_LO.offset)

    assert counted(MASKED) == 0
    assert counted(UNMASKED) == counted(_XOR.commands) > 0


def test_each_form_that_vela_does_not_write_is_in_a_stream_of_these() -> None:
    cases = [stream.commands for stream in (*RUN.values(), *REFUSED.values())]
    streams = [encoded(words) for words in (*cases, INTERRUPTS, UNMASKED)]
    assert written_in(streams) >= NOT_WRITTEN
