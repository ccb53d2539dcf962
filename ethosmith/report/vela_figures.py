# SPDX-License-Identifier: Apache-2.0
"""Read what Vela estimates: NAME_summary.csv and NAME_per-layer.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import parsing, read_text

# What numbers and columns that are none raise.
_NONSENSE = (ArithmeticError, LookupError, TypeError, ValueError)
_MEMORIES = ("sram", "dram", "on_chip_flash", "off_chip_flash")


@dataclass(frozen=True)
class Layer:
    """A layer of the network: one or several operators of the NPU.

    Attributes:
        operator: of the network, such as ``Conv2D``.
        parts: the NPU's operators that it became.
        cycles: Vela's estimate.
        macs: multiply-accumulates.
        staging_bytes: the most memory that is live in any of the parts.
        target: ``NPU`` or ``CPU``.
    """

    operator: str
    parts: int
    cycles: int
    macs: int
    staging_bytes: int
    target: str


@dataclass(frozen=True)
class Estimate:
    """Vela's estimate for one inference.

    Attributes:
        cycles: the whole inference; computing and memory overlap.
        npu_cycles: of computing alone.
        clock_hz: of the system config.
        seconds: of the whole inference at that clock.
        macs: multiply-accumulates.
        used_bytes: by memory.
        moved_bytes: by memory, read and written.
    """

    cycles: int
    npu_cycles: int
    clock_hz: float
    seconds: float
    macs: int
    used_bytes: Mapping[str, int]
    moved_bytes: Mapping[str, int]


def read_estimate(path: Path) -> Estimate:
    """Read NAME_summary.csv.

    Raises:
        EthosmithError: it is not what Vela writes.
        OSError: it cannot be read.
    """
    try:
        row = _rows(path)[0]
        return Estimate(
            cycles=int(float(row["cycles_total"])),
            npu_cycles=int(float(row["cycles_npu"])),
            clock_hz=float(row["core_clock"]),
            seconds=float(row["inference_time"]),
            macs=int(float(row["nn_macs"])),
            used_bytes={n: round(1024 * float(row[f"{n}_memory_used"])) for n in _MEMORIES},
            moved_bytes={n: round(float(row[f"{n}_total_bytes"])) for n in _MEMORIES},
        )
    except _NONSENSE as error:
        raise _unknown(path, error) from None


def weight_bytes(path: Path) -> int:
    """Return from NAME_summary.csv how large the compressed weights are; as `read_estimate`."""
    try:
        return int(float(_rows(path)[0]["total_npu_encoded_weights"]))
    except _NONSENSE as error:
        raise _unknown(path, error) from None


def read_layers(path: Path) -> list[Layer]:
    """Read NAME_per-layer.csv, with the operators that a layer was split into or that were fused.

    Raises:
        EthosmithError: it is not what Vela writes.
        OSError: it cannot be read.
    """
    try:
        return [_layer(group) for group in _groups(_rows(path))]
    except _NONSENSE as error:
        raise _unknown(path, error) from None


def _rows(path: Path) -> list[dict[str, str]]:
    text = read_text(path)
    with parsing(path, "table"):
        return list(csv.DictReader(text.splitlines(keepends=True)))


def _groups(rows: Iterable[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    group: list[dict[str, str]] = []
    for row in rows:
        if group and not _same_layer(group[-1], row):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _same_layer(before: Mapping[str, str], row: Mapping[str, str]) -> bool:
    """Say whether ``row`` is fused into the operator before, or a further part of its layer."""
    if before["Original Operator"] != row["Original Operator"]:
        return False
    split = all(item["NNG Operator"] != item["Original Operator"] for item in (before, row))
    return split or before["Name"] == row["Name"]


def _layer(group: Sequence[Mapping[str, str]]) -> Layer:
    return Layer(
        operator=group[0]["Original Operator"],
        parts=len(group),
        cycles=sum(int(float(row["Op Cycles"])) for row in group),
        macs=sum(int(float(row["MAC Count"])) for row in group),
        staging_bytes=max(int(float(row["Staging Usage"])) for row in group),
        target="NPU" if all(row["Target"] == "NPU" for row in group) else "CPU",
    )


def _unknown(path: Path, error: Exception) -> EthosmithError:
    return EthosmithError(f"{path}: is not what Vela writes ({error!r}); build it again")
