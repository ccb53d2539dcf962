# SPDX-License-Identifier: Apache-2.0
"""Where a file of a use case comes from: a pinned package, a URL, or beside the descriptor."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from ethosmith.descriptors.base import URL, Name, RelativePath, Sha256, Strict

Url = Annotated[str, StringConstraints(pattern=URL)]
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

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [k for k in ("package", "url", "path") if getattr(self, k) is not None]
        if len(kinds) != 1:
            raise ValueError(f"give exactly one of package, url and path, not {len(kinds)}")
        if self.package and not self.member:
            raise ValueError("a package needs a member: the file's path inside the package")
        if self.package and self.sha256:
            raise ValueError("the sha256 of a package stands in packages/, not here")
        if self.url and not self.sha256:
            raise ValueError("a url needs its sha256; without it anybody could change the file")
        if self.path and (self.member or self.sha256):
            raise ValueError("a path takes neither member nor sha256")
        return self

    @property
    def file_name(self) -> str:
        """The last part of the file's name, which tells its kind."""
        place = self.member or self.path or self.url or ""
        return place.replace("!", "/").rsplit("/", 1)[-1]
