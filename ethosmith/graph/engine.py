# SPDX-License-Identifier: Apache-2.0
"""What the graph asks of the engine behind it: to run steps, and to compile and link C and C++."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ethosmith.libraries.spec import Compilers
from ethosmith.steps.step import Step
from ethosmith.toolchains.compiler import Compiler


@dataclass(frozen=True)
class Facts:
    """What decides the outputs of a step beside the content of its inputs.

    Attributes:
        step: its name.
        options: its fields that are signed, as plain data without places of this machine.
        packages: the versions of the distributions that it computes with.
        code: its code, see `Closure`.
    """

    step: str
    options: dict[str, Any]
    packages: dict[str, str]
    code: dict[str, str]

    @property
    def signature(self) -> str:
        """One hash of everything."""
        return hashlib.sha256(json.dumps(vars(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Usage:
    """What sources are compiled with, beyond the toolchain's own flags.

    Attributes:
        include_dirs: of the project.
        system_dirs: of repositories: their headers may have warnings.
        defines: NAME or NAME=VALUE.
        flags: further flags of the compiler.
    """

    include_dirs: tuple[Path, ...] = ()
    system_dirs: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def __add__(self, other: Usage) -> Usage:
        """Return both together, each word once."""
        return Usage(
            tuple(dict.fromkeys((*self.include_dirs, *other.include_dirs))),
            tuple(dict.fromkeys((*self.system_dirs, *other.system_dirs))),
            tuple(dict.fromkeys((*self.defines, *other.defines))),
            (*self.flags, *other.flags),
        )


class Machine(Protocol):
    """The compilers for one machine.

    Attributes:
        name: ``device`` or ``host``.
        signature: the compiler's name and version, and what else of it decides its outputs.
        versions: name and version of each of its programs.
        compilers: programs and flags, for builds by other tools.
        compiler: what the C compiler is.
        unsigned_flags: what changes no byte of an output: places, and the launcher.
    """

    name: str
    signature: str
    versions: tuple[str, ...]
    compilers: Compilers
    compiler: Compiler
    unsigned_flags: Mapping[str, Sequence[str]]

    def compile(self, source: Path, target: Path, usage: Usage) -> None:
        """Declare the object ``target`` of a C or C++ source."""

    def archive(self, target: Path, objects: Sequence[Path]) -> None:
        """Declare a static library."""

    def link(
        self,
        targets: Sequence[Path],
        objects: Sequence[Path],
        archives: Sequence[Path],
        script: Path | None = None,
        needs: Sequence[Path] = (),
    ) -> None:
        """Declare a program and, for the device, the linker's map.

        Args:
            targets: the program; and the map.
            objects: what is linked.
            archives: the libraries, in any order.
            script: the linker script.
            needs: what has to exist before.
        """


class StepCounts(NamedTuple):
    """How the files of a build came about.

    Attributes:
        ran: steps that ran.
        from_cache: steps whose outputs came from the build cache.
        up_to_date: steps whose outputs were there already.
    """

    ran: int
    from_cache: int
    up_to_date: int

    @property
    def text(self) -> str:
        """One line, such as ``7 of 41 steps ran, 34 from the cache``; empty if all was there."""
        total = self.ran + self.from_cache + self.up_to_date
        if total == self.up_to_date:
            return ""
        parts = [f"{self.ran} of {total} steps ran"]
        parts += [f"{self.from_cache} from the cache"] if self.from_cache else []
        parts += [f"{self.up_to_date} up to date"] if self.up_to_date else []
        return ", ".join(parts)


class Engine(Protocol):
    """What the graph needs of SCons. Paths are relative to the project, or absolute.

    Attributes:
        jobs: how many commands may run at once.
        is_dry: nothing is made: only help is printed, or what would be done, or the exit code
            says whether anything would.
        prints_help: only help is printed.
        is_cleaning: outputs are removed.
        keeps_going: after a failure, what does not depend on it is made (``-k``).
    """

    jobs: int
    is_dry: bool
    prints_help: bool
    is_cleaning: bool
    keeps_going: bool

    def step(self, step: Step, facts: Facts, machine: Machine | None = None) -> None:
        """Declare a step; with a ``machine``, one that starts its compilers."""

    def always(self, paths: Iterable[Path]) -> None:
        """Make these files again whenever they are asked for."""

    def alias(self, name: str, paths: Iterable[Path] = (), needs: Sequence[str] = ()) -> None:
        """Put files, and what is under other names, under a name that a person types."""

    def after(
        self, name: str, action: Callable[[], int | None], label: str = "", *, shows: bool = False
    ) -> None:
        """Call ``action`` when all that is under the name ``name`` is made; not 0: it failed.

        Args:
            name: a target.
            action: what is called.
            label: shown before.
            shows: it only shows what was made: with all made, the target is up to date.
        """

    def at_exit(self, action: Callable[[], None]) -> None:
        """Call ``action`` when the build has ended, however it ended."""

    def run(
        self,
        command: Sequence[str],
        *,
        owns_terminal: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> int:
        """Run a command now, as a step that is shown; return its exit code.

        Args:
            command: an argument list.
            owns_terminal: it shows its own progress.
            environment: variables beside those of every step.
        """

    def is_done(self, path: Path) -> bool:
        """Say whether the file was made, or was up to date."""

    def has_failed(self, *, except_for: str = "") -> bool:
        """Say whether something failed, other than the target ``except_for``."""

    def reason(self, path: Path) -> str | None:
        """Return why the file could not be made; None if the build stopped before."""

    def line(self, text: str) -> None:
        """Show a line among those of the steps."""

    def count(self, run: str, output: Path, items: int) -> None:
        """Let the step that makes ``output`` count for ``items`` items of a long run.

        Args:
            run: its name; the terminal shows how many of its items are done, and how fast.
            output: of the step.
            items: 0: nothing is shown.
        """

    def steps_done(self, outputs: Iterable[Path]) -> StepCounts:
        """Return how many steps have been done so far, and how.

        Args:
            outputs: one of each step; steps that this build does not need are not counted.
        """
