# SPDX-License-Identifier: Apache-2.0
"""The build as the graph's functions see it: typed, and without SCons.

`Build.add` declares a step. What SCons does with it, it does behind `Engine`; what manifest,
report and `why` need to know about the way to a file, they ask the build.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TextIO, TypeVar

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.platform import Platform
from ethosmith.environment.locked import LockedEnvironment
from ethosmith.graph.code_index import Closure, CodeIndex
from ethosmith.graph.packages import InstalledPackages
from ethosmith.graph.project import Located, Project
from ethosmith.graph.session import Session
from ethosmith.graph.step_key import Places
from ethosmith.graph.summary import BuiltImage
from ethosmith.libraries.spec import Compilers
from ethosmith.steps.step import Step
from ethosmith.toolchains.compiler import Compiler

StepT = TypeVar("StepT", bound=Step)


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


class Made(NamedTuple):
    """How a file is made: by a step, or (no ``facts``) by a compiler, archiver or linker.

    Attributes:
        verb: what the terminal shows while it runs.
        title: what it shows behind that.
        inputs: the files that are read.
        outputs: the files that are written.
        command: of a compiler, archiver or linker.
        step: the step.
        facts: what decides its outputs.
    """

    verb: str
    title: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    command: str = ""
    step: Step | None = None
    facts: Facts | None = None


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


@dataclass
class Build:
    """One build: what was asked for, and all that is declared for it.

    Attributes:
        session: what the command line asks for.
        engine: SCons.
        code: the code of steps.
        packages: the Python distributions that they compute with.
        machine: returns the compilers for ``host`` or ``device``.
        made: how each file is made that is declared so far.
        images: the images that are declared so far.
        card_files: of each image the files for its board's card; empty where there is none.
        output: where answers go; None: standard output.
        counts_shown: what was shown last of how many steps ran.
    """

    session: Session
    engine: Engine
    code: CodeIndex
    packages: InstalledPackages
    machine: Callable[[str], Machine]
    made: dict[Path, Made] = field(default_factory=dict)
    images: list[BuiltImage] = field(default_factory=list)
    card_files: list[list[Path]] = field(default_factory=list)
    output: TextIO | None = None
    counts_shown: str = ""

    def answer(self, text: str) -> None:
        """Write what a target answers: with format=json, nothing else is on standard output."""
        stream = self.output or sys.stdout
        stream.write(text)
        stream.flush()

    @property
    def project(self) -> Project:
        """The descriptors that the build can see."""
        return self.session.project

    @property
    def platform(self) -> Located[Platform]:
        """The platform of ``target=``."""
        return self.session.platform

    def add(self, step: StepT, machine: Machine | None = None) -> StepT:
        """Declare ``step`` and return it; the same step may be declared any number of times.

        Args:
            step: what is declared.
            machine: whose compilers it starts, if it does.

        Raises:
            EthosmithError: another step makes one of its outputs, or it needs a Python package
                that is not installed.
        """
        known = self.made.get(step.outputs[0])
        if known is not None and known.step == step:
            return step
        facts = self.facts_of(step)
        self.record(Made(step.traits.verb, step.title, step.inputs, step.outputs, "", step, facts))
        self.engine.step(step, facts, machine)
        return step

    def record(self, made: Made) -> None:
        """Remember how a file is made; EthosmithError if it is made already."""
        for output in made.outputs:
            if output in self.made:
                raise EthosmithError(
                    f"{output}: two steps would make it: {self.made[output].verb} and {made.verb}"
                )
            self.made[output] = made

    def facts_of(self, step: Step) -> Facts:
        """Return what decides the outputs of ``step`` beside its inputs' content."""
        closure = self.closure_of(step)
        options = json.loads(self._without_places(json.dumps(step.spec(signed_only=True))))
        return Facts(step.name(), options, self._packages_of(step), closure.modules)

    def show_after(self, name: str, action: Callable[[], int | None]) -> None:
        """Let ``action`` show what is under ``name``, when that is made, and how much of it ran."""

        def show() -> int | None:
            counts = self.engine.steps_done({made.outputs[0] for made in self.made.values()}).text
            if counts and counts != self.counts_shown:
                self.engine.line(counts)
            self.counts_shown = counts
            return action()

        self.engine.after(name, show, shows=True)

    def _packages_of(self, step: Step) -> dict[str, str]:
        """Return the versions that count; of a locked environment, of all that is in it."""
        environment = step.traits.environment
        if not environment:
            return self.packages.versions(step.packages)
        locked = LockedEnvironment(environment).versions
        return {f"{environment}:{name}": version for name, version in sorted(locked.items())}

    def closure_of(self, step: Step) -> Closure:
        """Return the code of ``step``."""
        return self.code.closure(type(step).__module__)

    def _without_places(self, text: str) -> str:
        return Places(self.project.root).without_places(text)

    def way_to(self, targets: Iterable[Path]) -> list[Made]:
        """Return everything that is done to make ``targets``, what is needed first."""
        found: list[Made] = []
        seen: set[int] = set()
        for target in targets:
            self._visit(target, found, seen)
        return found

    def _visit(self, target: Path, found: list[Made], seen: set[int]) -> None:
        made = self.made.get(target)
        if made is None or id(made) in seen:
            return
        seen.add(id(made))
        for needed in made.inputs:
            self._visit(needed, found, seen)
        found.append(made)


def step_after(build: Build, name: str, step: Step) -> None:
    """Run a step that is there for what it does, once all that is under ``name`` is made."""
    command = [sys.executable, "-m", "ethosmith", "step", step.name(), json.dumps(step.spec())]
    owns_terminal = step.traits.owns_terminal
    build.engine.after(
        name, lambda: build.engine.run(command, owns_terminal=owns_terminal), step.label
    )
