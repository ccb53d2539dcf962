# SPDX-License-Identifier: Apache-2.0
"""The build as the graph's functions see it: typed, and without SCons.

`Build.add` declares a step. What SCons does with it, it does behind `Engine`; what manifest,
report and `why` need to know about the way to a file, they ask the build.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TextIO, TypeVar

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.platform import Platform
from ethosmith.environment.locked import LockedEnvironment
from ethosmith.graph.code_index import Closure, CodeIndex
from ethosmith.graph.engine import Engine, Facts, Machine
from ethosmith.graph.packages import InstalledPackages
from ethosmith.graph.project import Located, Project
from ethosmith.graph.session import Session
from ethosmith.graph.step_key import Places
from ethosmith.graph.summary import BuiltImage
from ethosmith.steps.step import Step

StepT = TypeVar("StepT", bound=Step)


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
