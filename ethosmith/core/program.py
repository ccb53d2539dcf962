# SPDX-License-Identifier: Apache-2.0
"""Run a step from the command line: errors as one line, never as a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

from ethosmith.core.errors import EthosmithError

EXIT_OK = 0
EXIT_ERROR = 1
_CHILD = "ETHOSMITH_STEP_IN_CHILD"


def run_step(step: Callable[[Sequence[str]], None]) -> int:
    """Call ``step`` with the process's arguments and return its exit code.

    An `EthosmithError` is printed to standard error after ``error: ``; a missing
    file, a full disk and the like are told the same way.
    """
    try:
        step(sys.argv[1:])
    except EthosmithError as error:
        return fail(str(error))
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return fail(f"{name}{error.strerror or error}")
    except KeyboardInterrupt:
        return fail("interrupted")
    return EXIT_OK


def run_step_in_child(
    module: str,
    step: Callable[[Sequence[str]], None],
    crashed: Callable[[Sequence[str], str], str],
) -> int:
    """Call ``step`` in a process of its own, for a library may end its process.

    Args:
        module: what this process was started with, as ``python -m module``.
        step: as for `run_step`.
        crashed: given the arguments and the signal's name, says what the user can do about it.
    """
    if os.environ.get(_CHILD) == module:
        return run_step(step)
    command = [sys.executable, "-m", module, *sys.argv[1:]]
    try:
        code = subprocess.call(command, env={**os.environ, _CHILD: module})
    except KeyboardInterrupt:
        return fail("interrupted")
    if code < 0:
        name = signal_name(-code)
        return fail(f"{crashed(sys.argv[1:], name)} ({name})")
    return code


def signal_name(number: int) -> str:
    """Return ``SIGABRT`` and the like; a signal without a name by its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def fail(message: str) -> int:
    """Print ``error: message`` and return the exit code of a failed step."""
    sys.stderr.write(f"error: {message}\n")
    return EXIT_ERROR
