# SPDX-License-Identifier: Apache-2.0
"""The templates of a new use case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ethosmith.descriptors.words import SampleFormat


@dataclass(frozen=True)
class Kind:
    """One template.

    Attributes:
        title: what its pre-processing does, for people.
        fills: inputs that it can fill, for people.
        formats: of the samples that it takes.
    """

    title: str
    fills: str
    formats: tuple[SampleFormat, ...]


TEMPLATES: Mapping[str, Kind] = {
    "audio": Kind(
        "WAV files to log-mel features, by TensorFlow's micro front end",
        "frames x channels (x 1)",
        ("wav",),
    ),
    "image": Kind(
        "pictures of any size, cropped and resized", "height x width x 3 (or 1)", ("image",)
    ),
    "vector": Kind("numbers as they are, from CSV files", "any shape", ("csv",)),
}
