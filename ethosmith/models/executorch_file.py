# SPDX-License-Identifier: Apache-2.0
"""Read what an ExecuTorch program (.pte) takes and returns, and for which NPU it is compiled.

The file may come from anywhere. Nothing of it is executed here, and what does not fit the format
ends in one line.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, prod
from pathlib import Path
from typing import TypeVar

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes
from ethosmith.models.flatbuffer_table import DAMAGED, Table
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec

ReadT = TypeVar("ReadT")

# The format's name has a number, which changes when older readers cannot read it any more.
_IDENTIFIER, _FAMILY = b"ET12", b"ET"
_BACKEND, _METHOD = "EthosUBackend", "forward"
_MAX_DIMENSIONS = 16
_MAX_TENSOR_BYTES = 16 << 20
_MAX_NUMBER = 1e30
# Of the format's union KernelTypes, and its scalar types.
_INT, _DOUBLE, _TENSOR = 2, 4, 5
_DTYPES = {0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64", 6: "float32", 11: "bool"}
_STATIC = 0
# Of its enum DataLocation: the data of a delegate is in the file's flatbuffer.
_INLINE = 0
_CONFIG = re.compile(r"--accelerator-config[= ]([\w-]+)")


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
    return _read_with(_read, path)


def read_payloads(path: Path) -> tuple[bytes, ...]:
    """Return what the compiler made for the NPU's parts of ``forward``, as they run.

    Raises:
        EthosmithError: as `read_executorch`.
    """
    return _read_with(_payloads, path)


def _read_with(read: Callable[[Table], ReadT], path: Path) -> ReadT:
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
        return read(Table.root(content))
    except EthosmithError as error:
        raise EthosmithError(f"{path}: {error}") from None
    except DAMAGED as error:
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


def _read(program: Table) -> ExecutorchProgram:
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


def _payloads(program: Table) -> tuple[bytes, ...]:
    (plan,) = (one for one in program.tables(1) if one.text(0) == _METHOD)
    data = list(program.tables(3))
    return tuple(_payload(one.table(1), data) for one in plan.tables(7))


def _payload(reference: Table, data: Sequence[Table]) -> bytes:
    if reference.scalar(0, "B", 0) != _INLINE:
        raise ValueError("a part for the NPU is in a segment, and only those inside are read")
    return _item(data, reference.scalar(1, "I", 0)).raw(0, MAX_MODEL_BYTES)


def _configs(delegate: Table) -> Iterator[str]:
    for spec in delegate.tables(2):
        yield from _CONFIG.findall(spec.raw(1).decode("utf-8", "replace"))


def _specs(
    kind: str, field: int, plan: Table, plans: Mapping[str, Table]
) -> tuple[TensorSpec, ...]:
    values, found = list(plan.tables(2)), []
    for number, index in enumerate(plan.integers(field)):
        spec = _spec(f"{kind}_{number}", _item(values, index))
        scale = _constant(plans.get(f"{kind}{number}_scale"), 0.0)
        zero_point = _constant(plans.get(f"{kind}{number}_zp"), 0)
        found.append(replace(spec, scale=float(scale), zero_point=int(zero_point)))
    return tuple(found)


def _item(values: Sequence[Table], index: int) -> Table:
    if not 0 <= index < len(values):
        raise ValueError(f"value {index} of {len(values)}")
    return values[index]


def _constant(plan: Table | None, default: float) -> float:
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


def _spec(name: str, value: Table) -> TensorSpec:
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


def check_accelerator(program: ExecutorchProgram, path: Path, accelerator_config: str) -> None:
    """Check that a program is compiled for the NPU of a configuration; EthosmithError if not."""
    foreign = program.accelerator_configs - {accelerator_config}
    if foreign:
        raise EthosmithError(
            f"{path}: compiled for {', '.join(sorted(foreign))}, and the board has"
            f" {accelerator_config}; give npu={sorted(foreign)[0]}"
        )


def check_spec(program: ExecutorchProgram, path: Path, spec: NetworkSpec) -> None:
    """Check that a program takes and returns what the graph does that it is compiled from.

    Raises:
        EthosmithError: it does not; names do not matter.
    """
    if _forms(program.spec) != _forms(spec):
        raise EthosmithError(
            f"{path}: has other inputs or outputs than its graph; this is a fault of the build:"
            " report it"
        )


def _forms(spec: NetworkSpec) -> list[list[TensorSpec]]:
    return [[replace(one, name="") for one in side] for side in (spec.inputs, spec.outputs)]
