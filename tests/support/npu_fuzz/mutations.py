# SPDX-License-Identifier: Apache-2.0
"""Corruptions of a compiled network: some blind, some aimed at a field that matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1

from ethosu_model.harness import RawModel, command_stream

Words = list[int]
Mutation = Callable[[RawModel, np.random.Generator], RawModel]

_EXTREMES_16 = (0, 1, 2, 7, 8, 15, 16, 255, 256, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
_EXTREMES_32 = (0, 1, 15, 16, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)
_PAYLOAD_BIT = 1 << 14
_SIZES = tuple(
    cmd0[name]
    for name in (
        "NPU_SET_OFM_HEIGHT_M1",
        "NPU_SET_OFM_WIDTH_M1",
        "NPU_SET_OFM_DEPTH_M1",
        "NPU_SET_IFM_DEPTH_M1",
        "NPU_SET_KERNEL_HEIGHT_M1",
        "NPU_SET_KERNEL_WIDTH_M1",
        "NPU_SET_KERNEL_STRIDE",
        "NPU_SET_IFM_PAD_TOP",
        "NPU_SET_IFM_PAD_LEFT",
        "NPU_SET_IFM_PAD_BOTTOM",
        "NPU_SET_IFM_PAD_RIGHT",
        "NPU_SET_OFM_BLK_DEPTH_M1",
        "NPU_SET_IFM_UPSCALE",
    )
)
_MODES = tuple(
    cmd0[name]
    for name in (
        "NPU_SET_IFM_PRECISION",
        "NPU_SET_OFM_PRECISION",
        "NPU_SET_ACTIVATION",
        "NPU_SET_ACC_FORMAT",
        "NPU_SET_IFM2_BROADCAST",
        "NPU_SET_IFM2_PRECISION",
        "NPU_SET_PARALLEL_MODE",
        "NPU_SET_IFM_REGION",
        "NPU_SET_OFM_REGION",
        "NPU_SET_WEIGHT_REGION",
        "NPU_SET_DMA0_SRC_REGION",
        "NPU_SET_DMA0_DST_REGION",
        "NPU_SET_DMA0_SIZE0",
        "NPU_SET_DMA0_SIZE1",
    )
)
_OPERATIONS = tuple(command for command in cmd0 if command.name.startswith("NPU_OP_"))


def _words(data: bytes) -> Words:
    return [int(word) for word in np.frombuffer(data, "<u4")]


def _bytes(words: Words) -> bytes:
    return np.array(words, np.uint64).astype("<u4").tobytes()


def _with_stream(model: RawModel, change: Callable[[Words], None]) -> RawModel:
    """Return ``model`` with its command stream changed and the payload's length made to fit."""
    stream = command_stream(model.payload)
    start = model.payload.index(stream)
    words = _words(stream)
    change(words)
    head = _words(model.payload[:start])
    count = len(words)
    head[-1] = (head[-1] & 0xFF) | (count >> 16 & 0xFF) << 8 | (count & 0xFFFF) << 16
    return replace(model, payload=_bytes(head + words))


def _starts(words: Words) -> list[int]:
    """Return the index of each command's first word."""
    starts, index = [], 0
    while index < len(words):
        starts.append(index)
        index += 2 if words[index] & _PAYLOAD_BIT else 1
    return starts


def _pick(rng: np.random.Generator, values: tuple[int, ...] | list[int]) -> int:
    return int(values[int(rng.integers(len(values)))])


def _before_operation(words: Words, rng: np.random.Generator, new: Words) -> None:
    """Insert commands directly before an operation, where they surely count."""
    places = [at for at in _starts(words) if words[at] & 0x3FF < 0x100]
    at = _pick(rng, places or [0])
    words[at:at] = new


def with_commands(model: RawModel, commands: Words) -> RawModel:
    """Return ``model`` with another command stream."""
    return _with_stream(model, lambda words: words.__setitem__(slice(None), commands))


def set_before_operations(model: RawModel, code: cmd0, parameter: int) -> RawModel:
    """Set one register before every operation."""

    def change(words: Words) -> None:
        for at in reversed([at for at in _starts(words) if words[at] & 0x3FF < 0x100]):
            words.insert(at, int(code.value) | parameter << 16)

    return _with_stream(model, change)


