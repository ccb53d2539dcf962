# SPDX-License-Identifier: Apache-2.0
"""How a reader may end: it takes the file, or refuses it in one line that a terminal shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosu_model.errors import ModelError

TAKEN, REFUSED = "taken", "refused"


def ending_of(look: Callable[[Path], object], path: Path) -> str:
    """Return how ``look`` ended.

    Raises:
        AssertionError: a refusal that is no single line, names no file, or could not be shown.
        Exception: whatever the reader lets through.
    """
    try:
        look(path)
    except (EthosmithError, ModelError) as error:
        message = str(error)
        assert len(message.splitlines()) == 1, repr(message)
        assert message.isprintable(), repr(message)
        # A stem: where several files belong together.
        assert path.name.partition("_")[0] in message, message
        return REFUSED
    return TAKEN
