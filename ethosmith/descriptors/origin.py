# SPDX-License-Identifier: Apache-2.0
"""Where files come from: packages and git repositories, each pinned once, and single files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from ethosmith.descriptors.base import EMPTY, Descriptor, Strict
from ethosmith.descriptors.words import (
    COMMIT,
    GIT_URL,
    TAG,
    URL,
    Limits,
    Line,
    Name,
    RelativePath,
    Sha256,
)

ArtefactName = Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
Commit = Annotated[str, Limits(pattern=COMMIT)]
GitUrl = Annotated[str, Limits(pattern=GIT_URL)]
Tag = Annotated[str, Limits(pattern=TAG)]
Url = Annotated[str, Limits(pattern=URL)]
# `a.zip!b/c`: the member `b/c` of the archive that is the member `a.zip`.
Member = RelativePath


class Origin(Strict):
    """One file's source; exactly one of ``package``, ``url`` and ``path`` is given.

    Attributes:
        package: name of a descriptor in packages/; with ``member``.
        url: https address; with ``sha256`` and, for an archive, ``member``.
        path: file below the descriptor's folder.
        member: path inside the archive; ``!`` steps into a nested archive.
        sha256: of the downloaded file.
    """

    package: Name | None = None
    url: Url | None = None
    path: RelativePath | None = None
    member: Member | None = None
    sha256: Sha256 | None = None

    def __post_init__(self) -> None:
        kinds = [k for k in ("package", "url", "path") if getattr(self, k) is not None]
        if len(kinds) != 1:
            raise ValueError(f"give exactly one of package, url and path, not {len(kinds)}")
        if self.package and not self.member:
            raise ValueError("a package needs a member: the file's path inside the package")
        if self.package and self.sha256:
            raise ValueError("the sha256 of a package belongs in packages/, not here")
        if self.url and not self.sha256:
            raise ValueError("a url needs its sha256; without it anybody could change the file")
        if self.path and (self.member or self.sha256):
            raise ValueError("a path takes neither member nor sha256")

    @property
    def file_name(self) -> str:
        """The last part of the file's name, which tells its kind."""
        place = self.member or self.path or self.url or ""
        return place.replace("!", "/").rsplit("/", 1)[-1]


class Package(Descriptor):
    """A wheel or sdist that is read and never installed.

    Attributes:
        licence: SPDX expression.
        version: exact version in the registry.
        artefact: file name in the registry.
        sha256: of the artefact.
        root: folder inside the artefact that members are relative to.
    """

    licence: Line
    version: ArtefactName
    artefact: ArtefactName
    sha256: Sha256
    root: RelativePath | None = None

    def source(self, member: str | None) -> dict[str, str]:
        """Return the source of ``member`` (relative to ``root``) as `ethosmith.obtain` takes it."""
        source = {
            "package": self.name,
            "version": self.version,
            "artefact": self.artefact,
            "sha256": self.sha256,
        }
        if member is not None:
            source["member"] = f"{self.root}/{member}" if self.root else member
        return source


class Patch(Strict):
    """A patch in a repository, as `git diff` writes them.

    Attributes:
        repository: name of a descriptor in repositories/; its commit proves the patch.
        file: its path there.
        sha256: of the file, if it has to be one in particular.
    """

    repository: Name
    file: RelativePath
    sha256: Sha256 | None = None


class Repository(Descriptor):
    """A commit that `scons deps` fetches; `NAME_dir=` puts a folder in its place.

    Attributes:
        licence: SPDX expression.
        git: address of the repository, https:// (or file://).
        commit: all 40 digits; what is fetched has to be it, bit for bit.
        tag: the commit's tag, for people; `scons deps` tells when it has moved.
        contract: what the firmware and libraries/ count on: texts that stand in its files, by the
            file's path, after ``patches``; other white space is the same text.
        patches: applied to a copy of its files, one after another. A folder of ``NAME_dir=`` is
            taken as it is.
    """

    licence: Line
    git: GitUrl
    commit: Commit
    tag: Tag | None = None
    contract: Mapping[RelativePath, tuple[Line, ...]] = EMPTY
    patches: tuple[Patch, ...] = ()

    @property
    def fetched_contract(self) -> Mapping[RelativePath, tuple[Line, ...]]:
        """What can be checked before a build: nothing, where patches come first."""
        return EMPTY if self.patches else self.contract

    @property
    def option(self) -> str:
        """The variable of the command line that names a folder in its place."""
        return option_of(self.name)


def option_of(name: str) -> str:
    """Return ``NAME_dir`` for the repository ``name``."""
    return f"{name.replace('-', '_')}_dir"


def masked_url(url: str) -> str:
    """Return ``url`` without user name, password, query and fragment: they may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(an address that cannot be read)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


_ADDRESS = re.compile(r"\b(?:https?|ssh|git|ftp)://[^\s\"'<>]+", re.IGNORECASE)


def masked_text(text: str) -> str:
    """Return ``text`` with each address in it as `masked_url` has it."""
    return _ADDRESS.sub(lambda found: masked_url(found[0]), text)
