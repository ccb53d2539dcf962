# SPDX-License-Identifier: Apache-2.0
"""Remember what was declared, across all clones of a construction environment."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any


class Declared:
    """Nodes by key. SCons copies dicts when it clones an environment; this it shares."""

    def __init__(self) -> None:
        self._nodes: dict[Hashable, Any] = {}

    def once(self, key: Hashable, declare: Callable[[], Any]) -> Any:
        """Return what ``declare`` returned when it was first called for ``key``."""
        if key not in self._nodes:
            self._nodes[key] = declare()
        return self._nodes[key]
