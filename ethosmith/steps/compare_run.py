# SPDX-License-Identifier: Apache-2.0
"""Compare what the device answered with the host, byte for byte, and with the expected answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step
from ethosmith.verify.uart_log import (
    DeviceSample,
    read_arena,
    read_log,
    timed_labels,
    with_instructions,
)


@step(verb="VERIFY", cacheable=False)
class CompareRun(Step):
    """Compare a run with the host, byte for byte, and with the expected answers.

    Attributes:
        usecase: its name, for messages.
        result: of the step run-board or run-prebuilt.
        expected: of the step compute-expected.
        expect: the expected answer by sample; a sample may be left out.
        expect_times: by sample, of answers with times: ``label``, ``from_s`` and ``to_s`` of each.
        output: what the device answered and counted, JSON; only if all is right.
    """

    usecase: str
    result: Input
    expected: Input
    expect: Mapping[str, Any]
    expect_times: Mapping[str, Any]
    output: Output

    def run(self) -> None:
        """Compare, and write the report if nothing differs."""
        result = json.loads(self.result.read_text("utf-8"))
        host = json.loads(self.expected.read_text("utf-8"))["samples"]
        report = verified(self.usecase, result, host, self.expect, self.expect_times)
        write_text(self.output, json.dumps(report, indent=2) + "\n")


def compare(
    usecase: str,
    device: Sequence[DeviceSample],
    host: Sequence[Mapping[str, Any]],
    expect: Mapping[str, str],
    expect_times: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> list[str]:
    """Return what differs, one line each; nothing if the device is right.

    Args:
        usecase: its name, for the messages.
        device: from the firmware's log.
        host: from the step compute-expected.
        expect: the descriptor's expected answer by sample name.
        expect_times: likewise, of answers with times: for each label in order ``label``,
            ``from_s`` and ``to_s``.
    """
    names = [sample.name for sample in device]
    wanted = [str(sample["name"]) for sample in host]
    if names != wanted:
        return [f"{usecase}: the device ran the samples {names}, the descriptor has {wanted}"]
    return [
        f"{usecase}/{sample.name}: {problem}"
        for sample, reference in zip(device, host, strict=True)
        for problem in (
            *_problems(sample, reference, expect),
            *_time_problems(sample, (expect_times or {}).get(sample.name)),
        )
    ]


def _problems(
    sample: DeviceSample, reference: Mapping[str, Any], expect: Mapping[str, str]
) -> list[str]:
    found = []
    tensors: list[str] = reference["tensors"]
    if len(sample.tensors) != len(tensors):
        found.append(f"{len(sample.tensors)} output tensors, the host has {len(tensors)}")
    for index, (got, want) in enumerate(zip(sample.tensors, tensors, strict=False)):
        if got != want:
            place = _place(index, len(tensors), len(sample.windows))
            found.append(f"{place} {_difference(bytes.fromhex(got), bytes.fromhex(want))}")
    said = (sample.answer, sample.score)
    if said != (reference["answer"], reference["score"]):
        found.append(f"says {said}, the host says ({reference['answer']}, {reference['score']})")
    ranked = reference.get("ranked", "")
    if sample.ranked != ranked:
        found.append(f"ranks {sample.ranked or 'none'}, the host {ranked or 'none'}")
    wanted = expect.get(sample.name)
    if wanted is not None and sample.answer != wanted:
        found.append(f"says '{sample.answer}', expected '{wanted}'")
    return found


def _time_problems(
    sample: DeviceSample, wanted: Sequence[Mapping[str, Any]] | None
) -> Iterator[str]:
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


def device_samples(
    result: Mapping[str, Any], host: Sequence[Mapping[str, Any]]
) -> list[DeviceSample]:
    """Return what the device said, from the board's result.

    An image without the use case's post-processing gives tensors alone. What the use case says
    to them is then what the host said: it is compared with the same tensors.

    Raises:
        EthosmithError: the firmware's log is not complete.
    """
    if "samples" not in result:
        samples = read_log(result["uart"])
        return with_instructions(samples, result.get("call_instructions"))
    said = {sample["name"]: sample for sample in host}
    unsaid = {"answer": "", "score": "", "ranked": ""}
    return [
        DeviceSample(
            name=sample["name"],
            counts=sample["counts"],
            tensors=sample["tensors"],
            **{key: said.get(sample["name"], unsaid)[key] for key in unsaid},
        )
        for sample in result["samples"]
    ]


def verified(
    usecase: str,
    result: Mapping[str, Any],
    host: Sequence[Mapping[str, Any]],
    expect: Mapping[str, str],
    expect_times: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """Return what the device said as plain data, once it is found right.

    Args:
        usecase: its name, for the messages.
        result: of the board.
        host: as in `compare`.
        expect: likewise.
        expect_times: likewise.

    Raises:
        EthosmithError: the device was wrong, its log is not complete, or its arena far too large.
    """
    device = device_samples(result, host)
    problems = compare(usecase, device, host, expect, expect_times)
    arena = read_arena(result["uart"])
    if arena is not None:
        problems += [f"{usecase}: {problem}" for problem in arena.problems()]
    if problems:
        raise EthosmithError("; ".join(problems))
    return {
        "simulator": result["simulator"],
        "samples": [asdict(sample) for sample in device],
        **({"arena": asdict(arena)} if arena else {}),
    }
