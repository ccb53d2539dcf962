# SPDX-License-Identifier: Apache-2.0
"""Read regular files of bounded size, hash them, and write them whole or not at all.

This is where files that nobody vouches for come in: a FIFO never blocks a reader, a device is
never read, a file that is too large is never loaded, and whatever a parser raises about its
content ends as one line (`parsing`).
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from ethosmith.core.errors import EthosmithError

# Begins the names of files and folders that somebody is writing, or that a killed process left.
UNFINISHED_PREFIX = ".unfinished."
# Of text, of data that a step holds in memory, and of networks. Larger ones are mistakes, or
# meant to hurt: nothing of this size fits a microcontroller.
MAX_TEXT_BYTES = 16 << 20
MAX_DATA_BYTES = 64 << 20
MAX_MODEL_BYTES = 128 << 20
# Ends of the names of networks' files.
KERAS_SUFFIXES = (".h5", ".hdf5", ".keras")
TFLITE_SUFFIX = ".tflite"
PTE_SUFFIX = ".pte"


@contextmanager
def open_regular(path: Path, *, follow_links: bool = True) -> Iterator[BinaryIO]:
    """Open a regular file for reading; a FIFO does not block, and a device is not read.

    Raises:
        OSError: it cannot be opened, or is something else (``EINVAL``).
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        yield file


def read_bytes(path: Path, *, limit_bytes: int = MAX_DATA_BYTES) -> bytes:
    """Return the bytes of a file that is not trusted to be small.

    Raises:
        EthosmithError: it cannot be read, is larger than ``limit_bytes``, or is no regular file.
    """
    with _opened(path) as file:
        size_bytes = _checked_size(file, path, limit_bytes)
        data = file.read(size_bytes + 1)
    if len(data) > size_bytes:
        raise EthosmithError(f"{path}: not a regular file, or it is being written")
    return data


def read_start(path: Path, size_bytes: int) -> bytes:
    """Return the first bytes of a file, or all that it has; errors as `read_bytes`."""
    with _opened(path) as file:
        return file.read(size_bytes)


def check_readable(path: Path, *, limit_bytes: int) -> None:
    """Check, without reading it, a file that a library will read by its name.

    Raises:
        EthosmithError: as `read_bytes`.
    """
    with _opened(path) as file:
        _checked_size(file, path, limit_bytes)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file as `open_regular` does; where that fails, the error is the user's."""
    try:
        with open_regular(path) as file:
            yield file
    except ValueError:
        raise EthosmithError(f"{str(path)!r}: not a file name") from None
    except OSError as error:
        raise EthosmithError(f"{path}: cannot be read: {error.strerror}") from None


def _checked_size(file: BinaryIO, path: Path, limit_bytes: int) -> int:
    size_bytes = os.fstat(file.fileno()).st_size
    if size_bytes > limit_bytes:
        raise EthosmithError(f"{path}: {size_bytes:,} bytes, more than {limit_bytes:,}")
    return size_bytes


def read_text(path: Path, *, limit_bytes: int = MAX_TEXT_BYTES, encoding: str = "utf-8") -> str:
    """Return the text of a file; with Unix line ends.

    Raises:
        EthosmithError: as `read_bytes`, or it is not in ``encoding``.
    """
    data = read_bytes(path, limit_bytes=limit_bytes)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise EthosmithError(f"{path}: not UTF-8 text: byte {error.start}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: Path, *, limit_bytes: int = MAX_DATA_BYTES) -> Any:
    """Return what a JSON file holds.

    Raises:
        EthosmithError: as `read_bytes`, or it is not JSON.
    """
    data = read_bytes(path, limit_bytes=limit_bytes)
    with parsing(path, "JSON file"):
        return json.loads(data)


@contextmanager
def parsing(path: Path | str, kind: str) -> Iterator[None]:
    """Turn whatever a parser raises about a foreign file into one line.

    Args:
        path: of the file, or its name for messages.
        kind: what it should be, as in "not a valid ``kind``".

    Raises:
        EthosmithError: the block raised something; its own `EthosmithError` passes.
    """
    try:
        yield
    except EthosmithError:
        raise
    except OSError as error:
        # A parser's own message has no errno; the system's concerns the file, not its content.
        text = f"cannot be read: {error.strerror}" if error.strerror else _first_line(error)
        raise EthosmithError(f"{path}: {text}") from None
    except Exception as error:  # noqa: BLE001 parsers raise what their authors did not foresee
        raise EthosmithError(f"{path}: not a valid {kind}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    """Return a printable line of an exception's message, or its name."""
    text = next(iter(str(error).strip().splitlines()), "")
    line = "".join(char if char.isprintable() else "\ufffd" for char in text)[:200]
    return line or type(error).__name__


def sha256_of(path: Path) -> str:
    """Return the file's SHA-256 as 64 lower-case hexadecimal digits.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(cast(io.BufferedReader, file), "sha256").hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path``, then rename: no reader ever sees half a file."""
    with writing_beside(path) as beside:
        beside.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, data: Any) -> None:
    """Write ``data`` as indented JSON, keys in their given order."""
    write_text(path, json.dumps(data, indent=2) + "\n")


def update_text(path: Path, text: str) -> None:
    """Write ``text`` as `write_text` does, and leave a file alone that has it already."""
    try:
        if path.is_file() and path.read_bytes() == text.encode("utf-8"):
            return
    except OSError:
        pass
    write_text(path, text)


@contextmanager
def writing_beside(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path in ``path``'s folder and rename it to ``path`` on success.

    On an exception the temporary file is removed and ``path`` is as it was. ``mode`` is the
    permissions of the file, whatever the umask.

    Raises:
        EthosmithError: ``path`` is a device, a FIFO or a folder, or a link to one: it would be
            replaced.
    """
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{UNFINISHED_PREFIX}{path.name}."
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        beside.chmod(mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def refuse_special(path: Path) -> None:
    """Refuse an output's name that leads to something else than a regular file.

    Raises:
        EthosmithError: something else is there.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # a new name; what else is wrong with it, writing will tell
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"
        raise EthosmithError(f"{path}: {kind}; an output must be a regular file or a new name")


def unfinished_below(folder: Path) -> Iterator[Path]:
    """Yield the files and folders below ``folder`` that were never finished.

    It looks at names alone, so that it costs little in a large folder.
    """
    for place, folders, files in os.walk(folder):
        found = [name for name in (*folders, *files) if name.startswith(UNFINISHED_PREFIX)]
        yield from (Path(place, name) for name in found)
        folders[:] = [name for name in folders if not name.startswith(UNFINISHED_PREFIX)]


def user_cache_folder() -> Path:
    """Return the folder of ``ETHOSMITH_CACHE``, or ours in the XDG cache folder or ``~/.cache``."""
    if named := os.environ.get("ETHOSMITH_CACHE"):
        return Path(named).absolute()
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".cache"
    return base / "ethosmith"
