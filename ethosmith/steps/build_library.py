# SPDX-License-Identifier: Apache-2.0
"""Build one library from its git repository, or find that nothing has to be done."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError, did_you_mean
from ethosmith.core.files import read_bytes, read_json, read_text, write_bytes, write_text
from ethosmith.environment.tools import find_program, program_version
from ethosmith.libraries.native_builds import (
    archive_of,
    configure_command,
    write_cmake_files,
    write_ninja_file,
)
from ethosmith.libraries.spec import CMakeTarget, LibrarySpec, select
from ethosmith.obtain.cache import stamps_of
from ethosmith.steps.step import Output, Step, Unsigned, step

_STATE = "state.json"
_CONFIGURED = "configured.json"
_OF_CMAKE = ("CMakeCache.txt", "build.ninja")
_SHOWN_LINES = 60


@step(verb="NINJA")
class BuildLibrary(Step):
    """Build one library from its git repository, with ninja or its own CMake build.

    Attributes:
        library: what it is made of and how: a `LibrarySpec`.
        folder: of objects and build files; ninja compiles again only what changed in it.
        output: the archive.
        tools: name and version of the toolchain.
        jobs: how many compilers may run at once.
        verbose: show all that ninja prints.
        places: ``flags`` of C and C++ and ``cxxflags`` that name places on this machine, and
            the compilers' ``launcher``.
    """

    library: Mapping[str, Any]
    folder: Path
    output: Output
    tools: tuple[str, ...] = ()
    jobs: Unsigned[int] = 1
    verbose: Unsigned[bool] = False
    places: Unsigned[Mapping[str, Any]]

    def run(self) -> None:
        """Bring the library up to date and copy its archive."""
        job = Job(
            spec=LibrarySpec.of(self.library),
            root=Path.cwd(),
            folder=self.folder,
            unsigned=self.places,
            jobs=self.jobs,
            verbose=self.verbose,
        )
        write_bytes(self.output, read_bytes(build(job), limit_bytes=_MAX_LIBRARY_BYTES))


# With debug information of a large upstream project.
_MAX_LIBRARY_BYTES = 1 << 30


@dataclass(frozen=True)
class Job:
    """One run of this step.

    Attributes:
        spec: the library.
        root: the project's folder.
        folder: of what is made, relative to it.
        unsigned: what changes no byte of the output: further flags of C and C++ (``flags``) and
            of C++ (``cxxflags``) that name places on this machine, the compilers' ``launcher``.
        jobs: how many compilers may run at once.
        verbose: show all that ninja says.
    """

    spec: LibrarySpec
    root: Path
    folder: Path
    unsigned: Mapping[str, Sequence[str]]
    jobs: int
    verbose: bool

    @property
    def label(self) -> str:
        """The descriptor and the real folder of the sources, for messages."""
        return f"{self.spec.descriptor}: {(self.root / self.spec.link).resolve()}"


def build(job: Job) -> Path:
    """Bring the library up to date and return its archive.

    Raises:
        EthosmithError: a file of the descriptor is not there, or the build failed.
    """
    names = list(stamps_of((job.root / job.spec.link).resolve()))
    state = _State.of(job)
    _forget_if_stale(job, state)
    try:
        if job.spec.cmake is None:
            return _with_ninja(job, names)
        return _with_cmake(job, job.spec.cmake, names)
    finally:
        # Not where this process is killed.
        state.write(job.root / job.folder / _STATE)


def _with_ninja(job: Job, names: Sequence[str]) -> Path:
    files = select(job.spec.sets, job.spec.file_flags, names, job.label)
    for header in job.spec.precompiled:
        if header not in names:
            raise EthosmithError(
                f"{job.label}: no {header}{did_you_mean(header, names)} (precompile)"
            )
    archive = write_ninja_file(job.spec, files, job.unsigned, job.root, job.folder)
    _ninja(job, "-f", (job.folder / "build.ninja").as_posix())
    return job.root / archive


def _with_cmake(job: Job, cmake: CMakeTarget, names: Sequence[str]) -> Path:
    source = job.root / job.spec.link / cmake.folder
    if not (source / "CMakeLists.txt").is_file():
        raise EthosmithError(f"{job.label}: no CMakeLists.txt is in {cmake.folder}")
    folder = (job.root / job.folder).absolute()
    write_cmake_files(job.spec, cmake, names, job.unsigned, folder)
    program, ninja = _program("cmake"), _program("ninja")
    command = configure_command(program, ninja, job.spec, cmake, job.root.absolute(), folder)
    texts = [read_text(path) for path in sorted(folder.glob("*.cmake"))]
    fixed = _digest([command, texts, program_version(Path(program))])
    # What a glob of the CMakeLists.txt finds is not what ninja looks at.
    found = _digest(sorted(names))
    configured = _read_json(folder / _CONFIGURED)
    # An interrupted build may have left some of CMake's files.
    whole = all((folder / "build" / name).is_file() for name in _OF_CMAKE)
    if configured.get("fixed") != fixed or not whole:
        configured = {}
        shutil.rmtree(folder / "build", ignore_errors=True)
    if configured != {"fixed": fixed, "found": found}:
        (folder / _CONFIGURED).unlink(missing_ok=True)
        _run(job, command, "CMake")
        write_text(folder / _CONFIGURED, json.dumps({"fixed": fixed, "found": found}))
    _ninja(job, "-C", str(folder / "build"), cmake.target)
    archive = archive_of(cmake, folder)
    if archive is None:
        raise EthosmithError(f"{job.label}: CMake's target {cmake.target} made no static library")
    return archive


def _program(name: str) -> str:
    """Return a program of this Python's environment, whose packages bring it, or of the PATH."""
    own = str(Path(sys.executable).parent)
    return str(find_program(name, os.pathsep.join([own, os.environ.get("PATH", os.defpath)])))


