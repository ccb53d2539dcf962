# SPDX-License-Identifier: Apache-2.0
"""What can be typed: in brief for ``-h``, as a page, and as what a shell completes."""

from __future__ import annotations

import itertools
import shlex
import textwrap
from collections.abc import Mapping, Sequence

from ethosmith.core.accelerators import ACCELERATOR_CONFIGS
from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.graph.listing import TEMPLATES
from ethosmith.graph.options import GROUPS, OPTIONS, OWN, TARGETS, Option
from ethosmith.graph.project import Project
from ethosmith.graph.runtimes import RUNTIMES

_WIDTH = 80
_COLUMN = 40
# A longer name is not what the others are aligned to.
_MAX_NAME = 12
_FOLDERS = {"NAME_dir=": "in place of git's NAME"}
# Words of the command `ethosmith` that are no targets.
_COMMANDS = ("step", "board", "schemas", "completion", "environment")
_PROGRAMS = ("ethosmith", "scons")

_BASH = """\
_ethosmith() {
    local current=${COMP_WORDS[COMP_CWORD]} name= file
    local words=(@WORDS@)
    if [[ $current == = ]]; then
        name=${COMP_WORDS[COMP_CWORD-1]} current=
    elif (( COMP_CWORD > 1 )) && [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then
        name=${COMP_WORDS[COMP_CWORD-2]}
    fi
    case $name in
@CASES@
    ?*) COMPREPLY=($(compgen -f -- "$current")); return ;;
    *) words+=(@VARIABLES@) ;;
    esac
    if [[ $name == @(|usecase|like) ]]; then
        for file in usecases/*/usecase.yaml; do
            [[ -f $file ]] && file=${file%/*} && words+=("${file##*/}")
        done
    fi
    COMPREPLY=($(compgen -W "${words[*]}" -- "$current"))
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _ethosmith @PROGRAMS@
"""
_ZSH = """\
_ethosmith() {
    local name=${PREFIX%%=*}
    local -a words own
    own=(usecases/*/usecase.yaml(N:h:t))
    words=(@WORDS@ $own)
    if [[ $PREFIX != *=* ]]; then
        compadd -- $words
        compadd -S '' -- @VARIABLES@
        _files
        return
    fi
    compset -P '*='
    case $name in
@CASES@
    *) _files; return ;;
    esac
    [[ $name == (usecase|like) ]] && words+=($own)
    compadd -- $words
}
compdef _ethosmith @PROGRAMS@
"""
_FISH = """\
function __ethosmith_words
    printf '%s\\n' @WORDS@ @VARIABLES@
    for file in usecases/*/usecase.yaml
        basename (dirname $file)
    end
@CASES@
end
complete @COMMANDS@ -a '(__ethosmith_words)'
"""


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


def completion_script(shell: str, project: Project) -> str:
    """Return what a shell has to run.

    Args:
        shell: bash, zsh or fish.
        project: its use cases, platforms and toolchains are known.

    Raises:
        EthosmithError: another shell.
    """
    scripts = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
    if shell not in scripts:
        raise EthosmithError(unknown_name("shell", shell, scripts))
    values = _values(project)
    words = [*(target.name for target in TARGETS), *_COMMANDS, *project.usecase_names]
    variables = [f"{option.name}=" for option in OPTIONS]
    variables += [f"{name}_dir=" for name in project.repository_names]
    cases = _fish_cases(values) if shell == "fish" else _cases(values)
    filled = {
        "@WORDS@": _quoted(words),
        "@VARIABLES@": _quoted(variables),
        "@CASES@": cases,
        "@PROGRAMS@": _quoted(_PROGRAMS),
        "@COMMANDS@": " ".join(f"-c {name}" for name in _PROGRAMS),
    }
    text = scripts[shell]
    for place, inserted in filled.items():
        text = text.replace(place, inserted)
    return text


def _values(project: Project) -> Mapping[str, Sequence[str]]:
    """Return the values that are known, by variable."""
    platforms = [project.platform(name).descriptor for name in project.platform_names]
    modes = dict.fromkeys(mode.name for platform in platforms for mode in platform.memory_modes)
    return {
        **{option.name: option.allowed for option in OPTIONS if option.allowed},
        "target": project.platform_names,
        "toolchain": project.toolchain_names,
        "npu": (*ACCELERATOR_CONFIGS, "none"),
        "memory_mode": tuple(modes),
        "runtime": tuple(runtime.name for runtime in RUNTIMES),
        "template": tuple(TEMPLATES),
        "usecase": ("all", *project.usecase_names),
        "like": project.usecase_names,
    }


def _cases(values: Mapping[str, Sequence[str]]) -> str:
    """Return lines of a case: the words of a variable."""
    return "\n".join(f"    {name}) words=({_quoted(known)}) ;;" for name, known in values.items())


def _fish_cases(values: Mapping[str, Sequence[str]]) -> str:
    words = [f"{name}={value}" for name, known in values.items() for value in known]
    return f"    printf '%s\\n' {_quoted(words)}"


def _quoted(words: Sequence[str]) -> str:
    return " ".join(map(shlex.quote, words))
