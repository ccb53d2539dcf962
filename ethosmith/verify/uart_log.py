# SPDX-License-Identifier: Apache-2.0
"""Read what the firmware prints: one line per fact, as firmware/runtime/main.c writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ethosmith.errors import EthosmithError

_SAMPLE = re.compile(
    r'^sample (?P<name>\S+): answer="(?P<answer>[^"]*)" score=(?P<score>\S+)'
    r"(?P<counts>( \w+=\d+)*)$"
)
_TENSOR = re.compile(
    r"^tensor (?P<name>\S+) (?P<index>\d+) (?P<dtype>\w+) (?P<shape>[\dx]+) (?P<hex>[0-9a-f]*)$"
)
_RANKED = re.compile(r'^top (?P<name>\S+) (?P<ranked>".*)$')
_PASS = re.compile(r"^pass: (?P<count>\d+) samples?$")


@dataclass
class DeviceSample:
    """What the device said about one sample.

    Attributes:
        counts: PMU counts of the inference by name: ``npu_cycles``, ``npu_active``,
            ``axi0_rd``, ``axi0_wr``, ``axi1_rd`` (cycles; data beats).
        tensors: the raw bytes of each output tensor, as hexadecimal digits.
        ranked: the best answers with their scores, as printed; empty if it ranks none.
    """

    name: str
    answer: str
    score: str
    counts: dict[str, int]
    tensors: list[str] = field(default_factory=list)
    ranked: str = ""


def read_log(text: str) -> list[DeviceSample]:
    """Return the samples of a run that passed, in the order of the log.

    Raises:
        EthosmithError: no ``pass:`` line, or one that disagrees with the samples.
    """
    samples: list[DeviceSample] = []
    passed = None
    for line in text.splitlines():
        if match := _SAMPLE.match(line):
            samples.append(_sample(match))
        elif match := _TENSOR.match(line):
            _add_tensor(samples, match)
        elif match := _RANKED.match(line):
            _add_ranked(samples, match)
        elif match := _PASS.match(line):
            passed = int(match["count"])
    if passed is None:
        raise EthosmithError("the firmware did not say 'pass:'")
    if passed != len(samples):
        raise EthosmithError(f"the firmware passed {passed} samples but told of {len(samples)}")
    return samples


def _sample(match: re.Match[str]) -> DeviceSample:
    counts = (word.split("=") for word in match["counts"].split())
    numbers = {name: int(value) for name, value in counts}
    return DeviceSample(match["name"], match["answer"], match["score"], numbers)


def _add_ranked(samples: list[DeviceSample], match: re.Match[str]) -> None:
    if not samples or samples[-1].name != match["name"]:
        raise EthosmithError(f"the firmware ranked the answers of '{match['name']}' out of order")
    samples[-1].ranked = match["ranked"]


def _add_tensor(samples: list[DeviceSample], match: re.Match[str]) -> None:
    if not samples or samples[-1].name != match["name"]:
        raise EthosmithError(f"the firmware printed a tensor of '{match['name']}' out of order")
    if int(match["index"]) != len(samples[-1].tensors):
        raise EthosmithError(f"the firmware left out a tensor of '{match['name']}'")
    samples[-1].tensors.append(match["hex"])
