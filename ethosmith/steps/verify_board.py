# SPDX-License-Identifier: Apache-2.0
"""Compare what a board prints, or has printed into a log, with the expected answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethosmith.steps.step import Input, OptionalInput, Step, Unsigned, step


@step(verb="VERIFY", packages=("pyelftools", "pyserial"), cacheable=False, owns_terminal=True)
class VerifyBoard(Step):
    """Compare what a board prints with the expected answers, tensors included.

    Attributes:
        usecase: its name, for messages.
        axf: the image that it has to be from.
        expected: of the step compute-expected.
        expect: the expected answer by sample; a sample that is left out is not judged.
        expect_times: by sample, of answers with times: ``label``, ``from_s`` and ``to_s`` of each.
        model: of the step write-model-image, if the board runs it in place of the image's.
        port: the board's serial port; empty: its output has been captured, by anybody.
        baud: the port's rate, bits a second.
        silence_s: for how long the board may print nothing, in seconds.
        hide: words; lines that begin with one are not shown.
        log: the captured output; from a port, where it is kept.
    """

    usecase: str
    axf: Input
    expected: Input
    expect: Mapping[str, Any]
    expect_times: Mapping[str, Any]
    model: OptionalInput = None
    port: Unsigned[str] = ""
    baud: int = 0
    silence_s: Unsigned[float] = 60.0
    hide: Unsigned[tuple[str, ...]] = ()
    log: Unsigned[Path]

    def run(self) -> None:
        """Take one run from the port, or all of the log, and show the verdict.

        Raises:
            EthosmithError: the port cannot be opened or goes, the board is silent, or a run is of
                another image or model, cut or damaged, not equal, or wrong.
        """
        from ethosmith.verify.hardware import Expectation, judged_text
        from ethosmith.verify.serial_log import read_runs

        expectation = Expectation.of(
            self.usecase, self.axf, self.expected, self.expect, self.expect_times, self.model
        )
        if self.port:
            self._capture()
        _write(judged_text(read_runs(self.log), expectation, self.title).encode())

    def _capture(self) -> None:
        """Wait for a run on the port, show it and keep it."""
        from ethosmith.core.files import write_bytes
        from ethosmith.verify.serial_port import opened, read_run
        from open_board.hidden_lines import without_lines
        from open_board.visible import Visible

        self.log.unlink(missing_ok=True)
        visible = Visible()
        with opened(self.port, self.baud) as device:
            _write(f"{self.port} is open at {self.baud} baud: reset the board.\n".encode())
            with without_lines(self.hide, lambda data: _write(visible.text(data))) as show:
                data = read_run(device, self.silence_s, show, _write)
        write_bytes(self.log, data)

    @property
    def title(self) -> str:
        """The port, or the log."""
        return self.port or str(self.log)


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
