# SPDX-License-Identifier: Apache-2.0
"""SCons's memory of a build, in build/.sconsign*; a fault there is told in one line.

Without it the next build would make everything again, which is safe.
"""

import sys
from types import SimpleNamespace
from typing import Any

from SCons import dblite

from ethosmith.core.program import fail
from ethosmith.graph.layout import BUILD
from ethosmith.graph.session import EXIT_USER_ERROR


class _Signatures(dblite._Dblite):  # type: ignore[misc]
    """SCons's own database; writing it never ends in a traceback."""

    def sync(self) -> None:
        """Write the database, or end the build."""
        try:
            super().sync()
        except OSError as error:
            # It is tried again when the object goes, which would fail again.
            self._needs_sync = False
            _end(self._file_name, error)


def _open(name: str, flag: str = "r", mode: int = 0o666) -> _Signatures:
    try:
        return _Signatures(name, flag, mode)
    except OSError as error:
        _end(name, error)
        raise


def _end(name: str, error: OSError) -> None:
    fail(f"{name}: {error.strerror or error}; what was just built will be built again")
    sys.exit(EXIT_USER_ERROR)


def use_signatures(env: Any) -> None:
    """Keep the signatures in build/; content alone decides, and SHA-256 names it."""
    # Not "content-timestamp": SCons may then take a file's old content for its new one.
    env.Decider("content")
    # Signatures are names in a cache that others share: MD5 would let two inputs have the same.
    env.SetOption("hash_format", "sha256")
    env.SConsignFile(f"{BUILD}/.sconsign", SimpleNamespace(open=_open))


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing but SCons."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `UseSignatures`."""
    env.AddMethod(use_signatures, "UseSignatures")
