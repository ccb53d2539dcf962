# SPDX-License-Identifier: Apache-2.0
"""One call of scons: what the command line asks for, and what it gets to see."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ethosmith.core.errors import EthosmithError
from ethosmith.core.identity import Identity
from ethosmith.descriptors.board_facts import Board
from ethosmith.descriptors.load import Parsed
from ethosmith.descriptors.platform import Platform
from ethosmith.descriptors.toolchain import Toolchain
from ethosmith.descriptors.usecase import UseCase
from ethosmith.environment.null_build import FOLDER as RECORDS
from ethosmith.environment.null_build import is_plain
from ethosmith.graph.build_cache import cache_folder, cache_server
from ethosmith.graph.build_lock import BuildLock, make_build_folder, swept
from ethosmith.graph.configuration import (
    Configuration,
    configurations,
    sweep_configurations,
    values_for_board,
)
from ethosmith.graph.environment import Launcher, find_launcher, process_environment
from ethosmith.graph.help import help_text
from ethosmith.graph.http_server import CacheServer
from ethosmith.graph.layout import BUILD, NOTES, OwnFiles, SelectedUseCase
from ethosmith.graph.options import HOW, OPTIONS, TARGETS, check_format, check_options, words
from ethosmith.graph.own_files import each_model, given_path, own_files
from ethosmith.graph.project import Located, Project
from ethosmith.graph.record import BuildRecord
from ethosmith.graph.repositories import Repositories, split_arguments
from ethosmith.graph.runtimes import runtime_named
from ethosmith.graph.typed_words import Asked, Place, sort_words
from ethosmith.installation import SITE_TOOLS
from ethosmith.toolchains.installed import InstalledToolchain, find_toolchain

if TYPE_CHECKING:
    from ethosmith.graph.remote_cluster import Address

EXIT_USER_ERROR = 2
_PARSED = "descriptors.json"
# Of an FVP that simulates no time.
_FAST = "_fast"
# What shows how long things take on the NPU.
_OF_CYCLES = ("report", "sweep", "diff", "layers", "stages")
# Targets that read descriptors and say what is in them.
_SHOWING = frozenset(("doctor", "list"))
_MAX_TIME_LIMIT_S = 1e6
# The environment variable for what toolchain_path= says.
_TOOLCHAIN_FOLDER = "ETHOSMITH_TOOLCHAIN_PATH"


def _with_usecases(given: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the variables with use cases that were asked for by their bare names."""
    if names and "usecase" in given:
        raise EthosmithError(
            f"usecase={given['usecase']} and {' '.join(names)}: name all use cases in one way,"
            f" usecase={','.join((given['usecase'], *names))}"
        )
    return {"usecase": ",".join(names), **given} if names else given


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Turn an `EthosmithError` into one line and exit code 2."""
    try:
        yield
    except EthosmithError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(EXIT_USER_ERROR)


class Session:
    """The selection of use cases and configurations.

    Args:
        arguments: ``name=value`` pairs of the command line.
        targets: the other words of the command line.
        root: the folder of the SConstruct.
        words: the command line as a whole, of a build that is to be recorded.
        folder: where it was typed, which paths on it are relative to; default: the root.

    Attributes:
        targets: the names of targets, and paths relative to the project.

    Raises:
        EthosmithError: an unknown name or value, or a descriptor that is wrong.
    """

    TOOLPATH: ClassVar = str(SITE_TOOLS)
    TOOLS: ClassVar = ("signatures", "build_cache", "compilers", "steps")

    def __init__(
        self,
        arguments: Mapping[str, str],
        targets: Sequence[str],
        root: Path | None = None,
        words: Sequence[str] | None = None,
        folder: Path | None = None,
    ) -> None:
        own = root or Path.cwd()
        parsed = Parsed(own.resolve() / NOTES / _PARSED)
        atexit.register(parsed.save)
        self.project = Project(own, parsed)
        place = Place((folder or own).resolve(), self.project.root)
        is_here = place.folder == place.project
        self.record = self._begin_record(words) if is_here else None
        asked = sort_words(targets, self.project.usecase_names, place) if targets else Asked()
        self.given = _with_usecases(place.arguments(arguments), asked.usecases)
        folders, values = split_arguments(self.project, self.given)
        self.values = check_options(values)
        self.targets = asked.targets
        check_format(self.values["format"], self.targets)
        if self.targets and self.record is not None:
            self.record.doubt("a target is made whenever it is asked for")
        self.repositories = Repositories(self.project, folders)
        self.process_environment = process_environment()

    @cached_property
    def platform(self) -> Located[Platform]:
        """The platform of ``target=``."""
        return self.project.platform(self.values["target"])

    @cached_property
    def board(self) -> Located[Board] | None:
        """The board of ``board=``; None if it is not given."""
        return self.project.board(self.values["board"]) if self.values["board"] else None

    @cached_property
    def toolchain(self) -> Located[Toolchain]:
        """The toolchain of ``toolchain=``."""
        return self.project.toolchain(self.values["toolchain"])

    @cached_property
    def installed_toolchain(self) -> InstalledToolchain:
        """Its programs on this machine, with the flags for the platform's processor."""
        return find_toolchain(
            self.toolchain.descriptor,
            core=self.platform.descriptor.cpu.core,
            build_type=self.values["build_type"],
            folder=self.values["toolchain_path"] or os.environ.get(_TOOLCHAIN_FOLDER, ""),
            search_path=self.process_environment.get("PATH", os.defpath),
        )

    @cached_property
    def configurations(self) -> list[Configuration]:
        """The NPU settings of ``npu=`` and ``memory_mode=``."""
        if "sweep" in self.targets:
            return self._sweep[0]
        board = self.board.descriptor if self.board else None
        values = values_for_board(self.values, board)
        try:
            return configurations(self.platform.descriptor, values)
        except EthosmithError as error:
            raise EthosmithError(f"{error}{self._elsewhere(words(values['npu']))}") from None

    def _elsewhere(self, npus: Sequence[str]) -> str:
        """Name the platforms that have an NPU of ``npus`` that this one has not; or nothing."""
        here = self.platform.descriptor
        for npu in set(npus) - set(here.npu.accelerator_configs):
            others = (
                self.project.platform(name).descriptor for name in self.project.platform_names
            )
            have = [f"target={one.name}" for one in others if npu in one.npu.accelerator_configs]
            if have:
                return f"; {npu} is on {' and '.join(have)}"
        return ""

    @property
    def left_out(self) -> list[str]:
        """Why combinations of ``npu=`` and ``memory_mode=`` are not in the sweep."""
        return self._sweep[1]

    @cached_property
    def _sweep(self) -> tuple[list[Configuration], list[str]]:
        return sweep_configurations(self.platform.descriptor, self.values)

    @cached_property
    def usecases(self) -> list[SelectedUseCase]:
        """The use cases of ``usecase=``; none where nothing is built."""
        if {"new", "doctor"}.intersection(self.targets):
            return []
        names = words(self.values["usecase"])
        if names == ["all"]:
            all_own = map(self.project.usecase, self.project.own_usecase_names)
            names = [one.descriptor.name for one in all_own if not one.descriptor.on_request]
            if not names:
                return []
        if not names:
            raise EthosmithError("usecase= is empty; see scons list")
        for name in {target.name for target in TARGETS}.intersection(names):
            if name not in self.project.usecase_names:
                raise EthosmithError(
                    f"unknown use case '{name}', which is a target: scons {name} usecase=NAME"
                )
        for option in ("model", "labels", "samples", "evaluation", "runs"):
            if self.values[option] and len(names) != 1:
                raise EthosmithError(f"{option}= needs exactly one use case; add usecase=NAME")
        located = [self.project.usecase(name) for name in names]
        for item in located:
            self._check_runtimes(item.descriptor)
        return [
            SelectedUseCase(item.descriptor, item.path, own)
            for item in located
            for own in self._own_files(item.descriptor)
        ]

    def _own_files(self, usecase: UseCase) -> list[OwnFiles]:
        """Return the user's files for a use case; several for the networks of a sweep."""
        own = own_files(self.project, self.values, usecase)
        return each_model(self.project, own, is_sweep="sweep" in self.targets)

    @cached_property
    def sweep_budgets(self) -> dict[str, float]:
        """The limits of ``budget=``, by objective."""
        if not self.values["budget"]:
            return {}
        from ethosmith.report.pareto import parse_budgets

        if "sweep" not in self.targets:
            raise EthosmithError("budget= is only valid with the target 'sweep'")
        budgets = parse_budgets(self.values["budget"])
        if "accuracy" in budgets and "accuracy" not in self.targets:
            raise EthosmithError(
                "budget=accuracy needs the target 'accuracy' beside 'sweep', which measures it"
            )
        return budgets

    def _check_runtimes(self, usecase: UseCase) -> None:
        for name in words(self.values["runtime"]):
            if runtime_named(name).name not in usecase.runtimes:
                raise EthosmithError(
                    f"runtime={name} cannot execute the use case {usecase.name}, which takes"
                    f" runtime={' or '.join(usecase.runtimes)}; it is for use cases whose samples"
                    f" are the network's inputs, such as usecase=inference_runner"
                )

    @property
    def evaluation_folder(self) -> Path | None:
        """The folder of ``evaluation=``, the user's own evaluation set."""
        folder = given_path(
            self.project, "evaluation", self.values["evaluation"], is_made="live" in self.targets
        )
        path = self.project.root / folder if folder else self.project.root
        if path.exists() and not path.is_dir():
            raise EthosmithError(f"evaluation={folder}: give a folder, not a file")
        if folder and not {"accuracy", "live", "train"}.intersection(self.targets):
            raise EthosmithError(
                "evaluation= is only valid with the targets accuracy, live and train"
            )
        return folder

    @property
    def selects(self) -> bool:
        """Whether a variable says what is built, not only how."""
        how = {option.name for option in OPTIONS if option.group == HOW}
        return bool(self.given.keys() - how)

    @property
    def offline(self) -> bool:
        """Whether nothing may be fetched."""
        return self.values["offline"] == "1"

    @property
    def answers_json(self) -> bool:
        """Whether the target's answer is a JSON document."""
        return self.values["format"] == "json"

    @property
    def verbose(self) -> bool:
        """Whether every command is shown as it runs."""
        return self.values["verbose"] == "1"

    @property
    def strict(self) -> bool:
        """Whether the open board refuses what a board would not forgive."""
        return self.values["strict"] == "1"

    @property
    def simulator(self) -> str:
        """``auto``, ``fvp`` or ``open``."""
        return self.values["simulator"].removesuffix(_FAST)

    @property
    def is_fast(self) -> bool:
        """Whether an FVP counts no cycles.

        Raises:
            EthosmithError: what is asked for shows cycles.
        """
        asked = self.values["simulator"]
        shown = [target for target in self.targets if target in _OF_CYCLES]
        if asked.endswith(_FAST) and shown:
            raise EthosmithError(
                f"simulator={asked} counts no cycles, which '{shown[0]}' shows: give simulator=fvp"
            )
        return asked.endswith(_FAST)

    @property
    def step_times(self) -> Path:
        """The file of how long each step took when it last ran here."""
        return BUILD / ".step_times.json"

    @cached_property
    def time_limit_s(self) -> float:
        """The time limit of a simulation."""
        text = self.values["time_limit_s"]
        try:
            limit_s = float(text)
        except ValueError:
            limit_s = 0.0
        if not 0 < limit_s < _MAX_TIME_LIMIT_S:
            raise EthosmithError(f"time_limit_s={text}: give a number of seconds above 0")
        return limit_s

    def selection_text(self, names: Iterable[str]) -> str:
        """Return those variables of the command line that are called ``names``, as given."""
        return " ".join(f"{name}={self.given[name]}" for name in names if name in self.given)

    @property
    def help_text(self) -> str:
        """What ``scons -h`` prints."""
        return help_text(self.project.usecase_names)

    @cached_property
    def launcher(self) -> Launcher:
        """What compilers are started through."""
        return find_launcher(self.values["launcher"], self.process_environment.get("PATH"))

    @cached_property
    def cache_folder(self) -> Path | None:
        """The folder of the build cache; None: there is none."""
        return cache_folder(self.values["cache"], os.environ, self.project.root)

    @cached_property
    def cache_server(self) -> CacheServer | None:
        """The server behind it, of ``cache=https://…``."""
        return cache_server(self.values["cache"], os.environ)

    @cached_property
    def steps_address(self) -> Address | None:
        """Where steps of ``steps=`` run; None: here."""
        if not self.values["steps"]:
            return None
        from ethosmith.graph.remote_cluster import Address, check_installed

        check_installed()
        return Address.parse(self.values["steps"])

    @cached_property
    def identity(self) -> Identity:
        """What is known of the contents of files; made with the folder of its notes."""
        notes = self.project.root / NOTES
        # A checkout that may only be read is remembered by nobody.
        with contextlib.suppress(OSError):
            notes.mkdir(parents=True, exist_ok=True)
        return Identity(notes / "hashes.json")

    def _begin_record(self, words: Sequence[str] | None) -> BuildRecord | None:
        names = {target.name for target in TARGETS}
        if words is None or not is_plain(list(words), os.environ) or names.intersection(words):
            return None
        self.make_build_folder()
        record = BuildRecord(self.project.root, words, self.identity)
        record.begin()
        return record

    @property
    def is_long(self) -> bool:
        """Whether so much is run that a killed build should go on where it was."""
        return bool({"accuracy", "sweep"} & {*self.targets}) and "run" not in self.targets

    @property
    def writes(self) -> bool:
        """Whether something may be written: not where the targets only show what there is."""
        return not self.targets or not set(self.targets) <= _SHOWING

    def make_build_folder(self) -> None:
        """Make the folder of all outputs, and that of records; EthosmithError if that cannot be."""
        made = self.project.root / BUILD
        try:
            make_build_folder(made)
            # Before anything else is made there that would be listed.
            made = self.project.root / RECORDS
            made.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EthosmithError(f"{made}: cannot be made: {error.strerror}") from None

    def lock(self) -> BuildLock:
        """Take the lock of the build folder.

        Raises:
            EthosmithError: another build holds it, or the folder cannot be written to.
        """
        # It looks for what killed builds have left, which decides nothing.
        with self.record.paused() if self.record is not None else contextlib.nullcontext():
            try:
                lock = BuildLock(self.project.root / BUILD)
            except OSError as error:
                name = error.filename or self.project.root / BUILD
                raise EthosmithError(f"{name}: cannot be written: {error.strerror}") from None
            # What a killed `new` has left.
            with contextlib.suppress(OSError), swept(self.project.root / "usecases"):
                pass
            return lock
