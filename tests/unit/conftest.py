# SPDX-License-Identifier: Apache-2.0
"""A unit test starts no process: what needs one belongs into tests/component or tests/build."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

_STARTS_A_PROCESS = frozenset(
    {"os.exec", "os.fork", "os.posix_spawn", "os.system", "subprocess.Popen"}
)


class _Guard:
    """Refuses processes while a unit test runs; an audit hook cannot be removed."""

    is_on = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.is_on and event in _STARTS_A_PROCESS:
            self.is_on = False  # What reports the failure may start one.
            pytest.fail(f"a unit test starts a process: {event} {arguments[:2]}")


_GUARD = _Guard()
sys.addaudithook(_GUARD)


@pytest.fixture(autouse=True)
def _no_process() -> Iterator[None]:
    _GUARD.is_on = True
    yield
    _GUARD.is_on = False
