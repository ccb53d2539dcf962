# SPDX-License-Identifier: Apache-2.0
"""Compare what the device answered with the host, byte for byte, and with the expected answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text
from ethosmith.steps.step import Input, OptionalInput, Output, Step, step
from ethosmith.verify.uart_log import DeviceSample, read_arena, read_log, with_instructions
from ethosmith.verify.verdict import Verdict, run_problems, verdicts


@step(verb="VERIFY", packages=("pyelftools",), cacheable=False)
class CompareRun(Step):
    """Compare a run with the host, byte for byte, and with the expected answers.

    Attributes:
        usecase: its name, for messages.
        result: of the step run-board, run-prebuilt or run-npu-job.
        expected: of the step compute-expected.
        expect: the expected answer by sample; a sample that is left out is not judged.
        expect_times: by sample, of answers with times: ``label``, ``from_s`` and ``to_s`` of each.
        axf: the image that ran, which says in its log who it is; none: one that does not.
        output: what the device answered and counted, whether that is equal to the host or not
            compared, and right or not judged, JSON; only if nothing differs and nothing is wrong.
    """

    usecase: str
    result: Input
    expected: Input
    expect: Mapping[str, Any]
    expect_times: Mapping[str, Any]
    axf: OptionalInput = None
    output: Output

    def run(self) -> None:
        """Compare, and write the report if nothing differs and nothing is wrong.

        Raises:
            EthosmithError: an answer is not equal or wrong, the log is not complete or of another
                image, or the arena far too large.
        """
        result, host = self._read()
        if self.axf is not None:
            from ethosmith.verify.image_identity import check_identity, identity_of_image

            check_identity(result["uart"], identity_of_image(self.axf))
        device = device_samples(result, host["samples"])
        found = verdicts(device, host["samples"], self.expect, self.expect_times)
        arena = read_arena(result["uart"])
        if problems := run_problems(self.usecase, found, arena):
            raise EthosmithError("; ".join(problems))
        report: dict[str, Any] = {
            "simulator": result["simulator"],
            **({"fast": True} if result.get("fast") else {}),
            **{key: result[key] for key in ("not_booted",) if key in result},
            "oracle": host["oracle"],
            "samples": [
                {
                    **asdict(sample),
                    "equal": one.equal,
                    "comparison": one.comparison,
                    "judgement": one.judgement,
                }
                for sample, one in zip(device, found, strict=True)
            ],
            **({"arena": asdict(arena)} if arena else {}),
            **_peak(result),
            **{key: host[key] for key in ("not_compared", "pytorch") if key in host},
        }
        write_text(self.output, json.dumps(report, indent=2) + "\n")

    def verdicts(self) -> list[Verdict]:
        """Return what is known of each sample, whether or not the step succeeds.

        Raises:
            EthosmithError: the firmware's log is not complete, or of other samples.
        """
        result, host = self._read()
        device = device_samples(result, host["samples"])
        return verdicts(device, host["samples"], self.expect, self.expect_times)

    def figures(self) -> dict[str, dict[str, int]]:
        """Return by the samples' names what was counted, and the memory that a ready runner used.

        Raises:
            EthosmithError: the firmware's log is not complete.
        """
        result, host = self._read()
        found = device_samples(result, host["samples"])
        return {one.name: {**one.counts, **_peak(result, one.name)} for one in found}

    def _read(self) -> tuple[dict[str, Any], dict[str, Any]]:
        result = read_json(self.result)
        return result, read_json(self.expected)


def _peak(result: Mapping[str, Any], sample: str = "") -> dict[str, int]:
    """Return the most memory that a ready runner used, if it says so, in bytes.

    Args:
        result: of the run.
        sample: the name of one; empty: of all.
    """
    samples = [one for one in result.get("samples", ()) if sample in {"", one["name"]}]
    found = [one["arena_bytes"] for one in samples if "arena_bytes" in one]
    return {"runner_peak_bytes": max(found)} if found else {}


def device_samples(
    result: Mapping[str, Any], host: Sequence[Mapping[str, Any]]
) -> list[DeviceSample]:
    """Return what the device said, from the board's result.

    What was counted where no time was simulated is left out: it means nothing.

    An image without the use case's post-processing gives tensors alone, and so does the NPU without
    a CPU. What the use case says to them is then what the host said: it is compared with the same
    tensors.

    Raises:
        EthosmithError: the firmware's log is not complete.
    """
    found = _device_samples(result, host)
    if not result.get("fast"):
        return found
    return [replace(one, counts={}, windows=[{} for _ in one.windows]) for one in found]


def _device_samples(
    result: Mapping[str, Any], host: Sequence[Mapping[str, Any]]
) -> list[DeviceSample]:
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
            windows=sample.get("windows", []),
            **{key: said.get(sample["name"], unsaid).get(key, "") for key in unsaid},
        )
        for sample in result["samples"]
    ]
