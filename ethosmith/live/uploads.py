# SPDX-License-Identifier: Apache-2.0
"""What a page sends: read as `samples=` reads files, or kept as labelled clips."""

from __future__ import annotations

import json
import os
import re
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.descriptors.words import FORMAT_OF_SUFFIX, LABEL_LIMITS
from ethosmith.lib.sample_formats import SampleForm, read_sample

# Of a sound or a picture; the readers have limits of their own.
MAX_MESSAGE_BYTES = 32 << 20
_MAX_HEADER_BYTES = 4096
_HEADER_SIZE = struct.Struct("<I")
_MAX_NAME = 64
_MAX_CLIPS = 100_000


@dataclass(frozen=True)
class Upload:
    """One message of the page: a header in JSON, and a file's bytes.

    Attributes:
        task: ``answer`` or ``keep``.
        number: names the message in its answer.
        name: the file's, as the user knows it.
        label: of a clip to keep.
        data: the file.
    """

    task: str
    number: int
    name: str
    label: str
    data: bytes

    @classmethod
    def of_message(cls, message: bytes) -> Upload:
        """Return the message that a page has sent: the header's size (uint32), header, file.

        Raises:
            EthosmithError: it is not of that form.
        """
        size_bytes = int.from_bytes(message[: _HEADER_SIZE.size], "little")
        end = _HEADER_SIZE.size + size_bytes
        if len(message) < end or size_bytes > _MAX_HEADER_BYTES:
            raise EthosmithError("the message has no header")
        try:
            header = json.loads(message[_HEADER_SIZE.size : end])
            return cls(
                task=_text(header, "task"),
                number=int(header["number"]),
                name=_text(header, "name"),
                label=_text(header, "label", ""),
                data=message[end:],
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            raise EthosmithError("the message's header is not what the page sends") from None


def _text(header: Any, name: str, default: str | None = None) -> str:
    value = header.get(name, default) if default is not None else header[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


@dataclass(frozen=True)
class Taken:
    """What a use case takes.

    Attributes:
        suffixes: ends of file names.
        labels: none: any text.
        form: what samples are brought to.
    """

    suffixes: tuple[str, ...]
    labels: tuple[str, ...]
    form: SampleForm


def sample_of(upload: Upload, taken: Taken) -> tuple[bytes, str]:
    """Return the sample's bytes for the device, and what was converted, in words.

    Raises:
        EthosmithError: the use case does not take it.
    """
    suffix = suffix_of(upload, taken)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(upload.name).stem)[:_MAX_NAME] or "file"
    converted: list[str] = []
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        path = Path(folder, stem + suffix)
        path.write_bytes(upload.data)
        try:
            data = read_sample(path, FORMAT_OF_SUFFIX[suffix], taken.form, converted.append)
        except EthosmithError as error:
            raise EthosmithError(str(error).replace(f"{folder}{os.sep}", "")) from None
    return data, "; ".join(converted)


def suffix_of(upload: Upload, taken: Taken) -> str:
    """Return the end of the file's name.

    Raises:
        EthosmithError: it is none that the use case takes.
    """
    suffix = Path(upload.name).suffix.lower()
    if suffix not in taken.suffixes:
        named = upload.name[-_MAX_NAME:]
        raise EthosmithError(f"{named}: expected a file of {', '.join(taken.suffixes)}")
    return suffix


class Clips:
    """A folder with a sub-folder for each label, as ``accuracy evaluation=`` takes it."""

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        """Keep clips below ``folder``, which need not exist; no ``labels``: any text is one."""
        self.folder = folder
        self._labels = tuple(labels)

    def keep(self, data: bytes, label: str, suffix: str) -> Path:
        """Store a clip under its label and return its path.

        Raises:
            EthosmithError: not one of the labels, or the folder cannot be written.
        """
        self._check(label)
        place = self.folder / label
        try:
            place.mkdir(parents=True, exist_ok=True)
            for number in range(1, _MAX_CLIPS):
                path = place / f"clip-{number:04}{suffix}"
                if not path.exists():
                    _write_new(path, data)
                    return path
        except OSError as error:
            raise EthosmithError(f"{place}: {error.strerror}") from None
        raise EthosmithError(f"{place}: {_MAX_CLIPS - 1:,} clips are in it, no more are kept")

    def _check(self, label: str) -> None:
        if self._labels and label not in self._labels:
            raise EthosmithError(unknown_name("label", label[:_MAX_NAME], self._labels))
        # It becomes the name of a folder.
        if not LABEL_LIMITS.allows(label) or "/" in label or label.startswith("."):
            raise EthosmithError(
                f"'{label[:_MAX_NAME]}' is not a label: 1 to 64 characters without / \\ and quotes"
            )


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(data)
    try:
        os.link(beside, path)
    finally:
        beside.unlink()
