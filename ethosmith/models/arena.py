# SPDX-License-Identifier: Apache-2.0
"""Find how large the arena of TensorFlow Lite Micro's interpreter has to be for a network.

A network for the CPU alone runs in the host's TensorFlow Lite Micro, which says what it
used. Two things differ on the device: its pointers have half the size, which makes the
host's figure an upper bound of the structures; and CMSIS-NN's kernels want scratch memory
and sums of weights that the host's reference kernels do not. Those are planned and added
with the sizes that CMSIS-NN's ``arm_*_get_buffer_size`` functions have for Helium.

A network with operators on the NPU cannot run there. Vela writes its plan of the arena into
the file; to that come the NPU operators' tables of addresses and the interpreter's own
structures, whose sizes on Cortex-M are known. Operators that stay on the CPU get a bound.

docs/runtimes.md has the rule and what was measured; the device prints what it really used,
and `ethosmith.verify` refuses an arena that is far too large.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from ethosmith.core.bounded_run import bounded_time
from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import captured_output
from ethosmith.models.arena_plan import aligned, plan_bytes
from ethosmith.models.tflite_file import (
    NPU_OPERATOR,
    TfliteFile,
    TfliteOperator,
    TfliteTensor,
    read_tflite,
)

# Where no size is known, the alignment of what is allocated one after another may cost this.
_SLACK_BYTES = 64
_MAX_ARENA_BYTES = 256 << 20

# Sizes on Cortex-M, from the debug information of Arm's build of TensorFlow Lite Micro (26.03).
# The allocator's two classes, the planner, the builder of operator data, the subgraph.
_FIXED_BYTES = 36 + 36 + 44 + 8 + 8
_EVAL_TENSOR_BYTES = 12  # TfLiteEvalTensor
_NODE_BYTES = 32  # NodeAndRegistration
# Of a network's input or output: TfLiteTensor, the pointer to it, and its quantisation.
_END_TENSOR_BYTES = 32 + 4 + 12 + 8
_SCRATCH_HANDLE_BYTES = 4
# OpData of the NPU's kernel, aligned; and what it asks for: an address and a size a tensor.
_NPU_NODE_BYTES = 16
_NPU_SCRATCH_BUFFERS = 2
_NPU_ADDRESS_BYTES, _NPU_SIZE_BYTES = 8, 4
# The most that a CPU kernel keeps beside what grows with its channels (OpData, parameters).
_CPU_NODE_BYTES = 192
# While the plan is made: AllocationInfo, and the greedy planner's tables, a buffer each.
_PLANNING_BYTES = 24 + 72

# CMSIS-NN for Helium: CH_IN_BLOCK_MVE, and the four columns that a convolution gathers.
_CHANNEL_BLOCK = 124
_COLUMNS = 4
_SUM_BYTES = 4


@dataclass(frozen=True)
class ArenaSize:
    """The arena of one network.

    Attributes:
        arena_bytes: its size, a multiple of its alignment.
        fast_scratch_bytes: memory beside it that the driver gives to the NPU (Dedicated_Sram).
        found_by: ``host run`` or ``plan``.
        tensors_bytes: of ``arena_bytes``: tensors and scratch buffers, which share memory.
        structures_bytes: of it: what stays for the interpreter's life.
    """

    arena_bytes: int
    fast_scratch_bytes: int
    found_by: str
    tensors_bytes: int
    structures_bytes: int


def arena_size(path: Path) -> ArenaSize:
    """Return the arena that the network at ``path`` needs on the device.

    Raises:
        EthosmithError: the file cannot be read, or the host's interpreter refuses it or is
            not there.
    """
    network = read_tflite(path)
    return _planned(network) if network.on_npu else _measured(path, network)


def _measured(path: Path, network: TfliteFile) -> ArenaSize:
    head_bytes, tail_bytes = host_arena(path)
    extra = [_cmsis_nn(network, operator) for operator in network.operators]
    # The reference kernels' own scratch memory is in the host's figure, and not in the file.
    unknown_bytes = max(0, head_bytes - plan_bytes(network, ()))
    tensors = plan_bytes(network, _scratch(extra)) + unknown_bytes
    return _sized("host run", 0, tensors, tail_bytes + sum(e.kept_bytes for e in extra))


def _scratch(needs: Sequence[_Needs]) -> list[tuple[int, int]]:
    """Return the operators' scratch buffers, each with its operator's index."""
    return [(i, size) for i, need in enumerate(needs) for size in need.scratch_bytes]


def _sized(found_by: str, fast_bytes: int, tensors: int, structures: int) -> ArenaSize:
    tensors, structures = aligned(tensors), aligned(structures + _SLACK_BYTES)
    return ArenaSize(tensors + structures, fast_bytes, found_by, tensors, structures)


# Of computing: the loops of some damaged networks are as long as their numbers say.
_LIMIT_S = 1800.0
_HEAD_OR_TAIL = re.compile(r"Arena allocation (head|tail) (\d+) bytes")


def host_arena(path: Path) -> tuple[int, int]:
    """Run the network on zeros in the host's TensorFlow Lite Micro.

    Returns:
        The bytes that tensors took (head), and that structures took (tail).

    Raises:
        EthosmithError: the interpreter refuses the network, or there is none for this computer.
    """
    runtime = _host_interpreter()
    with bounded_time(_LIMIT_S), captured_output() as said:
        failure = None
        try:
            interpreter = runtime.Interpreter.from_file(
                str(path), arena_size=min(_MAX_ARENA_BYTES, 100 * path.stat().st_size)
            )
            interpreter.invoke()
            interpreter.print_allocations()
        except (RuntimeError, ValueError) as error:
            failure = error
        text = str(said())
    found = {name: int(size) for name, size in _HEAD_OR_TAIL.findall(text)}
    if failure or set(found) != {"head", "tail"}:
        lines = [line for line in text.splitlines() if line.strip()]
        reason = lines[-1] if lines else failure or "no reason given"
        raise EthosmithError(f"{path}: TensorFlow Lite Micro refuses it: {reason}")
    return found["head"], found["tail"]


def _host_interpreter() -> Any:
    try:
        from tflite_micro.python.tflite_micro import runtime  # noqa: PLC0415 slow
    except ImportError:
        raise EthosmithError(
            "the arena of a network for the CPU is found with the Python package tflite-micro,"
            " which exists for Linux on x86-64: pip install tflite-micro"
        ) from None
    return runtime


def _planned(network: TfliteFile) -> ArenaSize:
    needs = [_needs(network, operator) for operator in network.operators]
    tensors = plan_bytes(network, _scratch(needs))
    structures = (
        _FIXED_BYTES
        + _EVAL_TENSOR_BYTES * len(network.tensors)
        + _NODE_BYTES * len(network.operators)
        + _END_TENSOR_BYTES * (len(network.inputs) + len(network.outputs))
        + sum(need.kept_bytes for need in needs)
    )
    buffers = len(network.tensors) + _NPU_SCRATCH_BUFFERS * len(network.operators)
    return _sized(
        "plan",
        _fast_scratch_bytes(network),
        max(tensors, _PLANNING_BYTES * buffers),
        structures,
    )


# Of an NPU operator: command stream, weights, scratch, fast scratch, then the network's tensors.
_SCRATCH, _FAST_SCRATCH = 2, 3


def _fast_scratch_bytes(network: TfliteFile) -> int:
    """Return the size of the fast scratch; 0 where it is the scratch, as in most memory modes."""
    sizes = [
        network.tensors[operator.inputs[_FAST_SCRATCH]].size_bytes
        for operator in network.operators
        if operator.kind == NPU_OPERATOR
        and operator.inputs[_FAST_SCRATCH] != operator.inputs[_SCRATCH]
    ]
    return max(sizes, default=0)


@dataclass(frozen=True)
class _Needs:
    """What an operator needs: buffers while it runs, and bytes for the interpreter's life."""

    scratch_bytes: tuple[int, ...] = ()
    kept_bytes: int = 0


