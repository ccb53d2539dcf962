# SPDX-License-Identifier: Apache-2.0
"""Features of clips as the device computes them: by the use case's own host program."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from network import RECEPTIVE_FIELD_FRAMES, STRIDE_FRAMES

from ethosmith.verify.host_program import features_of_file

# Features are multiples of 1/128 below 8, so half precision holds them exactly.
Frames = npt.NDArray[np.float16]
_SHARED_FRAMES = RECEPTIVE_FIELD_FRAMES - STRIDE_FRAMES


@dataclass(frozen=True)
class FeatureProgram:
    """The host program and the shape of the network's input: frames x 1 x channels."""

    program: Path
    shape: Sequence[int]

    def windows(self, pcm: npt.NDArray[np.int16]) -> Frames:
        """Return the clip's windows: windows x frames x 1 x channels."""
        with tempfile.NamedTemporaryFile(suffix=".pcm") as file:
            file.write(pcm.astype("<i2").tobytes())
            file.flush()
            raw = features_of_file(self.program, Path(file.name), self.shape)
        return np.frombuffer(raw, "<f4").reshape(-1, *self.shape).astype(np.float16)


def joined(windows: Frames) -> Frames:
    """Return windows as one sequence of frames, without what two of them share."""
    return np.concatenate([windows[0], *(window[_SHARED_FRAMES:] for window in windows[1:])])
