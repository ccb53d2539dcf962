# SPDX-License-Identifier: Apache-2.0
"""A build whose engine only remembers what is declared: no SCons, no process, no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ethosmith.graph.build import Build
from ethosmith.graph.code_index import CodeIndex
from ethosmith.graph.engine import Facts, Machine, StepCounts
from ethosmith.graph.packages import InstalledPackages
from ethosmith.graph.session import Session
from ethosmith.steps.step import Step
from tests.support.project_copy import ROOT


@dataclass
class RecordingEngine:
    """What was declared, by kind."""

    jobs: int = 1
    is_dry: bool = False
    prints_help: bool = False
    is_cleaning: bool = False
    # No process looks at models.
    keeps_going: bool = True
    steps: list[Step] = field(default_factory=list)
    aliases: dict[str, list[Path]] = field(default_factory=dict)

    def step(self, step: Step, facts: Facts, machine: Machine | None = None) -> None:
        del facts, machine
        self.steps.append(step)

    def always(self, paths: Iterable[Path]) -> None:
        del paths

    def alias(self, name: str, paths: Iterable[Path] = (), needs: Sequence[str] = ()) -> None:
        del needs
        self.aliases.setdefault(name, []).extend(paths)

    def after(
        self, name: str, action: Callable[[], int | None], label: str = "", *, shows: bool = False
    ) -> None:
        del name, action, label, shows

    def at_exit(self, action: Callable[[], None]) -> None:
        del action

    def run(
        self,
        command: Sequence[str],
        *,
        owns_terminal: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> int:
        del owns_terminal, environment
        raise AssertionError(f"a declaration runs {command}")

    def is_done(self, path: Path) -> bool:
        del path
        return False

    def has_failed(self, *, except_for: str = "") -> bool:
        del except_for
        return False

    def reason(self, path: Path) -> str | None:
        del path
        return None

    def count(self, run: str, output: Path, items: int) -> None:
        del run, output, items

    def steps_done(self, outputs: Iterable[Path]) -> StepCounts:
        del outputs
        raise AssertionError("a declaration asks what ran")

    def line(self, text: str) -> None:
        raise AssertionError(f"a declaration shows {text}")


def fake_build(
    arguments: Mapping[str, str], targets: Sequence[str] = ()
) -> tuple[Build, RecordingEngine]:
    """Return a build of this repository, and what remembers its steps; it has no compilers."""

    def machine(name: str) -> Machine:
        raise AssertionError(f"no compiler for the {name} was expected")

    engine = RecordingEngine()
    session = Session(arguments, targets, ROOT)
    return Build(session, engine, CodeIndex(), InstalledPackages(), machine), engine
