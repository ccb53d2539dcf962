# SPDX-License-Identifier: Apache-2.0
"""Run the NPU's parts of an ExecuTorch program in the NPU model, as a device would run them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ethosmith.core.accelerators import counts_between
from ethosmith.core.errors import EthosmithError
from ethosmith.models.vela_blocks import part_of_program
from ethosu_model.config import AcceleratorConfig
from ethosu_model.errors import ModelError
from ethosu_model.harness import HostRunner, NpuJobError

Tensor = npt.NDArray[Any]


class NpuParts:
    """The parts of one program, each on an NPU with memory of its own.

    It takes the place of TOSA's reference model: it is called for each part in turn.
    """

    def __init__(
        self,
        shown: Path,
        payloads: Sequence[bytes],
        accelerator: AcceleratorConfig,
        *,
        scratch_fast_bytes: int,
        axi1_regions: Collection[int],
        stream_port: int,
    ) -> None:
        """Load the parts.

        Args:
            shown: the program, for messages.
            payloads: of the program's parts, in the order in which they run.
            accelerator: the NPU.
            scratch_fast_bytes: of the fast memory that a part may use.
            axi1_regions: regions that port AXI1 reaches.
            stream_port: the port of the commands.

        Raises:
            EthosmithError: a part is damaged, or for another NPU.
        """
        self._shown, self._accelerator = shown, accelerator
        try:
            self._runners = [
                HostRunner(
                    part_of_program(payload, scratch_fast_bytes),
                    accelerator,
                    axi1_regions=axi1_regions,
                    stream_port=stream_port,
                )
                for payload in payloads
            ]
        except (EthosmithError, ModelError) as error:
            raise EthosmithError(f"{shown}: {error}") from None
        self._next = 0
        self._before = self._totals()

    def __call__(self, tosa: bytes, given: list[Tensor]) -> list[Tensor]:
        """Run the next part on arrays; ``tosa`` is what it was compiled from, and not used.

        Raises:
            EthosmithError: its job failed, or the program has fewer parts.
        """
        del tosa
        if self._next == len(self._runners):
            raise EthosmithError(
                f"{self._shown}: has {self._next} parts for the NPU, and its graph more; this is a"
                " fault of the build: report it"
            )
        runner, self._next = self._runners[self._next], self._next + 1
        try:
            return runner.run(given)
        except (NpuJobError, ModelError, ValueError) as error:
            raise EthosmithError(f"{self._shown}: the NPU's job failed: {error}") from None

    def counts_of_inference(self) -> dict[str, int]:
        """Return what all parts counted since the last call, and expect the first part next.

        Raises:
            EthosmithError: not every part ran.
        """
        if self._next != len(self._runners):
            raise EthosmithError(
                f"{self._shown}: {self._next} of its {len(self._runners)} parts for the NPU are in"
                " its graph; this is a fault of the build: report it"
            )
        before, self._before, self._next = self._before, self._totals(), 0
        return counts_between(self._accelerator, before, self._before)

    def _totals(self) -> Counter[str]:
        return sum((Counter(asdict(one.device.totals)) for one in self._runners), Counter())
