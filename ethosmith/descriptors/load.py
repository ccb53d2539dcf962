# SPDX-License-Identifier: Apache-2.0
"""Turn a YAML file into a checked descriptor; errors name file, line and column.

What was validated once is kept, by the content of its file: see `Parsed`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, write_text
from ethosmith.descriptors.base import CLASSES, MAX_DESCRIPTOR_BYTES, Location, Problem, Strict

if TYPE_CHECKING:
    from ethosmith.descriptors.yaml_source import LocatedYaml

DescriptorT = TypeVar("DescriptorT", bound=Strict)

MAX_PARSED_BYTES = 16 << 20
# Beyond this, what the present call did not ask for is forgotten.
MAX_PARSED = 4000


class Parsed:
    """What was validated before, by the SHA-256 of its kind and text; kept in a JSON file.

    A file that is damaged, or was written by other code of this package, counts as empty. Reading
    it makes instances of descriptors' classes and runs nothing.

    Args:
        file: where it is kept; none: nowhere.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: Mapping[str, Any] | None = None
        self._used: dict[str, Any] = {}
        self._is_new = False

    def get(self, key: str) -> Any:
        """Return the descriptor, or None."""
        if self._file is None:
            return None
        if self._known is None:
            self._known = self._read(self._file)
        packed = self._known.get(key)
        if packed is None:
            return None
        try:
            found = _unpacked(packed)
        except (LookupError, TypeError, ValueError):
            return None
        self._used[key] = packed
        return found

    def put(self, key: str, descriptor: Strict) -> None:
        """Remember a descriptor."""
        if self._file is not None:
            self._used[key] = _packed(descriptor)
            self._is_new = True

    def save(self) -> None:
        """Write the file, if there is something new and a folder for it."""
        if not self._is_new or self._file is None or not self._file.parent.is_dir():
            return
        kept = {**(self._known or {}), **self._used}
        body = json.dumps(kept if len(kept) <= MAX_PARSED else self._used)
        try:
            write_text(self._file, f"{_seal(body)}\n{body}")
        except OSError:
            return  # Whatever cannot be kept is parsed again.

    @staticmethod
    def _read(file: Path) -> Mapping[str, Any]:
        try:
            text = read_bytes(file, limit_bytes=MAX_PARSED_BYTES).decode("utf-8")
            seal, _, body = text.partition("\n")
            known = json.loads(body) if seal == _seal(body) else {}
        except (EthosmithError, ValueError, RecursionError):
            return {}
        return known if isinstance(known, dict) else {}


def _seal(body: str) -> str:
    return hashlib.sha256(f"{_code_sha256()}{body}".encode()).hexdigest()


@cache
def _code_sha256() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(hashlib.sha256(read_bytes(path)).digest())
    return digest.hexdigest()


def _packed(value: Any) -> Any:
    """Return ``value`` as JSON: mappings and classes as an object with one key."""
    if isinstance(value, Strict):
        fields = {name: _packed(inner) for name, inner in value.__dict__.items()}
        return {f"@{type(value).__name__}": fields}
    if isinstance(value, Mapping):
        return {"@": {name: _packed(inner) for name, inner in value.items()}}
    return [_packed(inner) for inner in value] if isinstance(value, tuple) else value


def _unpacked(packed: Any) -> Any:
    if isinstance(packed, list):
        return tuple([_unpacked(inner) for inner in packed])
    if not isinstance(packed, dict):
        return packed
    ((tag, values),) = packed.items()
    found = {name: _unpacked(inner) for name, inner in values.items()}
    if tag == "@":
        return found
    model = CLASSES[tag.removeprefix("@")]
    if tuple(found) != model.key_names():
        raise ValueError(f"{tag} has other keys")
    return model.restored(found)


NOTHING_PARSED = Parsed()


def validate(model: type[DescriptorT], source: LocatedYaml) -> DescriptorT:
    """Return ``source`` as ``model``.

    Raises:
        EthosmithError: with the place of the first wrong key or value.
    """
    from pydantic import ValidationError  # noqa: PLC0415 only to validate

    from ethosmith.descriptors.schema import adapter  # noqa: PLC0415
    from ethosmith.descriptors.schema_errors import first_error  # noqa: PLC0415

    if not isinstance(source.data, dict):
        raise source.error((), "expected keys and values at the top of the file")
    try:
        # JSON's strict mode takes lists for tuples and nothing else for anything else.
        found: DescriptorT = adapter(model).validate_json(json.dumps(source.data), strict=True)
    except ValidationError as error:
        raise first_error(model, source, error.errors(include_url=False)) from None
    return found


def load(
    model: type[DescriptorT],
    path: Path,
    problems: Callable[[DescriptorT], Iterable[Problem]] = lambda _: (),
    parsed: Parsed = NOTHING_PARSED,
) -> DescriptorT:
    """Read and validate one descriptor.

    Args:
        model: its schema.
        path: its file.
        problems: finds what the schema cannot: values that contradict each other or the
            files around them.
        parsed: what was validated before.

    Raises:
        EthosmithError: it cannot be read, or the first wrong key or value.
    """
    text = read_bytes(path, limit_bytes=MAX_DESCRIPTOR_BYTES)
    key = hashlib.sha256(model.__name__.encode() + b"\n" + text).hexdigest()
    descriptor: DescriptorT | None = parsed.get(key)
    if descriptor is None:
        from ethosmith.descriptors.yaml_source import parse_yaml  # noqa: PLC0415 slow to import

        descriptor = validate(model, parse_yaml(path, text))
        parsed.put(key, descriptor)
    for problem in problems(descriptor):
        raise error_at(path, problem.location, problem.message)
    return descriptor


def error_at(path: Path, location: Location, message: str) -> EthosmithError:
    """Return an error at the value ``location`` of a YAML file."""
    from ethosmith.descriptors.yaml_source import read_yaml  # noqa: PLC0415 slow to import

    return read_yaml(path).error(location, message)
