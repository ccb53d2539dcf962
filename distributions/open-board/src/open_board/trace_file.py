# SPDX-License-Identifier: Apache-2.0
"""Write what the NPU executes to files: commands with their operands, and OFMs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ethosu_model.events import EventTotals


class TraceFiles:
    """A listener of the NPU model that writes as it is told."""

    def __init__(self, commands: TextIO | None, ofm_folder: Path | None) -> None:
        """Write commands to ``commands`` and OFMs to files in ``ofm_folder``.

        An OFM's file is called after job, offset, command and shape, for example
        ``001_000000a8_NPU_OP_CONV_32x32x16.bin``, and holds its elements in NHWC order.
        """
        self._commands = commands
        self._ofm_folder = ofm_folder
        self._job = 0

    def begin_job(self) -> None:
        """See that a command stream starts."""
        self._job += 1
        self._write(f"# job {self._job}\n")

    def command(self, offset: int, name: str, operands: str) -> None:
        """See one command; see Trace."""
        self._write(f"{offset:08x} {name} {operands}".rstrip() + "\n")

    def ofm(self, offset: int, name: str, shape: tuple[int, int, int], data: bytes) -> None:
        """See one OFM; see Trace."""
        if self._ofm_folder is not None:
            self._ofm_folder.mkdir(parents=True, exist_ok=True)
            size = "x".join(map(str, shape))
            file = self._ofm_folder / f"{self._job:03d}_{offset:08x}_{name}_{size}.bin"
            file.write_bytes(data)

    def cost(self, offset: int, name: str, added: EventTotals) -> None:
        """See what a command adds to its job; see Trace. It is not written."""

    def _write(self, line: str) -> None:
        if self._commands is not None:
            self._commands.write(line)
