# SPDX-License-Identifier: Apache-2.0
"""Make motors that neither training nor the samples have: every second one is faulty."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sounds import FAULTS, NORMAL, clip

from ethosmith.accuracy.generator import Item, Request, run_generator

# Training, its evaluation and the samples take smaller numbers.
_FIRST_NUMBER = 1_000_000


def motors(request: Request) -> Iterator[Item]:
    """Yield whole and faulty motors in turn, the faults in turn too."""
    faults = list(FAULTS)
    for index in range(request.count):
        kind = faults[index // 2 % len(faults)] if index % 2 else NORMAL
        sound = clip(kind, _FIRST_NUMBER * (1 + request.seed) + index)
        label = "abnormal" if index % 2 else "normal"
        yield Item(f"{index:04}-{kind}", label, sound.astype("<i2").tobytes())


if __name__ == "__main__":
    sys.exit(run_generator(motors))