def _ninja(job: Job, *words: str) -> None:
    _run(job, [_program("ninja"), "-j", str(job.jobs), *words], "ninja")


def _run(job: Job, command: Sequence[str], name: str) -> None:
    """Run a program in the project's folder; what it says is shown if it fails."""
    if job.verbose:
        code = subprocess.call(command, cwd=job.root)
        output = ""
    else:
        done = subprocess.run(
            command,
            cwd=job.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        code, output = done.returncode, done.stdout
    if code != 0:
        lines = output.rstrip().splitlines()
        sys.stderr.write("".join(f"{line}\n" for line in lines[-_SHOWN_LINES:]))
        raise EthosmithError(f"{job.label}: {name} could not build lib{job.spec.name}.a")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = read_json(path)
    except EthosmithError:
        return {}
    return data


@dataclass(frozen=True)
class _State:
    """What ninja finds: where the sources are from, and the stamps of those in folders."""

    origins: Any
    stamps: Mapping[str, Mapping[str, Sequence[int]]]

    @classmethod
    def of(cls, job: Job) -> _State:
        """Return the present state."""
        return cls(job.spec.origins, {name: _stamps(job, name) for name in job.spec.states})

    def write(self, path: Path) -> None:
        """Note the state of a build that has ended; the file's time tells when that was."""
        write_text(path, json.dumps({"origins": self.origins, "stamps": self.stamps}))


def _forget_if_stale(job: Job, state: _State) -> None:
    """Remove what was made, where ninja could take old for new.

    Ninja compares modification times. So nothing may be left of files of another origin, of a
    build that did not end, and of a file that changed since, but is no newer than what that
    build has made.
    """
    path = job.root / job.folder / _STATE
    known = _read_json(path)
    ended_ns = path.stat().st_mtime_ns if known else 0
    before = known.get("stamps", {})
    stale = known.get("origins") != state.origins or any(
        list(stamp) != before.get(name, {}).get(file) and stamp[1] <= ended_ns
        for name, files in state.stamps.items()
        for file, stamp in files.items()
    )
    if stale:
        shutil.rmtree(path.parent, ignore_errors=True)
    # Until this build has ended, too.
    path.unlink(missing_ok=True)


def _stamps(job: Job, repository: str) -> dict[str, Sequence[int]]:
    """Return the stamp of each file of a repository that is a folder."""
    folder = job.root / job.spec.links[repository]
    return dict(stamps_of(folder.resolve()))
