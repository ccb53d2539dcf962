# SPDX-License-Identifier: Apache-2.0
"""A step that waits, kills its worker or fills the disk, as a test wants it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from ethosmith.steps.step import Inputs, Output, Step, step

_WAITS_S = 60.0


@step(verb="MISBEHAVE", distributable=True)
class Misbehave(Step):
    """Write ``size_bytes`` zeros.

    Attributes:
        behaviour: ``wait``: until ``signs`` has a file ``go``; ``kill``: end the process that
            started it; anything else: neither.
        signs: a folder that nobody declares; the step leaves its parent's process id there.
        size_bytes: of the output.
        given: files that it does not read.
        output: the zeros.
    """

    behaviour: str
    signs: str = ""
    size_bytes: int = 1
    given: Inputs = ()
    output: Output

    def run(self) -> None:
        """Do it."""
        if self.behaviour == "kill":
            os.kill(os.getppid(), signal.SIGKILL)
        if self.behaviour == "wait":
            Path(self.signs, f"{os.getppid()}.began").touch()
            end_s = time.monotonic() + _WAITS_S
            while not Path(self.signs, "go").exists() and time.monotonic() < end_s:
                time.sleep(0.02)
        self.output.write_bytes(bytes(self.size_bytes))
