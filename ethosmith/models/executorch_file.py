# SPDX-License-Identifier: Apache-2.0
"""Read what an ExecuTorch program (.pte) takes and returns, and for which NPU it is compiled.

The file may come from anywhere. Nothing of it is executed here; every table, vector and string is
read through bounds, and what does not fit the format ends in one line. (The library flatbuffers
checks no bounds in Python.)
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, prod
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec

PTE_SUFFIX = ".pte"
# The format's name has a number, which changes when older readers cannot read it any more.
_IDENTIFIER, _FAMILY = b"ET12", b"ET"
_BACKEND, _METHOD = "EthosUBackend", "forward"
_MAX_ITEMS, _MAX_TEXT_BYTES, _MAX_DIMENSIONS = 100_000, 4096, 16
_MAX_TENSOR_BYTES = 16 << 20
_MAX_NUMBER = 1e30
# Of the format's union KernelTypes, and its scalar types.
_INT, _DOUBLE, _TENSOR = 2, 4, 5
_DTYPES = {0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64", 6: "float32", 11: "bool"}
_STATIC = 0
_CONFIG = re.compile(r"--accelerator-config[= ]([\w-]+)")
_DAMAGED = (struct.error, IndexError, ValueError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class ExecutorchProgram:
    """What a .pte says of its method ``forward``.

    Attributes:
        spec: inputs and outputs; quantised where methods such as ``input0_scale`` say how, as
            ExecuTorch's passes for integers outside add them. All others have a scale of 0.
        accelerator_configs: the NPUs that its delegates are compiled for.
        operators: the operators of the CPU, with their overloads.
        delegates: how many parts run on the NPU.
    """

    spec: NetworkSpec
    accelerator_configs: frozenset[str]
    operators: tuple[str, ...]
    delegates: int


def read_executorch(path: Path) -> ExecutorchProgram:
    """Read the file at ``path``.

    Raises:
        EthosmithError: it is not an ExecuTorch program, of another version, damaged, or takes or
            returns something that cannot be fed or read.
    """
    content = read_bytes(path, limit_bytes=MAX_MODEL_BYTES)
    found = content[4:8]
    if found != _IDENTIFIER:
        what = (
            f"its format is {found.decode('ascii', 'replace')}, and this build reads"
            f" {_IDENTIFIER.decode()}; export it with ExecuTorch 1.x"
            if found.startswith(_FAMILY)
            else f"it has no {_IDENTIFIER.decode()} identifier; is it complete?"
        )
        raise EthosmithError(f"{path}: not a usable ExecuTorch program: {what}")
    try:
        _check_length(content)
        return _read(_Table.root(content))
    except EthosmithError as error:
        raise EthosmithError(f"{path}: {error}") from None
    except _DAMAGED as error:
        raise EthosmithError(
            f"{path}: not a usable ExecuTorch program: damaged ({str(error)[:100]})"
        ) from None


def _check_length(content: bytes) -> None:
    """Compare the file's size with that in its extended header, which follows the identifier."""
    if content[8:12] != b"eh00":
        return
    (header_bytes,) = struct.unpack_from("<I", content, 12)
    program_bytes, segments_at = struct.unpack_from("<QQ", content, 16)
    segments_bytes = struct.unpack_from("<Q", content, 32)[0] if header_bytes >= 32 else 0
    expected = segments_at + segments_bytes if segments_at else program_bytes
    if len(content) < expected:
        raise ValueError(f"{len(content)} bytes of {expected}; it is cut short")


def _read(program: _Table) -> ExecutorchProgram:
    plans = {plan.text(0): plan for plan in program.tables(1)}
    if _METHOD not in plans:
        have = ", ".join(sorted(plans))[:100] or "none"
        raise EthosmithError(f"it has no method '{_METHOD}' (it has: {have})")
    plan = plans[_METHOD]
    spec = NetworkSpec(_specs("input", 3, plan, plans), _specs("output", 4, plan, plans))
    if not spec.inputs or not spec.outputs:
        raise EthosmithError("the network has no input or no output")
    delegates = list(plan.tables(7))
    foreign = sorted({one.text(0) for one in delegates} - {_BACKEND})
    if foreign:
        raise EthosmithError(
            f"it is compiled for the backend {foreign[0][:60]}; the NPU's is {_BACKEND}"
        )
    operators = tuple(f"{one.text(0)}.{one.text(1)}".rstrip(".") for one in plan.tables(6))
    configs = frozenset(config for one in delegates for config in _configs(one))
    return ExecutorchProgram(spec, configs, operators, len(delegates))


def _configs(delegate: _Table) -> Iterator[str]:
    for spec in delegate.tables(2):
        yield from _CONFIG.findall(spec.raw(1).decode("utf-8", "replace"))


def _specs(
    kind: str, field: int, plan: _Table, plans: Mapping[str, _Table]
) -> tuple[TensorSpec, ...]:
    values, found = list(plan.tables(2)), []
    for number, index in enumerate(plan.integers(field)):
        spec = _spec(f"{kind}_{number}", _item(values, index))
        scale = _constant(plans.get(f"{kind}{number}_scale"), 0.0)
        zero_point = _constant(plans.get(f"{kind}{number}_zp"), 0)
        found.append(replace(spec, scale=float(scale), zero_point=int(zero_point)))
    return tuple(found)


def _item(values: Sequence[_Table], index: int) -> _Table:
    if not 0 <= index < len(values):
        raise ValueError(f"value {index} of {len(values)}")
    return values[index]


