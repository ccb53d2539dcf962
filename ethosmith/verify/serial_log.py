# SPDX-License-Identifier: Apache-2.0
"""The runs in what came over a serial line: whole ones, without the noise around them.

A capture may hold other lines, CR LF, time stamps in brackets, and several runs, of which the first
may lack its beginning. Whatever else is wrong is an error: nothing is taken for a run that was
damaged, cut, or ended badly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError, printable
from ethosmith.core.files import read_bytes
from ethosmith.verify.uart_log import is_known_line

MAX_LOG_BYTES = 1 << 26
BEGIN, _END, _FAIL = "ethosmith: ", "ran: ", "fail: "
# What a line of the firmware may begin with.
_FIRST_WORDS = ("sample ", "tensor ", "window ", "top ", "identity: ", "stack: ", "arena: ", _END)
_STAMP = re.compile(r"^\[[^\]]{1,40}\] ")
_EOT = "\x04"
_MAX_SHOWN = 60
_MAX_GARBAGE = 0.3


@dataclass(frozen=True)
class SerialRun:
    """One run of the device program.

    Attributes:
        text: its lines, ended by LF.
        first_line: the number of its first line in the log, from 1.
    """

    text: str
    first_line: int


def read_runs(path: Path) -> list[SerialRun]:
    """Return the runs of a captured log; errors as of `runs_in`, and if it cannot be read."""
    return runs_in(read_bytes(path, limit_bytes=MAX_LOG_BYTES), str(path))


def runs_in(data: bytes, source: str) -> list[SerialRun]:
    """Return the runs in ``data``, in order.

    Args:
        data: as it came over the line.
        source: for messages: the log's name, or the port's.

    Raises:
        EthosmithError: there is no run, or one is cut, damaged or failed; with its line.
    """
    lines = [_plain(line) for line in re.split("\r*\n|\r", data.decode("utf-8", "replace"))]
    begins = [number for number, line in enumerate(lines) if line.startswith(BEGIN)]
    if not begins:
        raise EthosmithError(f"{source}: {_nothing(data, lines)}")
    ends = [*begins[1:], len(lines)]
    return [_run(lines, *ends_of, source) for ends_of in zip(begins, ends, strict=True)]


def _plain(line: str) -> str:
    return _STAMP.sub("", line.strip("\0"), count=1)


def _nothing(data: bytes, lines: list[str]) -> str:
    """Say why there is no run."""
    if not data:
        return "is empty"
    garbage = sum(
        not character.isprintable() or character == "\ufffd" for character in "".join(lines)
    )
    if garbage > _MAX_GARBAGE * len(data):
        return f"{len(data)} bytes, most of them no text; was the port at the board's baud rate?"
    if any(line.startswith(_FIRST_WORDS) for line in lines):
        return f"has no line '{BEGIN}…': the beginning of the run is missing; reset the board"
    return (
        f"has no line '{BEGIN}…' among {len(lines)}: is it another port's, or of another program?"
    )


def _run(lines: list[str], begin: int, end: int, source: str) -> SerialRun:
    own: list[str] = []
    for number in range(begin, end):
        line, eot, code = lines[number].partition(_EOT)
        if line.startswith(_FAIL):
            reason = printable(line[len(_FAIL) :])
            raise EthosmithError(f"{source}:{number + 1}: the program failed: {reason}")
        own.append(line)
        if eot and code[:1] not in {"", "\0"}:
            shown = ord(code[0])
            raise EthosmithError(f"{source}:{number + 1}: the program ended with exit code {shown}")
    if not any(line.startswith(_END) for line in own):
        what = "another one begins" if end < len(lines) else "the log ends"
        raise EthosmithError(
            f"{source}:{begin + 1}: the run that begins here is cut: {what} at line {end} before"
            f" '{_END}…'"
        )
    _check_lines(own, source, begin)
    return SerialRun("".join(f"{line}\n" for line in own), begin + 1)


def _check_lines(lines: list[str], source: str, begin: int) -> None:
    for number, line in enumerate(lines, begin + 1):
        if line.startswith(_FIRST_WORDS) and not is_known_line(line):
            shown = printable(line[:_MAX_SHOWN])
            raise EthosmithError(f"{source}:{number}: damaged line: {shown}")
