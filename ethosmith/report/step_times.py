# SPDX-License-Identifier: Apache-2.0
"""Remember how long each step took when it last ran here, in a file beside all outputs.

How long a step takes is no function of its inputs, so it stands in no output: only the report
reads it. The SCons process imports this, so it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text


class StepTimes:
    """The times of all builds up to now, by the first output of each step.

    Those of this build are written as they come.

    Args:
        path: the file; need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}

    def note(self, output: str, duration_s: float) -> None:
        """Remember that the step of ``output`` took ``duration_s`` seconds."""
        with self._lock:
            self._noted[output] = round(duration_s, 2)
            # At once: the report, a step of the same build, reads them.
            self._save()

    def all(self) -> dict[str, float]:
        """Return the latest time of each step in seconds, by its first output."""
        with self._lock:
            return {**self._read(), **self._noted}

    def _save(self) -> None:
        """Write them; without this build's, if there is no place for them."""
        with suppress(OSError):
            times = {**self._read(), **self._noted}
            write_text(self._path, json.dumps(times, indent=0, sort_keys=True) + "\n")

    def _read(self) -> dict[str, float]:
        try:
            kept = read_json(self._path)
        except EthosmithError:
            return {}  # none, or of another version: what was measured is only unknown then
        times = kept.items() if isinstance(kept, dict) else ()
        return {name: float(time) for name, time in times if isinstance(time, int | float)}
