# SPDX-License-Identifier: Apache-2.0
"""A run's time limit counts its own processor time, and the clock while it idles."""

from __future__ import annotations

import pytest

from open_board.deadline import Deadline
from open_board.job import RunError


class _Machine:
    """A clock and a process that gets a share of a processor."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.processor_s = 0.0

    def deadline(self, limit_s: float) -> Deadline:
        found = Deadline(limit_s, clock=lambda: self.now_s)
        found.watch(lambda: self.processor_s)
        return found

    def run(self, deadline: Deadline, seconds: float, share: float) -> None:
        for _ in range(int(seconds)):
            self.now_s += 1
            self.processor_s += share
            deadline.check()


def test_a_busy_machine_ends_no_run() -> None:
    machine = _Machine()
    deadline = machine.deadline(8)
    machine.run(deadline, 100, share=0.05)
    assert deadline.left_s == pytest.approx(3)
    with pytest.raises(RunError, match="no end within the limit of 8 s"):
        machine.run(deadline, 100, share=0.05)


@pytest.mark.parametrize("share", [0.0, 1.0, 2.0])
def test_one_that_computes_or_idles_is_ended_in_time(share: float) -> None:
    machine = _Machine()
    deadline = machine.deadline(8)
    machine.run(deadline, 8, share)
    with pytest.raises(RunError, match="limit of 8 s"):
        machine.run(deadline, 1, share)


def test_without_processor_times_the_clock_counts() -> None:
    machine = _Machine()
    deadline = Deadline(8, clock=lambda: machine.now_s)
    deadline.watch(lambda: None)
    machine.run(deadline, 8, share=0.1)
    assert deadline.left_s == 0


def test_a_machine_that_slept_ends_no_run() -> None:
    machine = _Machine()
    deadline = machine.deadline(60)
    machine.now_s += 3600
    deadline.check()
