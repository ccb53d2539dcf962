# SPDX-License-Identifier: Apache-2.0
"""The verdict on what a board printed: the same as on a simulator's run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json
from ethosmith.verify.image_identity import (
    ImageIdentity,
    check_identity,
    identity_of_image,
    identity_of_model,
)
from ethosmith.verify.serial_log import SerialRun
from ethosmith.verify.uart_log import DeviceSample, read_arena, read_log
from ethosmith.verify.verdict import Verdict, run_problems, verdicts


@dataclass(frozen=True)
class Expectation:
    """What a board has to print.

    Attributes:
        usecase: its name, for messages.
        identity: of the image.
        host: of the step compute-expected.
        expect: the expected answer by sample; a sample that is left out is not judged.
        expect_times: by sample, of answers with times: ``label``, ``from_s`` and ``to_s`` of each.
    """

    usecase: str
    identity: ImageIdentity
    host: Mapping[str, Any]
    expect: Mapping[str, str]
    expect_times: Mapping[str, Sequence[Mapping[str, Any]]]

    @classmethod
    def of(
        cls,
        usecase: str,
        axf: Path,
        expected: Path,
        expect: Mapping[str, str],
        expect_times: Mapping[str, Any],
        model: Path | None = None,
    ) -> Expectation:
        """Read the image, the ``model`` of the board's partition, and the host's answers."""
        identity = identity_of_image(axf)
        if model is not None:
            identity = identity_of_model(model, identity)
        return cls(usecase, identity, read_json(expected), expect, expect_times)


def judged_text(runs: Sequence[SerialRun], expectation: Expectation, source: str) -> str:
    """Compare every run and return what to show, ending in "equal, byte for byte".

    Args:
        runs: of a log or a port, one or more.
        expectation: what they have to print.
        source: the log or port, for messages.

    Raises:
        EthosmithError: a run is of another image, not complete, not equal to the host or wrong.
    """
    tables = [_judged(run, expectation, f"{source}:{run.first_line}") for run in runs]
    host = expectation.host
    tensors = sum(len(sample.get("tensors", ())) for sample in host["samples"])
    if "not_compared" in host:
        compared = f"tensors not compared: {host['not_compared']}"
    else:
        compared = f"{tensors} tensors, compared with {host['oracle']}: equal, byte for byte"
    count = f"{len(runs)} runs, each of " if len(runs) > 1 else ""
    return f"{tables[-1]}{source}: {count}{len(host['samples'])} samples and {compared}\n"


def _judged(run: SerialRun, expectation: Expectation, where: str) -> str:
    host = expectation.host["samples"]
    try:
        check_identity(run.text, expectation.identity)
        device = read_log(run.text)
        found = verdicts(device, host, expectation.expect, expectation.expect_times)
    except EthosmithError as error:
        raise EthosmithError(f"{where}: {error}") from None
    if problems := run_problems(expectation.usecase, found, read_arena(run.text)):
        raise EthosmithError(f"{where}: {'; '.join(problems)}")
    return "".join(_line(sample, one) for sample, one in zip(device, found, strict=True))


def _line(sample: DeviceSample, verdict: Verdict) -> str:
    cycles = sample.counts.get("npu_cycles", 0)
    answer = f"'{sample.answer}' {verdict.judgement}"
    return f"  {sample.name}: {answer}, score {sample.score}, {cycles:,} NPU cycles\n"
