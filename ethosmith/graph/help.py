# SPDX-License-Identifier: Apache-2.0
"""What ``scons -h`` prints, one screen; and docs/command-line.md, from the same tables."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Sequence

from ethosmith.graph.options import GROUPS, OPTIONS, TARGETS, Option

_WIDTH = 100
_COLUMN = 49
_FOLDER = "your folder in place of the git repository NAME"


def help_text(
    usecases: tuple[str, ...], platforms: tuple[str, ...], repositories: tuple[str, ...]
) -> str:
    """Return what ``scons -h`` prints."""
    targets = [f"  {target.name:<9} {target.help}" for target in TARGETS]
    names = f"Use cases: {', '.join(usecases)}. Platforms: {', '.join(platforms)}."
    return "\n".join(
        [
            "scons usecase=NAME         build, run on the board simulator, check every answer",
            "scons TARGET name=value    one of these targets, with any of the variables below them",
            "",
            "Targets:",
            *_in_two_columns([*targets, "  -c        remove what was built"]),
            *itertools.chain.from_iterable(_group_lines(group) for group in GROUPS),
            *_wrapped(f"  NAME_dir=  {_FOLDER}: {', '.join(repositories)}", indent=13),
            "",
            *_wrapped(names, indent=2),
            "ETHOSMITH_CACHE moves the downloads; FVP_PATH is the folder of Arm's FVP.",
            "",
        ]
    )


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)


def _group_lines(group: str) -> list[str]:
    options = [option for option in OPTIONS if option.group == group]
    width = max(len(_setting(option)) for option in options)
    entries = [f"  {_setting(option):<{width}}  {option.help}" for option in options]
    return [f"{group}:", *_in_two_columns(entries)]


def _setting(option: Option) -> str:
    return f"{option.name}={option.default}"


def _in_two_columns(entries: Sequence[str]) -> Iterator[str]:
    """Put two entries that are short enough on a line, in their order."""
    waiting = ""
    for entry in entries:
        if waiting and len(entry) <= _WIDTH - _COLUMN:
            yield f"{waiting:<{_COLUMN}}{entry}"
            waiting = ""
            continue
        if waiting:
            yield waiting
        waiting = entry if len(entry) < _COLUMN else ""
        if not waiting:
            yield entry
    if waiting:
        yield waiting


_INTRODUCTION = """\
# Command line

    ./scons [TARGET | USE CASE | PATH ...] [name=value ...]

Without a target, the use cases are built, run on the board simulator, and checked. `./scons -h`
prints this page's tables on one screen.

A word without `=` is a target if it is the name of one, else a use case (`./scons kws size` is
`./scons usecase=kws size`, and so is the use case's folder), else the path of an output to build.
`usecase=` and bare names exclude each other.

The command works from any folder: of a project, it builds the one that the folder is in. Paths,
those of variables too, are relative to where the command is typed; `#build/...` is relative to
the project. Options of SCons itself, such as `-j2`, `-n`, `-k`, `-s`, `-C`, `-D`, `-u` and `-U`,
work as SCons documents. `-q` exits with 1 if anything would be done, such as a test or a flash,
and with 0 if all that a target shows is up to date. `-c` removes `build/`; with a use case,
variables or targets, it removes their files only.
"""


def reference() -> str:
    """Return the text of docs/command-line.md."""
    targets = [f"| `{target.name}` | {target.help} |" for target in TARGETS]
    sections = [_INTRODUCTION, "## Targets\n", "| target | |", "|---|---|", *targets]
    sections.append("| `-c` | remove what was built |")
    for group in GROUPS:
        sections += [f"\n## {group}\n", "| variable | default | |", "|---|---|---|"]
        sections += [_row(option) for option in OPTIONS if option.group == group]
    sections.append(f"| `NAME_dir=` | | {_FOLDER} |")
    return "\n".join(sections) + "\n"


def _row(option: Option) -> str:
    default = f"`{option.default}`" if option.default else ""
    return f"| `{option.name}=` | {default} | {option.help} |"
