# SPDX-License-Identifier: Apache-2.0
"""Our table of Ethos-U85's commands against what Vela says of the commands it writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum

from ethosu_model.command_stream import Instruction, decode
from ethosu_model.enums import Product
from ethosu_model.fields import Field
from ethosu_model.harness import command_stream
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.table import all_cases, case_named
from tests.support.npu_corpus.targets import disassembled, target_named

_COMMAND = re.compile(r"^0x(\w+): .* - (\w+) +\d+(?:, (.*))?$", re.MULTILINE)
# Ours, and the header's, for fields that belong to several commands here.
_RENAMED = {
    "irq_mask": {"mask"},
    "resize_scale_n_m1": {"resize_x_scale_n_m1", "resize_y_scale_n_m1"},
    "resize_offset": {"resize_x_offset", "resize_y_offset"},
}
_SIGNED = {"resize_offset"}
_WORDS = {
    "SIGNED": 1,
    "UNSIGNED": 0,
    "INTERNAL": 1,
    "EXTERNAL": 0,
    "ENABLED": 1,
    "DISABLED": 0,
    "X2": 1,
    "NONE": 0,
}

# Networks that between them have convolutions in all weight formats, a matrix product, chains,
# tables, resizing, transposing and transfers.
_CASES = (
    "conv_2d-int8-ifm5x4x3-depth20-k3x2d1x2-same-relu6-per_tensor-zeros0.95",
    "softmax-int16-ifm4x12-beta2.0-reach8.0",
    "softmax-int8-ifm1x10-beta1.0-reach20.0",
    "log-LOG-int16-ifm1x8x8x16",
)
_OPERATORS = (
    "batch_matmul",
    "resize_bilinear",
    "transpose",
    "leaky_relu",
    "arg_max",
    "conv_2d_deep",
    "chain_cascade",
    "depthwise_conv_2d",
    "average_pool_2d",
    "mirror_pad",
)


def _first_of(operator: str) -> str:
    return next(case.id for case in all_cases() if case.operator == operator)


def _said_fields(text: str | None) -> Iterator[tuple[str, str]]:
    for part in (text or "").split(", "):
        name, _, value = part.partition(" = ")
        if value:
            yield name, value


def _our_field(instruction: Instruction, name: str) -> Field[object]:
    for field in instruction.command.fields:
        if name in _RENAMED.get(field.name, {field.name}):
            return field
    raise AssertionError(f"{instruction.command.name} has no field {name}")


def _agrees(instruction: Instruction, name: str, said: str) -> bool:
    field = _our_field(instruction, name)
    value = instruction.get(field)
    if isinstance(value, IntEnum):
        return said.endswith(f"_{value.name}") or said == str(int(value))
    number = int(value)  # type: ignore[call-overload]
    if field.name == "scalar" and number >> 31:
        return True  # Vela's text of a negative scalar is one too small
    if field.name in _SIGNED:
        number -= (number >> field.width - 1) << field.width
    last = said.rpartition("_")[2]
    expected = _WORDS[last] if last in _WORDS else int(said, 0)
    return bool(number == expected)


def test_every_field_has_the_value_that_vela_names() -> None:
    target = target_named("ethos-u85-1024/Dedicated_Sram_384KB")
    wrong, seen = [], set()
    for name in (*_CASES, *map(_first_of, _OPERATORS)):
        model, text = disassembled(target, tflite_bytes(case_named(name).network()))
        ours = decode(command_stream(model.payload), Product.U85)
        theirs = _COMMAND.findall(text)
        assert ours.fault is None
        assert [(i.offset, i.command.name) for i in ours.commands] == [
            (int(offset, 16), command) for offset, command, _ in theirs
        ]
        for instruction, (_, command, said) in zip(ours.commands, theirs, strict=True):
            seen.add(command)
            fields = dict(_said_fields(said))
            assert len(fields) == len(instruction.command.fields), command
            wrong += [
                f"{command} {field} = {value}"
                for field, value in fields.items()
                if not _agrees(instruction, field, value)
            ]
    assert not wrong
    assert len(seen) > 90
