# SPDX-License-Identifier: Apache-2.0
"""Completion for bash, zsh and fish: targets, use cases, variables and their values.

    eval "$(ethosmith completion bash)"       in ~/.bashrc
    eval "$(ethosmith completion zsh)"        in ~/.zshrc, behind compinit
    ethosmith completion fish | source        in ~/.config/fish/config.fish

Use cases of the folder that one is in are looked up while completing; all else is what was known
when the script was printed.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from ethosmith.core.accelerators import ACCELERATOR_CONFIGS
from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.graph.listing import TEMPLATES
from ethosmith.graph.options import OPTIONS, TARGETS
from ethosmith.graph.project import Project
from ethosmith.graph.runtimes import RUNTIMES

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
