# SPDX-License-Identifier: Apache-2.0
"""Call Vela in this process, and put what it says of a refusal in one line."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.bounded_run import bounded_time
from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import NO_MEMORY
from ethosmith.core.terminal import captured_output
from ethosmith.core.vela_config import CONFIG_FILE

_MAX_REASON = 400
# Of computing: on some damaged networks it does not end.
_LIMIT_S = 1800.0


def vela_arguments(
    accelerator_config: str,
    system_config: str,
    memory_mode: str,
    optimise: str,
    arena_cache_size_bytes: int | None,
) -> list[str]:
    """Return what decides how Vela compiles; the figures by layer are always asked for."""
    arguments = [
        *("--config", CONFIG_FILE),
        *("--accelerator-config", accelerator_config),
        *("--system-config", system_config),
        *("--memory-mode", memory_mode),
        *("--optimise", optimise),
        "--verbose-performance",
    ]
    if arena_cache_size_bytes is not None:
        arguments += ["--arena-cache-size", str(arena_cache_size_bytes)]
    return arguments


def call_vela(network: Path, arguments: Sequence[str]) -> str:
    """Compile ``network``, put Vela's files beside it, and return what it printed.

    Raises:
        EthosmithError: Vela refuses the network or an argument.
    """
    from ethosu.vela import vela  # noqa: PLC0415 slow

    failure = None
    with bounded_time(_LIMIT_S), captured_output() as said:
        try:
            code = vela.main([str(network), "--output-dir", str(network.parent), *arguments])
        except SystemExit as stop:
            code = stop.code
        except MemoryError:
            failure = NO_MEMORY
            code = 1
        except Exception as error:  # noqa: BLE001 Vela raises many kinds; all mean "refused"
            failure = f"{error}"
            code = 1
        text = str(said())
    if code:
        raise EthosmithError(f"Vela refuses {network.name}: {_reason(failure, text)}")
    return text


def vela_crashed(network: Path, signal_name: str) -> str:
    """Say what is wrong with ``network`` when Vela ended by a signal."""
    ended = signal_name == signal.SIGPROF.name
    what = f"does not end within {_LIMIT_S:g} s of computing" if ended else "crashes"
    return f"{network}: Vela {what} on it; is the file damaged?"


def _reason(failure: str | None, text: str) -> str:
    lines = [line.strip() for line in (failure or text).splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line]
    return (errors or lines or ["no reason given"])[-1][:_MAX_REASON]