def _needs(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    if operator.kind == NPU_OPERATOR:
        addresses = len(operator.inputs) + len(operator.outputs)
        scratch = (_NPU_ADDRESS_BYTES * addresses, _NPU_SIZE_BYTES * addresses)
        return _Needs(scratch, _NPU_NODE_BYTES + _NPU_SCRATCH_BUFFERS * _SCRATCH_HANDLE_BYTES)
    own = _cmsis_nn(network, operator)
    # Per output channel: a multiplier and a shift.
    channels = 2 * _SUM_BYTES * _channels(network, operator)
    return _Needs(own.scratch_bytes, _CPU_NODE_BYTES + channels + own.kept_bytes)


def _channels(network: TfliteFile, operator: TfliteOperator) -> int:
    shape = network.tensors[operator.outputs[0]].shape
    return shape[-1] if shape else 1


def _cmsis_nn(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    """Return what CMSIS-NN's kernel needs beyond the reference kernel."""
    need = _CMSIS_NN.get(operator.kind)
    return need(network, operator) if need else _Needs()


def _input(network: TfliteFile, operator: TfliteOperator, index: int) -> TfliteTensor:
    return network.tensors[operator.inputs[index]]


def _convolution(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    given, weights = (_input(network, operator, index) for index in (0, 1))
    column = aligned(prod(weights.shape[1:])) * given.element_bytes
    return _Needs((_COLUMNS * column,), _SCRATCH_HANDLE_BYTES)


def _depthwise(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    given, weights = (_input(network, operator, index) for index in (0, 1))
    window = prod(weights.shape[1:3])
    scratch = _COLUMNS * _CHANNEL_BLOCK * window * given.element_bytes
    return _Needs((scratch,), _SCRATCH_HANDLE_BYTES)


def _fully_connected(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    weights = _input(network, operator, 1)
    sums = aligned(_SUM_BYTES * weights.shape[0])
    # Sums of constant weights are kept; those of others are made for each run.
    if weights.constant:
        return _Needs(kept_bytes=sums + _SCRATCH_HANDLE_BYTES)
    return _Needs((sums,), _SCRATCH_HANDLE_BYTES)


def _average_pool(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    return _Needs((_SUM_BYTES * _channels(network, operator),), _SCRATCH_HANDLE_BYTES)


def _transpose_convolution(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    weights, given = _input(network, operator, 1), _input(network, operator, 2)
    reversed_weights = aligned(weights.size_bytes)
    column = aligned(prod(weights.shape[1:])) * given.element_bytes
    return _Needs((reversed_weights, _COLUMNS * column), 2 * _SCRATCH_HANDLE_BYTES)


def _lstm(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    # Eight weight matrices, each with a sum for every unit.
    units = _channels(network, operator)
    return _Needs(kept_bytes=8 * aligned(_SUM_BYTES * units))


def _batch_matmul(network: TfliteFile, operator: TfliteOperator) -> _Needs:
    return _Needs((_SUM_BYTES * _channels(network, operator),), _SCRATCH_HANDLE_BYTES)


_CMSIS_NN: Mapping[str, Callable[[TfliteFile, TfliteOperator], _Needs]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "SVDF": _fully_connected,
    "AVERAGE_POOL_2D": _average_pool,
    "TRANSPOSE_CONV": _transpose_convolution,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "BATCH_MATMUL": _batch_matmul,
}
