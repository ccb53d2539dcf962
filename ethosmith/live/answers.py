# SPDX-License-Identifier: Apache-2.0
"""What the page is told: about the use case, and about each answer of the device."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.live.board import LiveAnswer, LiveBoard
from ethosmith.live.uploads import Clips, Taken, Upload, sample_of, suffix_of
from ethosmith.models.tensor_spec import NetworkSpec

_RANKED = re.compile(r'"([^"]*)"=(\S+)')
# What the page draws of one sample; windows behind that are left out.
_MAX_DRAWN_BYTES = 2 << 20


@dataclass(frozen=True)
class Desk:
    """Answers the page's messages with what the device says.

    Attributes:
        board: runs the firmware.
        taken: what the use case takes.
        network: its inputs and outputs.
        clips: where labelled clips go.
        facts: what the page shows of the image, beside what follows from the others.
    """

    board: LiveBoard
    taken: Taken
    network: NetworkSpec
    clips: Clips
    facts: dict[str, Any]

    def hello(self) -> dict[str, Any]:
        """Return what the page is told first; boots the board.

        Raises:
            EthosmithError: the program does not boot.
        """
        sound = self.taken.form.sound
        return {
            **self.facts,
            "boot": self.board.boot(),
            "suffixes": list(self.taken.suffixes),
            "labels": list(self.taken.labels),
            "sound": asdict(sound) if sound is not None else None,
            "picture": ".png" in self.taken.suffixes,
            "inputs": [
                {**asdict(one), "size_bytes": one.size_bytes} for one in self.network.inputs
            ],
            "clips": str(self.clips.folder),
        }

    def answer(self, upload: Upload) -> dict[str, Any]:
        """Return what a message is answered with.

        Raises:
            EthosmithError: it cannot be, with the cause.
        """
        if upload.task == "answer":
            return self._answer(upload)
        if upload.task == "keep":
            return self._keep(upload)
        raise EthosmithError("the page asks for something that this version does not know")

    def _answer(self, upload: Upload) -> dict[str, Any]:
        begin_s = time.monotonic()
        data, converted = sample_of(upload, self.taken)
        read_s = time.monotonic()
        answer = self.board.answer(f"live-{upload.number}", data)
        end_s = time.monotonic()
        return {
            "name": upload.name,
            "converted": converted,
            "read_ms": (read_s - begin_s) * 1000,
            "board_ms": (end_s - read_s) * 1000,
            **device_answer(answer, self.network),
        }

    def _keep(self, upload: Upload) -> dict[str, Any]:
        sample_of(upload, self.taken)  # What `accuracy` would refuse is not kept.
        path = self.clips.keep(upload.data, upload.label, suffix_of(upload, self.taken))
        return {"path": str(path), "label": upload.label}


def device_answer(answer: LiveAnswer, network: NetworkSpec) -> dict[str, Any]:
    """Return what the device said as plain data for the page."""
    sample = answer.sample
    input_bytes = sum(one.size_bytes for one in network.inputs)
    drawn = max(1, _MAX_DRAWN_BYTES // max(1, input_bytes))
    windows = sample.windows or [sample.counts]
    return {
        "answer": sample.answer,
        "score": float(sample.score),
        "ranked": [[text, float(score)] for text, score in _RANKED.findall(sample.ranked)],
        "counts": sample.counts,
        "cycles": [window["npu_cycles"] for window in windows],
        "features": [
            base64.b64encode(part).decode() for part in _parts(answer.inputs, input_bytes, drawn)
        ],
        "scores": _scores(sample.tensors, network),
        "log": list(answer.log),
    }


def _parts(data: bytes, size_bytes: int, most: int) -> Iterator[bytes]:
    """Yield the whole windows of the network's inputs, at most so many."""
    for index in range(min(most, len(data) // size_bytes if size_bytes else 0)):
        yield data[index * size_bytes : (index + 1) * size_bytes]


def _scores(tensors: Sequence[str], network: NetworkSpec) -> list[list[float]]:
    """Return the real values of the first output in each window, if it is a short one."""
    import numpy as np  # noqa: PLC0415 the page's server starts sooner without it

    first, outputs = network.outputs[0], len(network.outputs)
    if first.element_count > 64:
        return []
    found = []
    for tensor in tensors[::outputs]:
        stored = np.frombuffer(bytes.fromhex(tensor), np.dtype(first.dtype).newbyteorder("<"))
        real = (stored.astype(np.float64) - first.zero_point) * first.scale
        found.append([round(float(value), 6) for value in real])
    return found
