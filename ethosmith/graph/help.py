# SPDX-License-Identifier: Apache-2.0
"""What ``scons -h`` prints, one screen; and docs/command-line.md, from the same tables."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping

from ethosmith.graph.options import GROUPS, OPTIONS, OWN, TARGETS, Option

_WIDTH = 80
_COLUMN = 40
# A longer name is not what the others are aligned to.
_MAX_NAME = 12
_FOLDERS = {"NAME_dir=": "in place of git's NAME"}


def help_text(usecases: tuple[str, ...]) -> str:
    """Return what ``scons -h`` prints; the target ``list`` has all names."""
    # One without a text of its own stands in another's.
    targets = _entries({target.name: target.help for target in TARGETS if target.help})
    last = "  scons -c removes what was built."
    names = textwrap.shorten(
        f"Use cases: {', '.join(usecases)}", _WIDTH - len(last), placeholder=" ..."
    )
    return "\n".join(
        [
            "scons [TARGET] usecase=NAME [name=value]   build, run and check; or, as TARGET:",
            *targets,
            *itertools.chain.from_iterable(_group_lines(group) for group in GROUPS),
            names + last,
        ]
    )


def _group_lines(group: str) -> list[str]:
    options = [option for option in OPTIONS if option.group == group]
    folders = _FOLDERS if group == OWN else {}
    return [f"{group}:", *_entries({_setting(o): o.help for o in options} | folders)]


def _setting(option: Option) -> str:
    return f"{option.name}={option.default}"


def _entries(texts: Mapping[str, str]) -> list[str]:
    """Return lines of two columns with what is short, then a line for each of the others."""
    width = max(len(name) for name in texts if len(name) <= _MAX_NAME)
    cells = [f"  {name:<{width}} {text}" for name, text in texts.items()]
    short = [cell for cell in cells if len(cell) < _COLUMN]
    half = (len(short) + 1) // 2
    pairs = itertools.zip_longest(short[:half], short[half:], fillvalue="")
    lines = [f"{left:<{_COLUMN}}{right}".rstrip() for left, right in pairs]
    return lines + [cell for cell in cells if len(cell) >= _COLUMN]


_INTRODUCTION = """\
# Command line

    ./scons [TARGET | USE CASE | PATH ...] [name=value ...]

Without a target, the use cases are built, run on the board simulator, and checked. `./scons -h`
prints them in brief, on a screen of 80 by 40 characters.

A word without `=` is a target if it is the name of one, else a use case (`./scons kws size` is
`./scons usecase=kws size`, and so is the use case's folder), else the path of an output to build.
`usecase=` and bare names exclude each other. What a target answers, `format=json` returns as a JSON
document for the targets that its row names; see [at the desk](at-the-desk.md).

The command works from any folder: of a project, it builds the one that the folder is in. Paths,
those of variables too, are relative to where the command is typed; `#build/...` is relative to
the project. Options of SCons itself, such as `-j2`, `-n`, `-k`, `-s`, `-C`, `-D`, `-u` and `-U`,
work as SCons documents. `-q` exits with 1 if anything would be done, such as a test or a flash,
and with 0 if all that a target shows is up to date. `-c` removes `build/`; with a use case,
variables or targets, it removes their files only.
"""


def reference() -> str:
    """Return the text of docs/command-line.md."""
    targets = [f"| `{target.name}` | {target.detail or target.help} |" for target in TARGETS]
    sections = [_INTRODUCTION, "## Targets\n", "| target | |", "|---|---|", *targets]
    sections.append("| `-c` | remove what was built |")
    for group in GROUPS:
        sections += [f"\n## {group}\n", "| variable | default | |", "|---|---|---|"]
        sections += [_row(option) for option in OPTIONS if option.group == group]
    sections.append("| `NAME_dir=` | | your folder in place of the git repository NAME of list |")
    return "\n".join(sections) + "\n"


def _row(option: Option) -> str:
    default = f"`{option.default}`" if option.default else ""
    return f"| `{option.name}=` | {default} | {option.detail or option.help} |"
