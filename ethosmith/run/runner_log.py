# SPDX-License-Identifier: Apache-2.0
"""Read what Arm's inference runner prints; the kit's main returns 0 even after a failure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ethosmith.core.errors import EthosmithError

_COMPLETED = "Inference completed."
_COUNTER = re.compile(r"NPU (?P<name>[A-Z0-9_ ]+): (?P<value>\d+) (cycles|beats)")
_ARENA = re.compile(r"tensor arena\) size used: (?P<bytes>\d+)")
_OUTPUTS = re.compile(r"(?P<count>\d+) output tensor/s worth (?P<bytes>\d+) bytes copied to")
# Of the kit and of TensorFlow Lite Micro; the kit may forget the end of a line.
_ERROR = re.compile(r"(?:ERROR|TFLM) - (?P<text>[^\n]+?)(?=ERROR - |\r?$)", re.MULTILINE)

# The kit's names of the NPU's counters, and those of our own firmware's log.
_NAMES: Mapping[str, str] = {
    "TOTAL": "npu_cycles",
    "ACTIVE": "npu_active",
    "AXI0_RD_DATA_BEAT_RECEIVED": "axi0_rd",
    "AXI0_WR_DATA_BEAT_WRITTEN": "axi0_wr",
    "AXI1_RD_DATA_BEAT_RECEIVED": "axi1_rd",
}


@dataclass(frozen=True)
class RunnerLog:
    """What one inference of the runner said.

    Attributes:
        counts: of the NPU, by the names of our own firmware's log.
        arena_bytes: how much of the tensor arena was used.
        output_bytes: size of all outputs together.
    """

    counts: dict[str, int]
    arena_bytes: int
    output_bytes: int


def read_runner_log(text: str) -> RunnerLog:
    """Return what the runner said.

    Raises:
        EthosmithError: the inference failed; with the runner's own words, if it has any.
    """
    outputs, arena = _OUTPUTS.search(text), _ARENA.search(text)
    if _COMPLETED not in text or outputs is None or arena is None:
        reasons = [match["text"].strip().rstrip(".!") for match in _ERROR.finditer(text)]
        raise EthosmithError(f"the inference failed: {'; '.join(reasons) or 'no reason given'}")
    found = {match["name"]: int(match["value"]) for match in _COUNTER.finditer(text)}
    counts = {ours: found[name] for name, ours in _NAMES.items() if name in found}
    if len(counts) != len(_NAMES):
        raise EthosmithError("the runner did not print all of the NPU's counters")
    return RunnerLog(counts, int(arena["bytes"]), int(outputs["bytes"]))
