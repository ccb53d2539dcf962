# SPDX-License-Identifier: Apache-2.0
"""What SCons knows of the outputs of past builds, in a file that executes nothing.

SCons pickles it, and reading a pickle runs whatever its writer put in. A build folder may come
from anywhere: an archive, a colleague, a CI job. So here the same is JSON: each folder's entries,
with the few classes that SCons stores under names from a fixed table. What does not have this
form counts as damage, and damage as nothing known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import parsing, read_bytes, write_bytes

# No name of a file has a slash.
_CLASS, _BYTES = "/class", "/bytes"
_VERSION = "_version_id"
_MAX_FILE_BYTES = 1 << 30
_SCALARS = (str, int, float, bytes, type(None))


class SignatureCodec:
    """Writes and reads one folder's entries; takes the place of ``pickle`` in SCons.

    Args:
        classes: what SCons stores, by the names in the file. `entry`, `ninfo` and `binfo` of it
            are told by these names: they end with ``Entry``, ``NodeInfo`` and ``BuildInfo``.
    """

    def __init__(self, classes: Mapping[str, type]) -> None:
        self._classes = classes
        self._names = {one: name for name, one in classes.items()}

    def dumps(self, entries: Any, protocol: int = 0) -> bytes:
        """Return ``entries`` as JSON; the arguments are those of ``pickle.dumps``."""
        del protocol
        return json.dumps(entries, default=self._plain, separators=(",", ":")).encode("ascii")

    def loads(self, data: bytes) -> dict[str, Any]:
        """Return what `dumps` was given.

        Raises:
            EthosmithError: it is of another form.
        """
        with parsing("build/.sconsign.json", "list of signatures"):
            found = json.loads(data, object_hook=self._object)
            for entry in found.values():
                self._check_entry(entry)
        known: dict[str, Any] = found
        return known

    def _plain(self, value: Any) -> dict[str, Any]:
        if isinstance(value, bytes):
            return {_BYTES: value.decode("latin-1")}
        return {_CLASS: self._names[type(value)], **value.__getstate__()}

    def _object(self, state: dict[str, Any]) -> Any:
        if _BYTES in state:
            return state[_BYTES].encode("latin-1")
        if _CLASS not in state:
            return state
        found = self._classes[state.pop(_CLASS)]()
        state.setdefault(_VERSION, 0)
        found.__setstate__(state)
        return found

    def _check_entry(self, entry: Any) -> None:
        """Raise ValueError unless the entry is what SCons believes it to be."""
        self._check_kind(entry, "Entry")
        self._check_kind(entry.ninfo, "NodeInfo")
        self._check_kind(entry.binfo, "BuildInfo")
        for name, value in _fields(entry.binfo):
            if name.endswith("sigs"):
                for one in value:
                    self._check_kind(one, "NodeInfo")
                    _check_scalars(one)
            elif isinstance(value, list):
                _check_strings(value)
            elif not isinstance(value, _SCALARS):
                raise ValueError(f"{name} is no text")
        _check_scalars(entry.ninfo)

    def _check_kind(self, value: Any, kind: str) -> None:
        if not self._names.get(type(value), "").endswith(kind):
            raise ValueError(f"no {kind}")


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    state = value.__getstate__()
    return ((name, field) for name, field in state.items() if name != _VERSION)


def _check_scalars(value: Any) -> None:
    for name, field in _fields(value):
        if not isinstance(field, _SCALARS):
            raise ValueError(f"{name} is no text")


def _check_strings(values: list[Any]) -> None:
    if not all(isinstance(value, str) for value in values):
        raise ValueError("a name is no text")


class SignatureFile:
    """The entries of all folders; SCons uses it as its database.

    Args:
        path: of the file. One that is missing or damaged counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folders = _read(path)
        self._is_changed = False

    def __getitem__(self, folder: str) -> bytes:
        return self._folders[folder].encode("ascii")

    def __setitem__(self, folder: str, entries: bytes) -> None:
        self._folders[folder] = entries.decode("ascii")
        self._is_changed = True

    def sync(self) -> None:
        """Write the file.

        Raises:
            OSError: it cannot be written; it is as it was.
        """
        if self._is_changed:
            # Tried once: at the end of a build, a second try would fail like the first.
            self._is_changed = False
            write_bytes(self._path, json.dumps(self._folders).encode("ascii"))

    def close(self) -> None:
        """Write the file, as `sync` does."""
        self.sync()


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        found = json.loads(read_bytes(path, limit_bytes=_MAX_FILE_BYTES))
    except (EthosmithError, ValueError, RecursionError):
        return {}
    is_known = isinstance(found, dict) and all(
        isinstance(text, str) and text.isascii() for text in found.values()
    )
    return found if is_known else {}
