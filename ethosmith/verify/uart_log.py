# SPDX-License-Identifier: Apache-2.0
"""Read what the firmware prints: one line per fact, as firmware/runtime/main.c writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ethosmith.core.errors import EthosmithError

_SAMPLE = re.compile(
    r'^sample (?P<name>\S+): answer="(?P<answer>[^"]*)" score=(?P<score>\S+)'
    r"(?P<counts>( \w+=\d+)*)$"
)
_WINDOW = re.compile(r"^window (?P<name>\S+) (?P<index>\d+):(?P<counts>( \w+=\d+)+)$")
_TENSOR = re.compile(
    r"^tensor (?P<name>\S+) (?P<index>\d+) (?P<dtype>\w+) (?P<shape>[\dx]+)"
    r" (?P<hex>(?:[0-9a-f]{2})*)$"
)
_RANKED = re.compile(r'^top (?P<name>\S+) (?P<ranked>".*)$')
_TIMED = re.compile(r"(?P<label>\S.*?)@(?P<seconds>\d+\.\d+)s(?: (?=\S)|$)")
_RAN = re.compile(r"^ran: (?P<count>\d+) samples?$")
_OTHERS = (
    re.compile(r"^identity: image=\w+ model=\w+( \S+=\S+)*$"),
    re.compile(r"^(stack|arena): \d+ of \d+ bytes used$"),
)


def is_known_line(line: str) -> bool:
    """Say whether a line is one that the firmware prints, whole."""
    known = (_SAMPLE, _WINDOW, _TENSOR, _RANKED, _RAN, *_OTHERS)
    return any(pattern.match(line) for pattern in known)


@dataclass
class DeviceSample:
    """What the device said about one sample.

    Attributes:
        counts: PMU counts by name: ``npu_cycles``, ``axi0_rd``, ``axi0_wr``, ``axi1_rd`` (cycles;
            data beats), of all windows together; and ``axi1_wr``, or ``npu_active`` of an NPU
            that only reads over AXI1.
        tensors: the raw bytes of each output tensor, as hexadecimal digits; a sample of several
            windows has those of the first, then those of the second, and so on.
        ranked: the best answers with their scores, as printed; empty if it ranks none.
        windows: PMU counts of each inference, if there were several.
    """

    name: str
    answer: str
    score: str
    counts: dict[str, int]
    tensors: list[str] = field(default_factory=list)
    ranked: str = ""
    windows: list[dict[str, int]] = field(default_factory=list)


def read_log(text: str) -> list[DeviceSample]:
    """Return the samples of a run that ended well, in the order of the log.

    Raises:
        EthosmithError: no ``ran:`` line, or one that disagrees with the samples; lines of a
            sample that are missing or out of order.
    """
    samples = samples_of(text)
    counts = [int(match["count"]) for match in map(_RAN.match, text.splitlines()) if match]
    if not counts:
        raise EthosmithError("the firmware did not print 'ran:'")
    if counts[-1] != len(samples):
        raise EthosmithError(f"the firmware ran {counts[-1]} samples but printed {len(samples)}")
    return samples


def samples_of(text: str) -> list[DeviceSample]:
    """Return the samples of a run that may go on, in the order of the log.

    Raises:
        EthosmithError: lines of a sample are missing or out of order.
    """
    reader = _Reader()
    for line in text.splitlines():
        if match := _SAMPLE.match(line):
            reader.sample(match)
        elif match := _WINDOW.match(line):
            reader.window(match)
        elif match := _TENSOR.match(line):
            reader.tensor(match)
        elif match := _RANKED.match(line):
            reader.ranked(match)
    return reader.samples


def timed_labels(answer: str) -> list[tuple[str, float]] | None:
    """Return the labels of an answer such as ``yes@1.30s no@2.95s`` and their times in seconds.

    An answer without labels is empty; None for an answer of another form.
    """
    matches = list(_TIMED.finditer(answer))
    if "".join(match[0] for match in matches) != answer:
        return None
    return [(match["label"], float(match["seconds"])) for match in matches]


def with_instructions(
    samples: list[DeviceSample], calls: Sequence[int] | None
) -> list[DeviceSample]:
    """Add ``cpu_instructions`` to the counts of each inference, and their sum to the sample's.

    Args:
        samples: of `read_log`.
        calls: instructions of each inference, in order; None: they were not counted.

    Raises:
        EthosmithError: there are more or fewer than inferences.
    """
    if calls is None:
        return samples
    inferences = [max(1, len(sample.windows)) for sample in samples]
    if sum(inferences) != len(calls):
        raise EthosmithError(
            f"instructions of {len(calls)} inferences, the firmware told of {sum(inferences)}"
        )
    rest = list(calls)
    for sample, count in zip(samples, inferences, strict=True):
        own, rest = rest[:count], rest[count:]
        sample.counts["cpu_instructions"] = sum(own)
        for window, instructions in zip(sample.windows, own, strict=False):
            window["cpu_instructions"] = instructions
    return samples


@dataclass
class _Reader:
    """The samples read up to now.

    A sample of one window has its tensors behind its line. One of several has them before it,
    each window's behind the window's line.

    Attributes:
        samples: those whose line was read.
        open_name: the sample whose windows are being read; none if ``windows`` is empty.
        windows: the windows' counts.
        tensors: the tensors of each window.
    """

    samples: list[DeviceSample] = field(default_factory=list)
    open_name: str = ""
    windows: list[dict[str, int]] = field(default_factory=list)
    tensors: list[list[str]] = field(default_factory=list)

    def window(self, match: re.Match[str]) -> None:
        if int(match["index"]) != len(self.windows) or self.open_name not in {"", match["name"]}:
            raise EthosmithError(f"the firmware left out a window of '{match['name']}'")
        self.open_name = match["name"]
        self.windows.append(_counts(match))
        self.tensors.append([])

    def tensor(self, match: re.Match[str]) -> None:
        name = match["name"]
        latest = self.samples[-1] if self.samples and not self.windows else None
        if name != (latest.name if latest else self.open_name):
            raise EthosmithError(f"the firmware printed a tensor of '{name}' out of order")
        tensors = latest.tensors if latest else self.tensors[-1]
        if int(match["index"]) != len(tensors):
            raise EthosmithError(f"the firmware left out a tensor of '{name}'")
        tensors.append(match["hex"])

    def ranked(self, match: re.Match[str]) -> None:
        name = match["name"]
        if not self.samples or self.windows or self.samples[-1].name != name:
            raise EthosmithError(f"the firmware ranked the answers of '{name}' out of order")
        self.samples[-1].ranked = match["ranked"]

    def sample(self, match: re.Match[str]) -> None:
        counts = _counts(match)
        windows = counts.pop("windows", 0)
        if windows != len(self.windows) or self.open_name not in {"", match["name"]}:
            raise EthosmithError(f"the firmware left out a window of '{match['name']}'")
        tensors = [tensor for window in self.tensors for tensor in window]
        self.samples.append(
            DeviceSample(
                match["name"],
                match["answer"],
                match["score"],
                counts,
                tensors,
                windows=self.windows,
            )
        )
        self.open_name, self.windows, self.tensors = "", [], []


def _counts(match: re.Match[str]) -> dict[str, int]:
    counts = (word.split("=") for word in match["counts"].split())
    return {name: int(value) for name, value in counts}


_LINE = re.compile(r"^arena: (?P<used>\d+) of (?P<size>\d+) bytes used\r?$", re.MULTILINE)
# An arena that is larger than this times what was used, and more, was guessed.
_MAX_FACTOR = 1.25
_MAX_EXTRA_BYTES = 1024


@dataclass(frozen=True)
class ArenaUse:
    """What the firmware printed of its arena, in bytes."""

    used_bytes: int
    size_bytes: int

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the arena's size, a line each."""
        if self.used_bytes > self.size_bytes:
            yield f"used {self.used_bytes} bytes of an arena of {self.size_bytes}"
        if self.size_bytes > self.used_bytes * _MAX_FACTOR + _MAX_EXTRA_BYTES:
            yield (
                f"an arena of {self.size_bytes} bytes, of which {self.used_bytes} were used:"
                " ethosmith.models.arena is wrong about this network"
            )


def read_arena(text: str) -> ArenaUse | None:
    """Return what the log ``text`` says of an arena; None if the image has none."""
    match = _LINE.search(text)
    return ArenaUse(int(match["used"]), int(match["size"])) if match else None
