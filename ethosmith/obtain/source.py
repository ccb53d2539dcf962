# SPDX-License-Identifier: Apache-2.0
"""Describe where a file comes from: a registry package, a URL or a local path."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version
from pydantic import Discriminator, Tag, TypeAdapter, ValidationError

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.base import Strict
from ethosmith.descriptors.words import Checked

MEMBER_SEPARATOR = "!"
_LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}


def check_member(member: str) -> str:
    """Return ``member`` if each of its ``!``-separated parts is a plain relative path.

    Raises:
        ValueError: a part is empty, absolute, has a backslash or leaves its archive.
    """
    for part in member.split(MEMBER_SEPARATOR):
        if not is_plain_relative(part):
            raise ValueError(f"'{part}' is not a relative path inside an archive")
    return member


def is_plain_relative(name: str) -> bool:
    """Tell whether ``name`` stays below the folder it is written to, on any system."""
    parts = name.split("/")
    return (
        all(part not in {"", ".", ".."} for part in parts)
        and not re.match(r"[A-Za-z]:", name)
        and not any(char == "\\" or ord(char) < 0x20 for char in name)
    )


def _check_sha256(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise ValueError("a SHA-256 has 64 hexadecimal digits")
    return value.lower()


Sha256 = Annotated[str, Checked(_check_sha256)]
Member = Annotated[str, Checked(check_member)]


def _check_package(package: str) -> str:
    try:
        canonicalize_name(package, validate=True)
    except InvalidName:
        raise ValueError(f"'{package}' is not a package name") from None
    return package


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    local_http = parts.scheme == "http" and parts.hostname in _LOOPBACK_HOSTS
    if not local_http and parts.scheme not in {"https", "file"}:
        raise ValueError(f"'{url}' must begin with https:// (or file://)")
    if parts.scheme != "file" and not parts.hostname:
        raise ValueError(f"'{url}' names no host")
    return url


def _check_path(path: str) -> str:
    if not path or "\0" in path:
        raise ValueError("the path is empty")
    return path


class PackageSource(Strict):
    """One file of a PyPI project at an exact version; it is read, never installed."""

    package: Annotated[str, Checked(_check_package)]
    version: str
    artefact: str
    sha256: Sha256
    member: Member | None = None

    @property
    def file_name(self) -> str:
        """Name of the file that is fetched, for messages."""
        return self.artefact

    @property
    def project(self) -> NormalizedName:
        """The project's name as an index spells it (PEP 503)."""
        return canonicalize_name(self.package)

    def __post_init__(self) -> None:
        name, version = _parse_artefact(self.artefact)
        if name != self.project:
            raise ValueError(f"the artefact belongs to '{name}', not to '{self.package}'")
        if version != _parse_version(self.version):
            raise ValueError(f"the artefact has version {version}, not {self.version}")


class UrlSource(Strict):
    """A file at a URL: https, a file URL, or http on this machine."""

    url: Annotated[str, Checked(_check_url)]
    sha256: Sha256
    member: Member | None = None

    @property
    def file_name(self) -> str:
        """Name of the file that is fetched, for messages."""
        return unquote(urlsplit(self.url).path).rsplit("/", 1)[-1] or self.url


class PathSource(Strict):
    """A local file, relative to the descriptor's folder."""

    path: Annotated[str, Checked(_check_path)]
    sha256: Sha256 | None = None
    member: Member | None = None

    @property
    def file_name(self) -> str:
        """Name of the file, for messages."""
        return PurePosixPath(self.path).name


def _parse_artefact(name: str) -> tuple[str, Version]:
    try:
        if name.endswith(".whl"):
            return parse_wheel_filename(name)[:2]
        return parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        raise ValueError(
            f"'{name}' is not a file of a package (NAME-VERSION-TAGS.whl or NAME-VERSION.tar.gz)"
        ) from None


def _parse_version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise ValueError(f"'{text}' is not a version") from None


_KINDS = {"package": PackageSource, "url": UrlSource, "path": PathSource}


def _kind(value: Any) -> str | None:
    """Return the name of the model whose own key is present."""
    if isinstance(value, Strict):
        return type(value).__name__
    if not isinstance(value, dict):
        return None
    present = [kind.__name__ for key, kind in _KINDS.items() if key in value]
    return present[0] if len(present) == 1 else None


AnySource = PackageSource | UrlSource | PathSource
# The tags are the models' names: read_yaml's errors find the model of a wrong key by them.
Source = Annotated[
    Annotated[PackageSource, Tag("PackageSource")]
    | Annotated[UrlSource, Tag("UrlSource")]
    | Annotated[PathSource, Tag("PathSource")],
    Discriminator(
        _kind,
        custom_error_type="source_kind",
        custom_error_message="A source has exactly one of the keys package, url and path",
    ),
]

_ADAPTER: TypeAdapter[AnySource] = TypeAdapter(Source)


def parse_source(text: str) -> AnySource:
    """Return the source that the JSON ``text`` describes.

    Raises:
        EthosmithError: naming the first wrong key.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in detail["loc"] if part not in _tags())
        message = detail["msg"].removeprefix("Value error, ")
        raise EthosmithError(f"source{': ' + where if where else ''}: {message}") from None


def _tags() -> set[str]:
    return {kind.__name__ for kind in _KINDS.values()}
