# SPDX-License-Identifier: Apache-2.0
"""Talk to QEMU's machine protocol: its version, and the state of a CPU that keeps running."""

from __future__ import annotations

import json
import re
from typing import Any

from open_board.channel import Channel
from open_board.deadline import Deadline
from open_board.job import Outcome, RunError

_REGISTER = re.compile(r"\b(R\d\d|XPSR)=([0-9a-fA-F]{8})")


class QmpClient:
    """The client's side of QMP.

    Attributes:
        version: QEMU's version: major, minor, micro.
    """

    def __init__(self, channel: Channel, deadline: Deadline) -> None:
        """Read the greeting; answers are due as ``deadline`` says.

        Negotiation is left for the first command: from then on QEMU sends two events at every
        stop of the CPU, which nobody asks for.
        """
        self._channel = channel
        self._deadline = deadline
        self._pending = bytearray()
        greeting = self._message()
        try:
            version = greeting["QMP"]["version"]["qemu"]
            self.version = (version["major"], version["minor"], version["micro"])
        except (KeyError, TypeError) as cause:
            raise _unexpected(greeting) from cause
        self._ready = False

    def cpu_state(self) -> dict[str, int]:
        """Return ``R00`` to ``R15`` and ``XPSR`` without stopping the CPU.

        The CPU's own thread may be ahead of its PC by a few instructions.
        """
        text = self._execute("human-monitor-command", {"command-line": "info registers"})
        return {name: int(value, 16) for name, value in _REGISTER.findall(str(text))}

    def reset(self) -> None:
        """Reset the halted machine, although a reset by the program ends QEMU."""
        self._execute("set-action", {"reboot": "reset"})
        self._execute("system_reset")
        self._execute("set-action", {"reboot": "shutdown"})

    def _execute(self, command: str, arguments: dict[str, Any] | None = None) -> Any:
        if not self._ready:
            self._ready = True
            self._execute("qmp_capabilities")
        request = {"execute": command, "arguments": arguments or {}}
        self._channel.send(json.dumps(request).encode() + b"\n")
        while True:
            message = self._message()
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise _unexpected(message)

    def _message(self) -> dict[str, Any]:
        while (end := self._pending.find(b"\n")) < 0:
            self._pending += self._channel.receive(self._deadline.answer_timeout_s)
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        try:
            message = json.loads(line)
        except ValueError as cause:
            raise _unexpected(line) from cause
        if not isinstance(message, dict):
            raise _unexpected(message)
        return message


def _unexpected(message: object) -> RunError:
    return RunError(Outcome.SIMULATOR_FAILED, f"QEMU sent an unexpected {str(message)[:80]!r}")
