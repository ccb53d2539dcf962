# SPDX-License-Identifier: Apache-2.0
"""The reader of .pte files, on files that flatbuffers wrote after ExecuTorch's schema."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.executorch_file import check_accelerator, read_executorch
from ethosmith.models.tensor_spec import TensorSpec

_INT8, _FLOAT32, _INT64 = 1, 6, 4
_FIELDS_OF_PROGRAM, _FIELDS_OF_PLAN = 8, 10
_DOUBLE, _TENSOR = 4, 5
_NPU = b"--accelerator-config=ethos-u55-128 --memory-mode=Shared_Sram"

# What writes an object, and returns its offset.
Writer = Callable[[flatbuffers.Builder], int]


def _table(builder: flatbuffers.Builder, fields: int, offsets: dict[int, int]) -> int:
    builder.StartObject(fields)
    for number, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(number, offset, 0)
    return int(builder.EndObject())


def _vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _integers(builder: flatbuffers.Builder, values: list[int]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependInt32(value)
    return int(builder.EndVector())


def _value(builder: flatbuffers.Builder, kind: int, inner: int) -> int:
    builder.StartObject(2)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, inner, 0)
    return int(builder.EndObject())


def _tensor(dtype: int, sizes: list[int], dynamism: int = 0) -> Writer:
    def write(builder: flatbuffers.Builder) -> int:
        shape = _integers(builder, sizes)
        builder.StartObject(10)
        builder.PrependInt8Slot(0, dtype, 0)
        builder.PrependUOffsetTRelativeSlot(2, shape, 0)
        builder.PrependInt8Slot(8, dynamism, 0)
        return _value(builder, _TENSOR, int(builder.EndObject()))

    return write


def _double(number: float) -> Writer:
    def write(builder: flatbuffers.Builder) -> int:
        builder.StartObject(1)
        builder.PrependFloat64Slot(0, number, 0.0)
        return _value(builder, _DOUBLE, int(builder.EndObject()))

    return write


def _plan(
    name: str,
    values: list[Writer],
    inputs: list[int],
    outputs: list[int],
    backend: str | None = None,
) -> Writer:
    def write(builder: flatbuffers.Builder) -> int:
        delegates = []
        if backend is not None:
            spec = _table(
                builder,
                2,
                {0: builder.CreateString("flags"), 1: builder.CreateByteVector(_NPU)},
            )
            specs, identity = _vector(builder, [spec]), builder.CreateString(backend)
            delegates.append(_table(builder, 3, {0: identity, 2: specs}))
        kernel, overload = builder.CreateString("aten::fmod"), builder.CreateString("out")
        operators = [_table(builder, 2, {0: kernel, 1: overload})]
        offsets = {
            0: builder.CreateString(name),
            2: _vector(builder, [one(builder) for one in values]),
            3: _integers(builder, inputs),
            4: _integers(builder, outputs),
            6: _vector(builder, operators),
            7: _vector(builder, delegates),
        }
        return _table(builder, _FIELDS_OF_PLAN, offsets)

    return write


def _file(*plans: Writer, identifier: bytes = b"ET12") -> bytes:
    builder = flatbuffers.Builder(1024)
    made = _vector(builder, [plan(builder) for plan in plans])
    builder.Finish(_table(builder, _FIELDS_OF_PROGRAM, {1: made}), identifier)
    return bytes(builder.Output())


def _network(backend: str = "EthosUBackend", dynamism: int = 0, dtype: int = _INT8) -> Writer:
    values = [_tensor(dtype, [1, 50, 10, 1], dynamism), _tensor(_FLOAT32, [1, 12])]
    return _plan("forward", values, [0], [1], backend)


def _written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "net.pte"
    path.write_bytes(content)
    return path


def test_inputs_outputs_npu_and_operators_are_read(tmp_path: Path) -> None:
    scale = _plan("input0_scale", [_double(0.25)], [], [0])
    zero_point = _plan("input0_zp", [_double(-3.0)], [], [0])
    path = _written(tmp_path, _file(scale, _network(), zero_point))
    found = read_executorch(path)
    assert found.spec.inputs == (TensorSpec("input_0", "int8", (1, 50, 10, 1), 0.25, -3),)
    assert found.spec.outputs == (TensorSpec("output_0", "float32", (1, 12), 0.0, 0),)
    assert (found.operators, found.delegates) == (("aten::fmod.out",), 1)
    check_accelerator(found, path, "ethos-u55-128")
    with pytest.raises(EthosmithError, match=r"compiled for ethos-u55-128, .* ethos-u55-256"):
        check_accelerator(found, path, "ethos-u55-256")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_file(_network(), identifier=b"ET13"), "its format is ET13, and this build reads ET12"),
        (_file(_network(), identifier=b"TFL3"), "no ET12 identifier"),
        (b"", "no ET12 identifier"),
        (_file(), "it has no method 'forward' \\(it has: none\\)"),
        (_file(_network("XnnpackBackend")), "compiled for the backend XnnpackBackend"),
        (_file(_network(dynamism=1)), "input_0 has no fixed shape"),
        (_file(_network(dtype=_INT64 + 20)), "elements of type 24"),
        (_file(_plan("forward", [_double(1.0)], [0], [0])), "input_0 is not a tensor"),
        (_file(_plan("forward", [_double(1.0)], [7], [0])), "value 7 of 1"),
        (
            _file(_network(), _plan("input0_scale", [_double(float("nan"))], [], [0])),
            "a quantisation of nan",
        ),
        (
            _file(_plan("forward", [_tensor(_INT8, [65536, 65536])], [0], [0])),
            "a board's window is smaller",
        ),
    ],
)
def test_what_cannot_run_ends_in_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match=message) as caught:
        read_executorch(_written(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_damage_anywhere_is_an_error_or_another_program(tmp_path: Path) -> None:
    sound = _file(_network())
    # What is at the end is not read, and without a header nothing tells that it is missing.
    for length in range(0, len(sound) - 32, 3):
        with pytest.raises(EthosmithError):
            read_executorch(_written(tmp_path, sound[:length]))
    for at in range(len(sound)):
        for wrong in (0x00, 0x7F, 0xFF):
            content = bytearray(sound)
            content[at] = wrong
            try:
                read_executorch(_written(tmp_path, bytes(content)))
            except EthosmithError as error:
                assert "\n" not in str(error)


def test_a_file_that_is_shorter_than_its_header_says_is_cut(tmp_path: Path) -> None:
    sound = _file(_network())
    # The root's offset grows by the header behind the identifier.
    (root,) = struct.unpack_from("<I", sound)
    header = struct.pack("<4sIQQ", b"eh00", 24, len(sound) + 24, 0)
    content = struct.pack("<I", root + 24) + sound[4:8] + header + sound[8:]
    read_executorch(_written(tmp_path, content))
    with pytest.raises(EthosmithError, match="it is cut short"):
        read_executorch(_written(tmp_path, content[:-1]))
