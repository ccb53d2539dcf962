# SPDX-License-Identifier: Apache-2.0
"""What a network says to an evaluation set: one column of the table, as a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ethosmith.core.files import write_text


@dataclass(frozen=True)
class ItemAnswer:
    """The answer to one item.

    Attributes:
        name: of the item.
        answer: the application's text.
        score: as printed.
        outputs_sha256: of the raw bytes of all output tensors, window after window.
    """

    name: str
    answer: str
    score: str
    outputs_sha256: str


@dataclass(frozen=True)
class Answers:
    """The answers to a whole set, in its order.

    Attributes:
        simulator: name and version, for the device's.
    """

    items: tuple[ItemAnswer, ...]
    simulator: Mapping[str, str] = field(default_factory=dict)


def digest(outputs: Sequence[bytes]) -> str:
    """Return the SHA-256 of output tensors in a row."""
    return hashlib.sha256(b"".join(outputs)).hexdigest()


def write_answers(path: Path, answers: Answers) -> None:
    """Write ``answers`` as JSON."""
    write_text(path, json.dumps(asdict(answers), indent=1) + "\n")


def read_answers(path: Path) -> Answers:
    """Return what `write_answers` wrote."""
    data = json.loads(path.read_text("utf-8"))
    return Answers(tuple(ItemAnswer(**item) for item in data["items"]), data["simulator"])
