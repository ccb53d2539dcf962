# SPDX-License-Identifier: Apache-2.0
"""packages/NAME.yaml: one third-party artefact of the package registry, pinned once."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from ethosmith.descriptors.base import Descriptor, Line, RelativePath, Sha256

ArtefactName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]


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
