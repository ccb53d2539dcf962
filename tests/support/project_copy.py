# SPDX-License-Identifier: Apache-2.0
"""A copy of the project in a folder of its own, and the real scons in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ethosmith.graph.layout import NOTES

ROOT = Path(__file__).resolve().parents[2]
KWS = "usecases/kws/usecase.yaml"
# The build cache of whoever runs the tests; tests/conftest.py keeps it here.
OWN_CACHE = "ETHOSMITH_TEST_BUILD_CACHE"
BUILT_FROM = (
    "SConstruct",
    "boards",
    "distributions",
    "ethosmith",
    "firmware",
    "libraries",
    "packages",
    "platforms",
    "repositories",
    "site_scons",
    "templates",
    "toolchains",
    "usecases",
)
# What builds remember of Python files and descriptors by their content, which a copy has, too.
_REMEMBERED = ("code.json", "descriptors.json")
# What a step prints when it has run: its verb, padded to ten columns, what it made, and the time.
# MANIFEST is no step of the way: it records all inputs, remarks in them too.
_STEP = re.compile(r"^(?=.{9} )(?!MANIFEST )([A-Z]{2,9}) +(\S.*?)  (?:\d+ min )?[\d.]+ s$")
# A clip of one word in place of the long one of kws: it is 42 of the 47 inferences of each run.
_CLIP = """      duration_s: 1.9
      noise_rms: 12.0
      seed: 1
      parts:
        - {sample: no, at_s: 0.6}
    expect_times:
      - {label: no, from_s: 1.0, to_s: 1.7}

"""
_TIME_LIMIT_S = 900
_LONG_RUN = "time_limit_s=600"
# Byte code of another process, under the name that it has until it is whole.
_BEING_WRITTEN = shutil.ignore_patterns("*.pyc.*")
# What builds note below build/ for themselves, in the first part of a path.
_NOTES = (".lock", ".sconsign.json", ".step_times.json", ".ethosmith", "history")


@dataclass(frozen=True)
class Outcome:
    """One run of scons."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def steps(self) -> set[str]:
        """The steps that ran, as ``VERB target``."""
        found = (_STEP.match(line) for line in self.stdout.splitlines())
        return {f"{match[1]} {match[2]}" for match in found if match}

    @property
    def text(self) -> str:
        """All that the terminal showed."""
        return self.stdout + self.stderr


@dataclass(frozen=True)
class ProjectCopy:
    """A project folder; ``environment`` is added to that of scons."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def fresh(cls, root: Path, *, remembers: bool = True) -> ProjectCopy:
        """Copy what a build is made from, without anything that was built.

        The clip of kws that holds several words is a short one, so that each run is short; whoever
        wants what users have writes the descriptor `KWS` anew.
        Python's byte code comes along, for every step is a process that would compile it anew; and,
        if it ``remembers``, in build/ what the last build here knows of code and descriptors, which
        takes seconds to read.
        """
        for name in BUILT_FROM:
            source, target = ROOT / name, root / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=_BEING_WRITTEN)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        for name in _REMEMBERED if remembers else ():
            if (ROOT / NOTES / name).is_file():
                (root / NOTES).mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / NOTES / name, root / NOTES / name)
        project = cls(root)
        head, found, tail = project.read(KWS).partition("      duration_s: 7.2\n")
        assert found
        project.write(KWS, head + _CLIP + tail[tail.index("sources: [") :])
        return project

    def cached(self) -> ProjectCopy:
        """Return the same project with the build cache: for tests that are not about building."""
        own = os.environ.get(OWN_CACHE, "")
        return replace(self, environment={**self.environment, "ETHOSMITH_BUILD_CACHE": own})

    def copy(self, root: Path, **environment: str) -> ProjectCopy:
        """Copy the folder with all that was built, time stamps included."""
        shutil.copytree(self.root, root, symlinks=True)
        return ProjectCopy(root, {**self.environment, **environment})

    def command(self, *words: str) -> list[str]:
        """Return the argument list of scons in this interpreter's packages.

        A simulation gets more time than by default: a machine that is busy is no fault.
        """
        limit = () if any(word.startswith("time_limit_s=") for word in words) else (_LONG_RUN,)
        return [sys.executable, "-m", "SCons", "-Q", *words, *limit]

    @property
    def process_environment(self) -> dict[str, str]:
        """Everything that scons gets to see."""
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {**inherited, **self.environment}

    def scons(self, *words: str) -> Outcome:
        """Run scons to its end."""
        done = subprocess.run(
            self.command(*words),
            cwd=self.root,
            env=self.process_environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIME_LIMIT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def build(self, *words: str) -> Outcome:
        """Run scons, which has to succeed."""
        outcome = self.scons(*words)
        assert outcome.exit_code == 0, outcome.text
        return outcome

    def read(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")

    def read_bytes(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, "utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace the one occurrence of ``old`` in a file."""
        text = self.read(path)
        assert text.count(old) == 1, f"{path} has '{old}' {text.count(old)} times"
        self.write(path, text.replace(old, new))

    def append(self, path: str, text: str) -> None:
        self.write(path, self.read(path) + text)

    def built_files(self) -> dict[str, bytes]:
        """Return the bytes of everything below build/ except SCons's and our own notes."""
        build = self.root / "build"
        return {
            path.relative_to(build).as_posix(): path.read_bytes() for path in self.built_paths()
        }

    def built_paths(self) -> list[Path]:
        """Return the paths of all files below build/ except SCons's and our own notes."""
        build = self.root / "build"
        return [
            path
            for path in sorted(build.rglob("*"))
            if path.is_file() and path.relative_to(build).parts[0] not in _NOTES
        ]
