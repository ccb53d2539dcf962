# SPDX-License-Identifier: Apache-2.0
"""Compare a device's samples with the host's and with the descriptor's: equal, right, not judged.

*Equal*: the device's tensors and answer are the host's. *Not compared*: nothing on the host runs
the network. *Right*: the answer is what the descriptor expects. *Not judged*: the descriptor
expects nothing of that sample. None stands for another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ethosmith.core.errors import EthosmithError
from ethosmith.verify.uart_log import ArenaUse, DeviceSample, timed_labels

# What ran the NPU's job of an image that nothing could boot, in place of a simulator's name.
ON_HOST = "NPU model on the host"

Judgement = Literal["right", "wrong", "not judged"]
Comparison = Literal["equal", "not equal", "not compared"]


@dataclass(frozen=True)
class Verdict:
    """What is known of one sample's answer.

    Attributes:
        sample: its name.
        differences: what differs from the host; nothing: the device is equal.
        faults: in what the answer is not the expected one; nothing: it is right, or not judged.
        judged: the descriptor expects an answer.
        compared: the host ran the network too.
    """

    sample: str
    differences: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    judged: bool = False
    compared: bool = True

    @property
    def equal(self) -> bool:
        """The device's tensors and answer are the host's."""
        return self.compared and not self.differences

    @property
    def comparison(self) -> Comparison:
        """Whether the device is equal to the host."""
        if not self.compared:
            return "not compared"
        return "equal" if self.equal else "not equal"

    @property
    def judgement(self) -> Judgement:
        """Whether the answer is the expected one."""
        if not self.judged:
            return "not judged"
        return "wrong" if self.faults else "right"

    @property
    def problems(self) -> tuple[str, ...]:
        """What fails the run, a phrase each; a wrong answer says whether the host gives it too."""
        if not self.faults or self.differences:
            return (*self.differences, *self.faults)
        known = "equal to the host, but" if self.compared else "not compared with a host, and"
        return tuple(f"{known} wrong: {fault}" for fault in self.faults)


def verdicts(
    device: Sequence[DeviceSample],
    host: Sequence[Mapping[str, Any]],
    expect: Mapping[str, str],
    expect_times: Mapping[str, Sequence[Mapping[str, Any]]],
) -> list[Verdict]:
    """Return what is known of each sample, in order.

    Args:
        device: from the firmware's log.
        host: from the step compute-expected; a sample without tensors was not run there.
        expect: the descriptor's expected answer by sample name.
        expect_times: likewise, of answers with times: for each label in order ``label``,
            ``from_s`` and ``to_s``.

    Raises:
        EthosmithError: the device ran other samples than the host.
    """
    names = [sample.name for sample in device]
    wanted = [str(sample["name"]) for sample in host]
    if names != wanted:
        raise EthosmithError(f"the device ran the samples {names}, the descriptor has {wanted}")
    return [
        Verdict(
            sample=sample.name,
            differences=tuple(_differences(sample, reference)) if "tensors" in reference else (),
            faults=(
                *_faults(sample, expect.get(sample.name)),
                *_time_faults(sample, expect_times.get(sample.name)),
            ),
            judged=sample.name in expect or sample.name in expect_times,
            compared="tensors" in reference,
        )
        for sample, reference in zip(device, host, strict=True)
    ]


def run_problems(usecase: str, found: Sequence[Verdict], arena: ArenaUse | None) -> list[str]:
    """Return everything that fails a run, a phrase each.

    Args:
        usecase: its name.
        found: of `verdicts`.
        arena: what the interpreter used, if there is one.
    """
    problems = [f"{usecase}/{one.sample}: {problem}" for one in found for problem in one.problems]
    return problems + [f"{usecase}: {text}" for text in (arena.problems() if arena else ())]


def _differences(sample: DeviceSample, reference: Mapping[str, Any]) -> Iterator[str]:
    tensors: list[str] = reference["tensors"]
    if len(sample.tensors) != len(tensors):
        yield f"{len(sample.tensors)} output tensors, the host has {len(tensors)}"
    for index, (got, want) in enumerate(zip(sample.tensors, tensors, strict=False)):
        if got != want:
            place = _place(index, len(tensors), len(sample.windows))
            yield f"{place} {_difference(bytes.fromhex(got), bytes.fromhex(want))}"
    said = (sample.answer, sample.score)
    if said != (reference["answer"], reference["score"]):
        yield f"says {said}, the host says ({reference['answer']}, {reference['score']})"
    ranked = reference.get("ranked", "")
    if sample.ranked != ranked:
        yield f"ranks {sample.ranked or 'none'}, the host {ranked or 'none'}"


def _faults(sample: DeviceSample, wanted: str | None) -> Iterator[str]:
    if wanted is not None and sample.answer != wanted:
        yield f"says '{sample.answer}', expected '{wanted}'"


def _time_faults(sample: DeviceSample, wanted: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    if wanted is None:
        return
    found = timed_labels(sample.answer)
    if found is None or [label for label, _ in found] != [item["label"] for item in wanted]:
        labels = " ".join(f"{item['label']}@…" for item in wanted)
        yield f"says '{sample.answer}', expected '{labels}'"
        return
    for (label, time_s), item in zip(found, wanted, strict=True):
        if not item["from_s"] <= time_s <= item["to_s"]:
            yield (
                f"says '{label}' at {time_s:.2f} s, expected from {item['from_s']:.2f} s"
                f" to {item['to_s']:.2f} s"
            )


def _place(index: int, count: int, windows: int) -> str:
    """Name the tensor ``index`` of ``count`` in all windows."""
    if windows == 0:
        return f"output {index}"
    window, output = divmod(index, max(1, count // windows))
    return f"window {window}, output {output}"


def _difference(got: bytes, want: bytes) -> str:
    if len(got) != len(want):
        return f"has {len(got)} bytes, the host's has {len(want)}"
    places = [i for i, (a, b) in enumerate(zip(got, want, strict=True)) if a != b]
    first = places[0]
    return (
        f"differs from the host's in {len(places)} of {len(want)} bytes;"
        f" first at {first}: 0x{got[first]:02x}, host 0x{want[first]:02x}"
    )
