# SPDX-License-Identifier: Apache-2.0
"""Find the commands in a document, and what it shows of their output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.support.project_copy import ROOT

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_PROGRAM = re.compile(
    r"(?:\./scons|scons|(?:\.venv/bin/)?python|pytest|pip|gdb-multiarch) |tools/\w+"
)
# A word in capital letters, brackets or dots stand for something that the reader puts in.
_PLACEHOLDER = re.compile(r"(?:^|[ =])[A-Z]+(?: |$)|\[|\.\.\.|…")


def documents() -> Mapping[str, str]:
    """Return the text of each document by its path."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def commands() -> list[str]:
    """Return every command of every document once, in their order, without remarks."""
    found: dict[str, None] = {}
    for name, text in documents().items():
        for line in _lines(text.replace("\\\n", " "), every_inline=name == "README.md"):
            command = " ".join(line.partition("  #")[0].partition(" # ")[0].split())
            if _PROGRAM.match(command) and not _PLACEHOLDER.search(command):
                found[command] = None
    return list(found)


def _lines(text: str, *, every_inline: bool) -> Iterator[str]:
    """Yield the lines of shell blocks and indented blocks, and code within sentences.

    In a sentence `./scons new` names a thing; with a variable it is a command, and in a table of
    commands it always is.
    """
    for language, block in _FENCE.findall(text):
        if language in {"sh", "bash", "console"}:
            yield from block.splitlines()
    prose = _FENCE.sub("", text)
    for line in prose.splitlines():
        if line.startswith("    "):
            yield line.strip()
        else:
            inline = _INLINE.findall(line)
            yield from (code for code in inline if every_inline or "=" in code or "-" in code)


def shown_lines(document: str) -> list[str]:
    """Return the lines that a document shows of a device's answers and of the summary."""
    text = documents()[document]
    blocks = [block for language, block in _FENCE.findall(text) if language == "text"]
    blocks += [line[4:] for line in _FENCE.sub("", text).splitlines() if line.startswith("    ")]
    lines = "\n".join(blocks).splitlines()
    return [line.partition("…")[0] for line in lines if _OUTPUT.match(line)]


# Not the sizes of code and stack, which change with every other commit and compiler.
_OUTPUT = re.compile(r"(?:ethosmith: |sample |tensor |ran: |  (?:yes|no) )")
