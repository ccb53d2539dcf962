# SPDX-License-Identifier: Apache-2.0
"""Compare a captured serial log, of any board or simulator, with the expected answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethosmith.steps.step import Input, OptionalInput, Step, Unsigned, step


@step(verb="VERIFY", packages=("pyelftools",), cacheable=False)
class VerifyLog(Step):
    """Compare a captured serial log with the expected answers, tensors included.

    Attributes:
        usecase: its name, for messages.
        axf: the image that the log has to be of.
        expected: of the step compute-expected.
        expect: the expected answer by sample; a sample that is left out is not judged.
        expect_times: by sample, of answers with times: ``label``, ``from_s`` and ``to_s`` of each.
        model: of the step write-model-image, if the board runs it in place of the image's.
        log: the captured log.
    """

    usecase: str
    axf: Input
    expected: Input
    expect: Mapping[str, Any]
    expect_times: Mapping[str, Any]
    model: OptionalInput = None
    log: Unsigned[Path]

    def run(self) -> None:
        """Compare every run in the log, and show the verdict.

        Raises:
            EthosmithError: the log is of another image or model, cut or damaged, or an answer is
                not equal, or wrong.
        """
        from ethosmith.verify.hardware import Expectation, judged_text
        from ethosmith.verify.serial_log import read_runs

        expectation = Expectation.of(
            self.usecase, self.axf, self.expected, self.expect, self.expect_times, self.model
        )
        runs = read_runs(self.log)
        sys.stdout.write(judged_text(runs, expectation, str(self.log)))

    @property
    def title(self) -> str:
        """The log."""
        return str(self.log)
