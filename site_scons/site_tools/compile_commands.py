# SPDX-License-Identifier: Apache-2.0
"""Keep compile_commands.json for editors: `ethosmith.toolchains.compile_commands`."""

import atexit
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from SCons.Action import Action
from SCons.Node import executed
from SCons.Subst import SUBST_CMD

from ethosmith.graph.untold import untold
from ethosmith.toolchains.compile_commands import FILE_NAME, CompileCommand, update, write

_ALIAS = "compile_commands"


class Compilations:
    """What is compiled in this session; all clones of an environment share it."""

    def __init__(self) -> None:
        self._compiled: list[tuple[Any, Any, Any]] = []

    def add(self, env: Any, target: Any, source: Any) -> None:
        """Remember that ``env`` compiles ``source`` to ``target``."""
        self._compiled.append((env, target, source))

    @property
    def ran(self) -> bool:
        """Whether any of them was compiled by now."""
        return any(target.get_state() == executed for _, target, _ in self._compiled)

    def commands(self) -> Iterator[CompileCommand]:
        """Yield the commands, the device's first: an editor takes the first one of a source."""
        for env, target, source in sorted(self._compiled, key=_machine):
            yield CompileCommand(
                directory=env.Dir("#").abspath,
                file=env.File(str(source)).srcnode().abspath,
                output=str(target),
                arguments=_arguments(env, target, source),
            )


def _machine(compilation: tuple[Any, Any, Any]) -> str:
    machine: str = compilation[0]["MACHINE"]
    return machine


def _arguments(env: Any, target: Any, source: Any) -> list[str]:
    command = "$CCCOM" if Path(str(source)).suffix == ".c" else "$CXXCOM"
    line = env.subst_list(command, SUBST_CMD, target=[target], source=[source])[0]
    program, *others = (str(word) for word in line)
    return [shutil.which(program, path=env["ENV"].get("PATH")) or program, *others]


def record_compilation(env: Any, target: Any, source: Any) -> None:
    """Put the compilation of ``source`` into compile_commands.json."""
    env["COMPILATIONS"].add(env, target, source)


def editor_needs(env: Any, nodes: Iterable[Any]) -> None:
    """Make ``nodes``, generated or obtained, before an editor is told how to compile."""
    env.Alias(_ALIAS, list(nodes))


def declare_compile_commands(env: Any) -> None:
    """Declare the target compile_commands; a file that is there is kept current by every build."""
    root = env["PROJECT"].root
    path, compilations = root / FILE_NAME, env["COMPILATIONS"]

    def write_all(target: Any, source: Any, env: Any) -> None:
        del target, source
        write(path, compilations.commands())
        env["SHOWN"].progress.line(f"WRITE     {FILE_NAME}")

    env.AlwaysBuild(env.Alias(_ALIAS, [], Action(write_all, untold)))
    if path.is_file() and not (env.GetOption("no_exec") or env.GetOption("help")):
        atexit.register(_update, path, compilations)


def _update(path: Path, compilations: Compilations) -> None:
    if compilations.ran:
        update(path, compilations.commands())


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `RecordCompilation`, `EditorNeeds` and `DeclareCompileCommands`."""
    env.Replace(COMPILATIONS=Compilations())
    env.AddMethod(record_compilation, "RecordCompilation")
    env.AddMethod(editor_needs, "EditorNeeds")
    env.AddMethod(declare_compile_commands, "DeclareCompileCommands")
