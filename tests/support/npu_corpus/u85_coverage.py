# SPDX-License-Identifier: Apache-2.0
"""What of Ethos-U85's commands Vela writes for the corpus, and what it does not.

Every command of the table counts, every value of a field that is an enumeration, and whether a flag
was ever set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum

from ethosu_model.command_stream import decode
from ethosu_model.command_words import Command
from ethosu_model.enums import Product
from ethosu_model.fields import Field, words_of
from ethosu_model.harness import command_stream
from ethosu_model.u85.commands import Cmd0, Cmd1
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.targets import U85_TARGETS, NotOnNpu, compile_for
from tests.support.npu_corpus.u85_table import u85_cases

COMMANDS: tuple[Command, ...] = (*words_of(Cmd0, Command), *words_of(Cmd1, Command))
_MAX_LISTED = 6  # bits of a field whose values are listed


# What Vela 5.2 writes for no network of the corpus; test_unwritten.py has a stream with each.
NOT_WRITTEN = frozenset(
    {
        "NPU_OP_BRANCH",
        "NPU_OP_BRANCH.branch_cond ALWAYS",
        "NPU_OP_BRANCH.branch_cond RF_TRUE",
        "NPU_OP_ELEMENTWISE.elementwise_mode LSR",
        "NPU_OP_ELEMENTWISE.elementwise_mode XOR",
        "NPU_OP_IRQ",
        "NPU_OP_PMU_MASK",
        "NPU_OP_PMU_MASK.enable False",
        "NPU_OP_PMU_MASK.enable True",
        "NPU_OP_POOL.pooling_mode ARGMAX_Y",
        "NPU_OP_RESIZE.resize_mode REPLICATE",
        "NPU_SET_ACC_FORMAT.acc_input KEEP",
        "NPU_SET_ACC_FORMAT.acc_output DISABLE",
        "NPU_SET_ACTIVATION.activation_function LUT_S16_S32",
        "NPU_SET_ACTIVATION.activation_function LUT_S8_S16",
        "NPU_SET_ACTIVATION.activation_function LUT_U8_U8",
        "NPU_SET_DMA0_SRC_REGION.region_mode True",
        "NPU_SET_IFM2_PRECISION.activation_precision B64",
        "NPU_SET_IFM2_PRECISION.activation_storage TILE3X1",
        "NPU_SET_IFM2_PRECISION.activation_type False",
        "NPU_SET_IFM2_SCALE.round_mode NATURAL",
        "NPU_SET_IFM_BROADCAST.broadcast_mode CW",
        "NPU_SET_IFM_PRECISION.activation_precision B64",
        "NPU_SET_IFM_PRECISION.activation_storage TILE3X1",
        "NPU_SET_IFM_SCALE.round_mode NATURAL",
        "NPU_SET_IFM_UPSCALE.mode NEAREST",
        "NPU_SET_IFM_UPSCALE.mode ZEROS",
        "NPU_SET_KERNEL_STRIDE.decomposition D4X4",
        "NPU_SET_OFM_PRECISION.activation_storage NONE",
        "NPU_SET_OFM_PRECISION.activation_storage TILE3X1",
        "NPU_SET_OFM_SCALE.round_mode DOUBLE_ASYMMETRIC",
        "NPU_SET_OFM_SCALE.round_mode TRUNCATE_TO_ZERO",
    }
)


def values_of(field: Field[object]) -> Iterator[object]:
    """Yield the values that a field can have, if it is an enumeration or a flag."""
    if field.width > _MAX_LISTED:
        return
    for number in range(1 << field.width):
        try:
            value = field.get(number << field.low)
        except ValueError:
            continue
        if isinstance(value, IntEnum | bool):
            yield value


def everything() -> set[str]:
    """Return all commands and all listed values of their fields."""
    names = {command.name for command in COMMANDS}
    for command in COMMANDS:
        for field in command.fields:
            names |= {_name(command, field, value) for value in values_of(field)}
    return names


def written(payloads: Iterable[bytes]) -> set[str]:
    """Return the commands and values that the streams of driver payloads hold."""
    return written_in(command_stream(payload) for payload in payloads)


def written_in(streams: Iterable[bytes]) -> set[str]:
    """Return the commands and values that bare streams hold."""
    names: set[str] = set()
    for stream in streams:
        for instruction in decode(stream, Product.U85).commands:
            command = instruction.command
            names.add(command.name)
            for field in command.fields:
                value = instruction.get(field)
                if field.width <= _MAX_LISTED and isinstance(value, IntEnum | bool):
                    names.add(_name(command, field, value))
    return names


def _name(command: Command, field: Field[object], value: object) -> str:
    shown = value.name if isinstance(value, IntEnum) else str(value)
    return f"{command.name}.{field.name} {shown}"


def payloads(one_in: int = 1) -> Iterator[bytes]:
    """Compile the corpus, or one in so many of it, each network for one configuration."""
    for number, case in enumerate(u85_cases()[::one_in]):
        target = U85_TARGETS[number % len(U85_TARGETS)]
        try:
            yield compile_for(target, tflite_bytes(case.network())).payload
        except NotOnNpu:
            continue