def flip_stream_bits(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Flip one to eight bits of the command stream."""

    def change(words: Words) -> None:
        for _ in range(int(rng.integers(1, 9))):
            words[int(rng.integers(len(words)))] ^= 1 << int(rng.integers(32))

    return _with_stream(model, change)


def random_stream_words(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Overwrite a run of words with noise."""

    def change(words: Words) -> None:
        at = int(rng.integers(len(words)))
        for index in range(at, min(len(words), at + int(rng.integers(1, 9)))):
            words[index] = int(rng.integers(1 << 32))

    return _with_stream(model, change)


def extreme_parameter(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Give one command of the stream an extreme parameter or payload."""

    def change(words: Words) -> None:
        at = _pick(rng, _starts(words))
        if words[at] & _PAYLOAD_BIT and at + 1 < len(words):
            words[at + 1] = _pick(rng, _EXTREMES_32)
        if not words[at] & _PAYLOAD_BIT or rng.random() < 0.3:
            words[at] = words[at] & 0xFFFF | _pick(rng, _EXTREMES_16) << 16

    return _with_stream(model, change)


def extreme_size(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Set one to three sizes, strides or paddings before an operation."""
    new = [
        _pick(rng, [int(code.value) for code in _SIZES]) | _pick(rng, _EXTREMES_16) << 16
        for _ in range(int(rng.integers(1, 4)))
    ]
    return _with_stream(model, lambda words: _before_operation(words, rng, new))


def random_mode(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Set a precision, activation, region or another mode to noise before an operation."""
    code = _pick(rng, [int(code.value) for code in _MODES])
    new = [code | int(rng.integers(1 << 16)) << 16]
    return _with_stream(model, lambda words: _before_operation(words, rng, new))


def extreme_address(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Set a base, stride, length or scale to an extreme before an operation."""
    code = _pick(rng, [int(code.value) for code in cmd1])
    high = _pick(rng, _EXTREMES_16) if rng.random() < 0.3 else 0
    value = _pick(rng, _EXTREMES_32) if rng.random() < 0.5 else int(rng.integers(1 << 16))
    new = [code | _PAYLOAD_BIT | high << 16, value]
    return _with_stream(model, lambda words: _before_operation(words, rng, new))


def another_operation(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Put an operation of any kind into the stream, with any parameter."""
    code = _pick(rng, [int(code.value) for code in _OPERATIONS])
    new = [code | int(rng.integers(8)) << 16]

    def change(words: Words) -> None:
        at = _pick(rng, _starts(words))
        words[at:at] = new * int(rng.integers(1, 20))

    return _with_stream(model, change)


def drop_commands(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Leave out a run of commands, or the stream's end."""

    def change(words: Words) -> None:
        at = _pick(rng, _starts(words))
        del words[at : at + int(rng.integers(1, 12)) if rng.random() < 0.7 else None]
        words[:] = words or [0]

    return _with_stream(model, change)


def shuffle_commands(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Put the stream's commands into another order."""

    def change(words: Words) -> None:
        starts = _starts(words)
        ends = [*starts[1:], len(words)]
        order = rng.permutation(len(starts))
        words[:] = [w for i in order for w in words[starts[i] : ends[i]]]

    return _with_stream(model, change)


def flip_weight_bits(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Flip one to eight bits of the weights, scales and tables."""
    data = np.frombuffer(model.weights, np.uint8).copy()
    if data.size:
        places = rng.integers(data.size, size=int(rng.integers(1, 9)))
        data[places] ^= (1 << rng.integers(8, size=places.size)).astype(np.uint8)
    return replace(model, weights=data.tobytes())


def noise_for_weights(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Overwrite a part of the weights with noise, zeros or ones."""
    data = np.frombuffer(model.weights, np.uint8).copy()
    if data.size:
        start, end = np.sort(rng.integers(data.size + 1, size=2))
        kind = int(rng.integers(3))
        data[start:end] = rng.integers(256, size=end - start) if kind == 0 else (0, 0, 255)[kind]
    return replace(model, weights=data.tobytes())


def another_weight_length(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Tell the weight decoder or the scale reader of a stream of another place and length."""
    names = ("WEIGHT_BASE", "WEIGHT_LENGTH", "SCALE_BASE", "SCALE_LENGTH")
    code = int(cmd1[f"NPU_SET_{names[int(rng.integers(4))]}"].value)
    limit = max(2, 2 * len(model.weights))
    new = [code | _PAYLOAD_BIT, int(rng.integers(limit))]
    return _with_stream(model, lambda words: _before_operation(words, rng, new))


def corrupt_payload(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Damage the payload's header: its name, actions, configuration or lengths."""
    data = bytearray(model.payload)
    for _ in range(int(rng.integers(1, 4))):
        data[int(rng.integers(min(48, len(data))))] = int(rng.integers(256))
    return replace(model, payload=bytes(data))


def cut_payload(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Keep only the beginning of the payload."""
    return replace(model, payload=model.payload[: int(rng.integers(len(model.payload)))])


def shrink_regions(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Give the NPU less memory than the network needs."""
    return replace(
        model,
        scratch_bytes=int(rng.integers(model.scratch_bytes + 1)),
        weights=model.weights[: int(rng.integers(len(model.weights) + 1))],
    )


def twice(model: RawModel, rng: np.random.Generator) -> RawModel:
    """Apply two other mutations."""
    once = ALONE[int(rng.integers(len(ALONE)))](model, rng)
    try:
        return ALONE[int(rng.integers(len(ALONE)))](once, rng)
    except Exception:  # noqa: BLE001 the first left no payload that the second could change
        return once


ALONE: tuple[Mutation, ...] = (
    flip_stream_bits,
    random_stream_words,
    extreme_parameter,
    extreme_size,
    random_mode,
    extreme_address,
    another_operation,
    drop_commands,
    shuffle_commands,
    flip_weight_bits,
    noise_for_weights,
    another_weight_length,
    corrupt_payload,
    cut_payload,
    shrink_regions,
)
MUTATIONS: tuple[Mutation, ...] = (*ALONE, twice)
