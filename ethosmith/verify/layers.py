# SPDX-License-Identifier: Apache-2.0
"""What each layer of a network cost on the NPU, and the first whose output is not the reference's.

`JobRecorder` listens to the NPU model while jobs run; the command map tells which operator of the
network each command came from. The output of an operator is put together from what its commands
wrote, in the order they did: a cascade writes it row after row, and weights that are buffered
write it slice by slice along depth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.models.command_map import Command, CommandMap, Operator

if TYPE_CHECKING:
    from ethosu_model.events import EventTotals

Array = npt.NDArray[Any]
_COUNTS = ("cycles", "axi0_rd", "axi0_wr", "axi1_rd", "axi1_wr")
_FETCH = "commands"
EQUAL, DIFFERS, NOT_COMPARED = "equal", "differs", "not compared"


@dataclass
class RecordedJob:
    """What one job did.

    Attributes:
        costs: by offset of a command, cycles and the beats of each port, as `_COUNTS` has them.
        fetch: the same of the fetch of the command stream.
        outputs: by offset, shape (height, width, depth) and elements of what a command wrote.
    """

    costs: dict[int, tuple[int, ...]] = field(default_factory=dict)
    fetch: tuple[int, ...] = (0,) * len(_COUNTS)
    outputs: dict[int, tuple[tuple[int, int, int], bytes]] = field(default_factory=dict)


class JobRecorder:
    """A listener of the NPU model (`ethosu_model.trace.Trace`) that keeps jobs apart."""

    def __init__(self) -> None:
        self.jobs: list[RecordedJob] = []

    def begin_job(self) -> None:
        """See that a command stream starts."""
        self.jobs.append(RecordedJob())

    def command(self, offset: int, name: str, operands: str) -> None:
        """See one command; nothing is kept of it."""

    def ofm(self, offset: int, name: str, shape: tuple[int, int, int], data: bytes) -> None:  # noqa: ARG002 - of Trace
        """Keep what a command wrote."""
        self.jobs[-1].outputs[offset] = (shape, data)

    def cost(self, offset: int, name: str, added: EventTotals) -> None:
        """Keep what a command added to the job."""
        counts = (
            added.cycles,
            added.axi0_read_beats,
            added.axi0_written_beats,
            added.axi1_read_beats,
            added.axi1_written_beats,
        )
        if name == _FETCH:
            self.jobs[-1].fetch = counts
        else:
            self.jobs[-1].costs[offset] = counts


def layer_costs(found: CommandMap, jobs: Sequence[RecordedJob], beat_bytes: int) -> dict[str, Any]:
    """Return cycles, and bytes of each port, of every operator and of what is none's.

    A transfer counts for the operation that follows it in the stream, which waits for it.

    Args:
        found: of the network that ran.
        jobs: of one inference, one for each stream.
        beat_bytes: what a data beat carries.

    Returns:
        ``layers``, in the network's order, ``commands`` (their fetch), ``others`` (what Vela
        added) and ``total``.

    Raises:
        EthosmithError: the jobs are not those of the network.
    """
    if len(jobs) != len(found.streams):
        raise EthosmithError(
            f"the image ran {len(jobs)} command streams in an inference, the network was compiled"
            f" to {len(found.streams)}"
        )
    sums: dict[int | None, list[int]] = {}
    fetch = [0] * len(_COUNTS)
    for stream, job in zip(found.streams, jobs, strict=True):
        fetch = _added(fetch, job.fetch)
        for operator, counts in _by_operator(stream, job):
            sums[operator] = _added(sums.get(operator, [0] * len(_COUNTS)), counts)
    total = list(fetch)
    for counts_of_one in sums.values():
        total = _added(total, counts_of_one)
    commands = {op.index: 0 for op in found.operators}
    for command in (one for stream in found.streams for one in stream):
        if command.operator is not None:
            commands[command.operator] += 1
    none = [0] * len(_COUNTS)
    return {
        "layers": [
            {
                **vars(one),
                "commands": commands[one.index],
                **_counts(sums.get(one.index, none), beat_bytes),
            }
            for one in found.operators
        ],
        "commands": _counts(fetch, beat_bytes),
        "others": _counts(sums.get(None, none), beat_bytes),
        "total": _counts(total, beat_bytes),
    }


def _by_operator(
    stream: Sequence[Command], job: RecordedJob
) -> Iterator[tuple[int | None, tuple[int, ...]]]:
    unknown = sorted(job.outputs.keys() - {command.offset for command in stream})
    if unknown:
        raise EthosmithError(
            f"the image ran a command at 0x{unknown[0]:x} of its stream that the network's has not:"
            " it holds another network, or another Vela compiled it; build it again"
        )
    ahead = list(stream)
    for offset, counts in sorted(job.costs.items()):
        while len(ahead) > 1 and ahead[0].offset < offset:
            del ahead[0]
        yield ahead[0].operator if ahead else None, counts


def _added(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _counts(counts: Sequence[int], beat_bytes: int) -> dict[str, int]:
    cycles, *beats = counts
    ports = (f"{name}_bytes" for name in _COUNTS[1:])
    return {"cycles": cycles, **dict(zip(ports, (n * beat_bytes for n in beats), strict=True))}


def compare_outputs(
    found: CommandMap, jobs: Sequence[RecordedJob], reference: Mapping[int, Array]
) -> list[dict[str, Any]]:
    """Compare the output of each operator with the reference's.

    Args:
        found: of the network that ran.
        jobs: of one inference, one for each stream.
        reference: the tensors of the reference, by index in the network.

    Returns:
        For each operator, in the network's order, ``output``: equal, differs or not compared;
        where it differs ``difference``, in words, and where nothing was compared ``reason``.
    """
    pieces: dict[int, list[tuple[tuple[int, int, int], bytes]]] = {}
    for stream, job in zip(found.streams, jobs, strict=True):
        for command in stream:
            if command.makes is not None and command.offset in job.outputs:
                pieces.setdefault(command.makes, []).append(job.outputs[command.offset])
    return [_compared(one, pieces.get(one.index, []), reference) for one in found.operators]


def not_compared(found: CommandMap, reason: str) -> list[dict[str, Any]]:
    """Return what `compare_outputs` returns where there is nothing to compare with."""
    return [_without(reason) for _ in found.operators]


def _compared(
    operator: Operator,
    pieces: Sequence[tuple[tuple[int, int, int], bytes]],
    reference: Mapping[int, Array],
) -> dict[str, Any]:
    wanted = None if operator.tensor is None else reference.get(operator.tensor)
    if wanted is None:
        return _without("the reference keeps no such tensor")
    if not pieces:
        return _without("the NPU writes no output of its own for it")
    if sum(len(data) for _, data in pieces) != wanted.nbytes:
        return _without("the NPU writes its output together with another's, or in another form")
    candidates = [made for made in _assembled(pieces, wanted) if made is not None]
    if not candidates:
        return _without("the NPU writes its output in another order")
    if any(np.array_equal(made, wanted) for made in candidates):
        return {"output": EQUAL}
    return {"output": DIFFERS, "difference": _difference(candidates[0], wanted)}


def _without(reason: str) -> dict[str, Any]:
    return {"output": NOT_COMPARED, "reason": reason}


def _assembled(
    pieces: Sequence[tuple[tuple[int, int, int], bytes]], wanted: Array
) -> Iterator[Array | None]:
    """Yield the output with rows outermost, and with slices along depth outermost."""
    if len(pieces) == 1:
        yield np.frombuffer(pieces[0][1], wanted.dtype).reshape(wanted.shape)
        return
    arrays = [np.frombuffer(data, wanted.dtype).reshape(shape) for shape, data in pieces]
    depth = wanted.shape[-1] if wanted.ndim else 1
    width = wanted.shape[-2] if wanted.ndim > 1 else 1
    yield _stacked(arrays, wanted, limit=depth, inner=2, outer=0)
    yield _stacked(arrays, wanted, limit=wanted.size // max(1, depth * width), inner=0, outer=2)


def _stacked(
    arrays: Sequence[Array], wanted: Array, *, limit: int, inner: int, outer: int
) -> Array | None:
    """Join pieces along ``inner`` until they have ``limit``, and those along ``outer``."""
    rows: list[Array] = []
    row: list[Array] = []
    try:
        for array in arrays:
            row.append(array)
            if sum(one.shape[inner] for one in row) >= limit:
                rows.append(np.concatenate(row, axis=inner))
                row = []
        if row:
            return None
        return np.concatenate(rows, axis=outer).reshape(wanted.shape)
    except ValueError:
        return None


def _difference(made: Array, wanted: Array) -> str:
    places = np.argwhere(made != wanted)
    first = tuple(int(n) for n in places[0])
    return (
        f"{len(places):,} of {wanted.size:,} elements; first at {list(first)}: {made[first]},"
        f" reference {wanted[first]}"
    )
