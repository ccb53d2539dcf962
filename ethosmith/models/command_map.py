# SPDX-License-Identifier: Apache-2.0
"""Tie the commands of the NPU to the operators of the network, by Vela's debug database.

Vela writes which operator of the source each command of a stream came from, and what it
estimates for it. The tables are CSV in an XML file: ``source`` are the network's operators
(``ext_key``: their index in it), ``perf`` the scheduled ones with their estimates, ``group`` the
ones that were fused into another, and ``queue`` the commands by their offset in a stream.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes
from ethosmith.models.tflite_file import parse_model

_NONSENSE = (ArithmeticError, LookupError, TypeError, ValueError)
Rows = list[dict[str, str]]


@dataclass
class Operator:
    """An operator of the network, and what Vela estimates for it.

    Attributes:
        index: its place in the network.
        kind: Vela's name of it, such as ``Conv2D``.
        name: its output's name in the network.
        tensor: its output's index in the network; None: not known.
        vela_cycles: the estimate for all that it became, memory included.
        vela_macs: multiply-accumulates.
        vela_access_cycles: by memory, such as ``Sram``.
    """

    index: int
    kind: str
    name: str = ""
    tensor: int | None = None
    vela_cycles: int = 0
    vela_macs: int = 0
    vela_access_cycles: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A command that makes the NPU compute.

    Attributes:
        offset: in its stream, in bytes.
        operator: the index of the one it came from; None: Vela added it.
        makes: the index of the operator whose output it writes, or a part of it; None: what it
            writes is no output of an operator.
    """

    offset: int
    operator: int | None
    makes: int | None


@dataclass(frozen=True)
class CommandMap:
    """All operators of a network, and the commands of each of its streams in their order."""

    operators: tuple[Operator, ...]
    streams: tuple[tuple[Command, ...], ...]

    def data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "operators": [vars(operator) for operator in self.operators],
            "streams": [[vars(command) for command in stream] for stream in self.streams],
        }

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> CommandMap:
        """Return what `data` returned."""
        return cls(
            tuple(Operator(**one) for one in data["operators"]),
            tuple(tuple(Command(**one) for one in stream) for stream in data["streams"]),
        )


def read_command_map(debug: Path, network: Path | None) -> CommandMap:
    """Read Vela's NAME_debug.xml.

    Args:
        debug: the file.
        network: the .tflite that was compiled, for names; None: it was another kind of file.

    Raises:
        EthosmithError: it is not what Vela writes.
    """
    try:
        return _map(debug_tables(debug), _outputs(network) if network else {})
    except (ElementTree.ParseError, *_NONSENSE) as error:
        raise EthosmithError(f"{debug}: is not what Vela writes ({error!r})") from None


def debug_tables(debug: Path) -> dict[str, Rows]:
    """Return the tables of Vela's NAME_debug.xml by their names.

    Raises:
        ElementTree.ParseError: it is no XML.
    """
    content = read_bytes(debug, limit_bytes=MAX_MODEL_BYTES)
    # The names in it are the network's; without a DOCTYPE no entity can expand.
    root = ElementTree.fromstring(content)  # noqa: S314
    return {str(one.get("name")): _rows(one.text or "") for one in root.iter("table")}


def _rows(text: str) -> Rows:
    return list(csv.DictReader(text.strip().splitlines()))


def _outputs(network: Path) -> dict[int, tuple[int, str]]:
    """Return index and name of the first output of each operator."""
    content = read_bytes(network, limit_bytes=MAX_MODEL_BYTES)
    graph = parse_model(content, str(network)).subgraphs[0]
    return {
        index: (int(one.outputs[0]), _text(graph.tensors[one.outputs[0]].name))
        for index, one in enumerate(graph.operators)
        if len(one.outputs)
    }


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name or "")


def _map(tables: Mapping[str, Rows], outputs: Mapping[int, tuple[int, str]]) -> CommandMap:
    operators: dict[int, Operator] = {}
    for row in tables["source"]:
        index = int(row["ext_key"])
        tensor, name = outputs.get(index, (None, ""))
        operators[int(row["id"])] = Operator(index, row["operator"], name, tensor)
    _enter_estimates(operators, tables["perf"])
    in_order = sorted(operators.values(), key=lambda one: one.index)
    return CommandMap(tuple(in_order), _streams(tables, operators))


def _enter_estimates(operators: Mapping[int, Operator], rows: Rows) -> None:
    for row in rows:
        operator = operators.get(int(row["source_id"]))
        if operator is None:
            continue
        operator.name = operator.name or row["name"]
        operator.vela_cycles += _number(row["op_cycles"])
        operator.vela_macs += _number(row["mac_count"])
        for column, value in row.items():
            if column.endswith("_ac") and column != "shram_ac":
                memory, access = column.removesuffix("_ac"), operator.vela_access_cycles
                access[memory] = access.get(memory, 0) + _number(value)


def _number(text: str) -> int:
    return int(float(text or 0))


def _streams(
    tables: Mapping[str, Rows], operators: Mapping[int, Operator]
) -> tuple[tuple[Command, ...], ...]:
    sources = {int(row["id"]): int(row["source_id"]) for row in tables["perf"]}
    writers = _writers(tables, sources)
    streams: dict[int, list[Command]] = {int(row["id"]): [] for row in tables["cmdstream"]}
    for row in tables["queue"]:
        scheduled = int(row["scheduled_id"])
        operator = operators.get(sources.get(scheduled, 0))
        made = operators.get(writers.get(scheduled, 0))
        streams[int(row["cmdstream_id"])].append(
            Command(
                int(row["offset"]),
                operator.index if operator else None,
                made.index if made else None,
            )
        )
    return tuple(
        tuple(sorted(stream, key=lambda one: one.offset)) for _, stream in sorted(streams.items())
    )


def _writers(tables: Mapping[str, Rows], sources: Mapping[int, int]) -> dict[int, int]:
    """Return, by the scheduled operator that writes the output of one of the source, that one.

    What is fused into a scheduled operator comes behind it: the last of them tells whose output
    is written. Of the scheduled operators that one became, the last writes its output.
    """
    leaders = {int(row["id"]): int(row["group_id"]) for row in tables.get("group", [])}
    ends: dict[int, int] = {}
    for scheduled, source in sorted(sources.items()):
        ends[leaders.get(scheduled, scheduled)] = source
    last: dict[int, int] = {}
    queue = tables["queue"]
    for row in sorted(queue, key=lambda one: (int(one["cmdstream_id"]), int(one["offset"]))):
        scheduled = int(row["scheduled_id"])
        if scheduled in ends:
            last[ends[scheduled]] = scheduled
    return {scheduled: source for source, scheduled in last.items()}