def _constant(plan: _Table | None, default: float) -> float:
    """Return the number that a method without inputs returns."""
    if plan is None:
        return default
    value = _item(list(plan.tables(2)), next(iter(plan.integers(4)), -1))
    kind = {_INT: "q", _DOUBLE: "d"}.get(value.scalar(0, "B", 0))
    if kind is None:
        raise ValueError("a method of the quantisation returns no number")
    number = value.table(1).number(0, kind)
    if not isfinite(number) or abs(number) > _MAX_NUMBER:
        raise ValueError(f"a quantisation of {number}")
    return number


def _spec(name: str, value: _Table) -> TensorSpec:
    if value.scalar(0, "B", 0) != _TENSOR:
        raise EthosmithError(f"{name} is not a tensor")
    tensor = value.table(1)
    code = tensor.scalar(0, "b", 0)
    if code not in _DTYPES:
        raise EthosmithError(f"{name} has elements of type {code}, which cannot be fed or read")
    shape = tuple(tensor.integers(2))
    if tensor.scalar(8, "b", 0) != _STATIC:
        raise EthosmithError(f"{name} has no fixed shape; export it without dynamic_shapes")
    if len(shape) > _MAX_DIMENSIONS or any(size < 1 for size in shape):
        raise EthosmithError(f"{name} has the shape {shape[:_MAX_DIMENSIONS]}")
    spec = TensorSpec(name, _DTYPES[code], shape, 0.0, 0)
    if prod(shape) > _MAX_TENSOR_BYTES or spec.size_bytes > _MAX_TENSOR_BYTES:
        raise EthosmithError(f"{name} has {spec.size_bytes} bytes; a board's window is smaller")
    return spec


class _Table:
    """A table of a flatbuffer, whose fields are read by their number in the schema."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at
        (distance,) = struct.unpack_from("<i", content, self._inside(at, 4))
        self._vtable = at - distance
        (self._vtable_bytes,) = struct.unpack_from("<H", content, self._inside(self._vtable, 4))
        self._inside(self._vtable, self._vtable_bytes)

    @classmethod
    def root(cls, content: bytes) -> _Table:
        """Return the table that a flatbuffer begins with."""
        return cls(content, struct.unpack_from("<I", content, 0)[0])

    def scalar(self, field: int, kind: str, default: int) -> int:
        """Return a number; ``kind`` is as of the module struct."""
        at = self._field(field)
        return default if at is None else int(struct.unpack_from(f"<{kind}", self._content, at)[0])

    def number(self, field: int, kind: str) -> float:
        """Return a number of eight bytes; 0 if it is not there."""
        at = self._field(field)
        return 0 if at is None else float(struct.unpack_from(f"<{kind}", self._content, at)[0])

    def table(self, field: int) -> _Table:
        """Return a table; ValueError: it is not there."""
        at = self._field(field)
        if at is None:
            raise ValueError(f"table {field} is missing")
        return _Table(self._content, self._target(at))

    def tables(self, field: int) -> Iterator[_Table]:
        """Yield the tables of a vector."""
        start, count = self._vector(field, 4)
        for index in range(count):
            yield _Table(self._content, self._target(start + 4 * index))

    def integers(self, field: int) -> list[int]:
        """Return a vector of int32."""
        start, count = self._vector(field, 4)
        return list(struct.unpack_from(f"<{count}i", self._content, start))

    def raw(self, field: int) -> bytes:
        """Return a vector of bytes, at most `_MAX_TEXT_BYTES` of it."""
        start, count = self._vector(field, 1)
        return self._content[start : start + min(count, _MAX_TEXT_BYTES)]

    def text(self, field: int) -> str:
        """Return a string, fit for a message; empty if it is not there."""
        found = self.raw(field).decode("utf-8", "replace")
        return "".join(letter if letter.isprintable() else "?" for letter in found)

    def _field(self, number: int) -> int | None:
        entry = 4 + 2 * number
        if entry + 2 > self._vtable_bytes:
            return None
        (offset,) = struct.unpack_from("<H", self._content, self._vtable + entry)
        return self._inside(self._at + offset, 1) if offset else None

    def _vector(self, field: int, element_bytes: int) -> tuple[int, int]:
        """Return where a vector's elements start, and how many there are."""
        at = self._field(field)
        if at is None:
            return 0, 0
        vector = self._target(at)
        (count,) = struct.unpack_from("<I", self._content, self._inside(vector, 4))
        if element_bytes > 1 and count > _MAX_ITEMS:
            raise ValueError(f"a vector has {count} elements")
        return self._inside(vector + 4, element_bytes * count), count

    def _target(self, at: int) -> int:
        """Return the place that the offset at ``at`` leads to."""
        (offset,) = struct.unpack_from("<I", self._content, self._inside(at, 4))
        return self._inside(at + int(offset), 4)

    def _inside(self, at: int, size_bytes: int) -> int:
        if at < 0 or at + size_bytes > len(self._content):
            raise ValueError(f"an offset leads to byte {at} of {len(self._content)}")
        return at


def check_accelerator(program: ExecutorchProgram, path: Path, accelerator_config: str) -> None:
    """Check that a program is compiled for the NPU of a configuration; EthosmithError if not."""
    foreign = program.accelerator_configs - {accelerator_config}
    if foreign:
        raise EthosmithError(
            f"{path}: compiled for {', '.join(sorted(foreign))}, and the board has"
            f" {accelerator_config}; give npu={sorted(foreign)[0]}"
        )
