# SPDX-License-Identifier: Apache-2.0
"""repositories/NAME.yaml: one git repository of somebody else's, pinned once to a commit."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from ethosmith.descriptors.base import COMMIT, GIT_URL, TAG, Descriptor, Line

GitUrl = Annotated[str, StringConstraints(pattern=GIT_URL)]
Commit = Annotated[str, StringConstraints(pattern=COMMIT)]
Tag = Annotated[str, StringConstraints(pattern=TAG)]


class Repository(Descriptor):
    """A commit that `scons deps` fetches; `NAME_dir=` puts a folder in its place.

    Attributes:
        licence: SPDX expression.
        git: address of the repository, https:// (or file://).
        commit: all 40 digits; what is fetched has to be it, bit for bit.
        tag: the commit's tag, for people; `scons deps` tells when it has moved.
    """

    licence: Line
    git: GitUrl
    commit: Commit
    tag: Tag | None = None

    @property
    def option(self) -> str:
        """The variable of the command line that names a folder in its place."""
        return option_of(self.name)


def option_of(name: str) -> str:
    """Return ``NAME_dir`` for the repository ``name``."""
    return f"{name.replace('-', '_')}_dir"
