# SPDX-License-Identifier: Apache-2.0
"""Run an image on the simulated board, and keep what it printed and counted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.step import Input, Output, Step, Unsigned, step

if TYPE_CHECKING:
    from open_board.job import BoardResult


@step(
    verb="RUN",
    packages=(
        "capstone",
        "numpy",
        "pyelftools",
    ),
    cacheable=False,
    resumable=True,
    distributable=True,
)
class RunBoard(Step):
    """Run an image on the simulated board; fails unless the program ends with exit code 0.

    Attributes:
        axf: the linked image.
        npu: the board's NPU, such as ``ethos-u55-128``.
        system_config: Vela's, whose memories the open board estimates cycles with; empty: ideal
            ones.
        simulator: ``auto``, ``fvp`` or ``open``.
        fvp_programs: executable of the platform's FVP; none: the SSE-300's with that NPU.
        board: which board the open board is, such as ``sse310``.
        strict: the open board refuses what a board would not forgive.
        fast: an FVP takes no simulated time for the NPU, and counts nothing.
        count_calls: function whose CPU instructions are counted in each call (open board).
        tools: name and version of the simulator.
        hide: words; lines of the UART that begin with one are not shown.
        uart_file: where the UART's output goes instead of the terminal.
        time_limit_s: seconds until the run has failed; 0: none.
        result: UART output, outcome and counts, JSON.
    """

    axf: Input
    npu: str
    system_config: str = ""
    simulator: str = "auto"
    fvp_programs: tuple[str, ...] = ()
    board: str | None = None
    strict: bool = False
    fast: bool = False
    count_calls: str | None = None
    tools: tuple[str, ...] = ()
    hide: Unsigned[tuple[str, ...]] = ()
    uart_file: Unsigned[str | None] = None
    time_limit_s: Unsigned[float] = 60.0
    result: Output

    def run(self) -> None:
        """Boot the image and show its UART; write the result if the run passed."""
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.verify.simulator import choose_simulator
        from open_board.hidden_lines import without_lines
        from open_board.job import BoardJob
        from open_board.result_file import write_result

        # No old result for a run that fails.
        self.result.unlink(missing_ok=True)
        accelerator = parse_accelerator(self.npu, self.system_config)
        job = BoardJob(
            accelerator=accelerator,
            axf=self.axf,
            counted_function=self.count_calls,
            time_limit_s=self.time_limit_s or None,
            fast=self.fast,
        )
        program = next(iter(self.fvp_programs), None)
        simulator = choose_simulator(
            self.simulator,
            accelerator,
            fvp_program=program,
            strict=self.strict,
            board=self.board,
        )
        with self._uart() as show, without_lines(self.hide, show) as sink:
            result = simulator.run(job, sink)
        # A run that failed leaves nothing that could pass for a result.
        _check_end(result)
        write_result(self.result, job, result)

    @contextmanager
    def _uart(self) -> Iterator[Callable[[bytes], None]]:
        from open_board.visible import Visible

        with ExitStack() as stack:
            uart: BinaryIO = sys.stdout.buffer
            # What a terminal would obey, such as an escape sequence, is shown by number.
            shown: Callable[[bytes], bytes] = Visible().text
            if self.uart_file is not None:
                uart = stack.enter_context(Path(self.uart_file).open("wb"))
                shown = bytes

            def show(data: bytes) -> None:
                uart.write(shown(data))
                uart.flush()

            yield show

    def lacking(self) -> str:
        """Return which simulator of ``tools`` is missing here, or has another version."""
        from ethosmith.verify.simulator import missing_tools

        return missing_tools(self.tools)

    def staying(self) -> bool:
        """Say whether the UART goes to a file of this machine."""
        return self.uart_file is not None

    @property
    def title(self) -> str:
        """The image."""
        return self.axf.as_posix()


def _check_end(result: BoardResult) -> None:
    """Raise an `EthosmithError` unless the program ended with exit code 0."""
    from open_board.job import Outcome

    if result.passed:
        return
    if result.outcome is not Outcome.EXITED:
        raise EthosmithError(f"{result.outcome.value}: {result.reason}")
    failures = [line for line in result.text.splitlines() if line.startswith("fail: ")]
    reason = f": {failures[-1].removeprefix('fail: ')}" if failures else ""
    raise EthosmithError(f"the program ended with exit code {result.exit_code}{reason}")
