# SPDX-License-Identifier: Apache-2.0
"""Run a step from the command line: errors as one line, never as a traceback."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec

from ethosmith.core.errors import EthosmithError

EXIT_OK = 0
EXIT_ERROR = 1
NO_MEMORY = "more memory was wanted than half of this machine's"


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
    except MemoryError:
        return fail(f"{NO_MEMORY}; is what it was given damaged, or far too large?")
    except KeyboardInterrupt:
        return fail("interrupted")
    return EXIT_OK


def tell_all(problems: Sequence[str]) -> None:
    """Tell of all problems, the last one as the error that ends the step; nothing without any.

    Raises:
        EthosmithError: there is a problem.
    """
    for problem in problems[:-1]:
        fail(problem)
    if problems:
        raise EthosmithError(problems[-1])


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


# It exists for Linux on x86-64 alone; where it is missing, other interpreters are asked.
_OPTIONAL = {"tflite-micro": "tflite_micro"}


def without_missing(packages: Iterable[str]) -> tuple[str, ...]:
    """Return ``packages`` without those that do not exist for every machine, if not installed."""
    return tuple(
        name for name in packages if name not in _OPTIONAL or find_spec(_OPTIONAL[name]) is not None
    )
