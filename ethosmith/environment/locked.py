# SPDX-License-Identifier: Apache-2.0
"""Environments beside that of the build, each made from a lock of its own when a step needs it.

The packages of one contradict those of the build. It lies in the cache, so that every checkout
shares it, below a name that its lock and the Python decide: another lock makes another one. The
file ``made-for`` in it is written last.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, read_text, user_cache_folder
from ethosmith.environment import tools

PYTORCH = "pytorch"
NAMES = (PYTORCH,)
_TITLES = {PYTORCH: "PyTorch"}
_SIZES = {PYTORCH: "about 1.5 GB, some minutes"}
_HINTS = {
    PYTORCH: "; the lock has CPU builds of torch only: on Linux they come from PyTorch's own index"
    " of CPU builds (PIP_EXTRA_INDEX_URL) or a folder (PIP_FIND_LINKS)"
}
# What the locks have wheels for.
_PYTHONS = ("cpython 3.11", "cpython 3.12", "cpython 3.13")
_MACHINES = ("Linux x86_64", "Linux aarch64", "Darwin arm64")
_WHAT_IT_IS = (
    "import platform as p, sys; v = sys.version_info;"
    "print(f'{sys.implementation.name} {v.major}.{v.minor};{p.system()} {p.machine()}')"
)
_PROBE_LIMIT_S = 20
# Overrides the Python that the environment is made with.
PYTHON_VARIABLE = "ETHOSMITH_PYTORCH_PYTHON"
_STAMP = "made-for"
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class LockedEnvironment:
    """One environment.

    Attributes:
        name: of its lock, ``NAME.lock`` beside this module.
    """

    name: str

    @property
    def lock(self) -> Path:
        """Every package with its version and hashes."""
        return Path(__file__).with_name(f"{self.name}.lock")

    @cached_property
    def versions(self) -> dict[str, str]:
        """The version of every package in it, as the lock pins them; it need not be made."""
        text = read_text(self.lock)
        found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
        return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}

    @cached_property
    def interpreter(self) -> Path:
        """The Python that it is made with: this one, unless the user names another."""
        named = os.environ.get(PYTHON_VARIABLE)
        found = shutil.which(named) if named else getattr(sys, "_base_executable", sys.executable)
        if not found:
            raise EthosmithError(f"{PYTHON_VARIABLE}={named}: there is no such program")
        return Path(found).resolve()

    @cached_property
    def folder(self) -> Path:
        """Where it lies."""
        made_from = read_bytes(self.lock) + b"\0" + str(self.interpreter).encode()
        digest = hashlib.sha256(made_from).hexdigest()[:12]
        return user_cache_folder() / "environments" / f"{self.name}-{digest}"

    def python(self, *, offline: bool = False) -> Path:
        """Return its interpreter; the first call anywhere makes the environment.

        Args:
            offline: refuse to make it.

        Raises:
            EthosmithError: it cannot be made, or others than the user can change it.
        """
        if offline and not self.is_made:
            raise EthosmithError(
                f"the {_TITLES[self.name]} environment is missing, and offline=1 forbids installing"
                f" it; with a network, run: python -m ethosmith environment {self.name}"
            )
        self.folder.parent.parent.mkdir(parents=True, exist_ok=True)
        self.folder.parent.mkdir(mode=0o700, exist_ok=True)
        _check_owner(self.folder.parent)
        if not self.is_made:
            with _only_one(self.folder.with_suffix(".lock")):
                if not self.is_made:
                    self._make()
        return self.folder / "bin" / "python"

    @property
    def is_made(self) -> bool:
        """Whether it is there, whole."""
        try:
            made_for = read_text(self.folder / _STAMP)
        except EthosmithError:
            return False
        return made_for == f"{self.folder}\n" and os.access(self.folder / "bin/python", os.X_OK)

    def _make(self) -> None:
        title = _TITLES[self.name]
        self._check_interpreter()
        tools.say(f"making the {title} environment (once; {_SIZES[self.name]}): {self.folder}")
        shutil.rmtree(self.folder, ignore_errors=True)
        if tools.call([str(self.interpreter), "-m", "venv", str(self.folder)]):
            raise EthosmithError(f"{self.interpreter} -m venv failed (see above)")
        # Wheels only, and what the lock names: it leaves out what is required and never used.
        pip = [str(self.folder / "bin/python"), "-m", "pip", "install", "--no-input"]
        pip += ["--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
        pip += ["--no-deps", "-r", str(self.lock)]
        if tools.call([*pip, *([] if sys.stderr.isatty() else ["-qq"])]):
            raise EthosmithError(
                f"the {title} environment cannot be made: pip could not install"
                f" {self.lock.name} (see above); check the network and pip's"
                f" configuration{_HINTS[self.name]}"
            )
        (self.folder / _STAMP).write_text(f"{self.folder}\n", encoding="utf-8")

    def _check_interpreter(self) -> None:
        """Refuse a Python or a machine that the lock has no wheels for, before pip is called."""
        said = run_within([str(self.interpreter), "-Ic", _WHAT_IT_IS], _PROBE_LIMIT_S)
        python, found, machine = said.stdout.decode("utf-8", "replace").strip().partition(";")
        if said.returncode or not found:
            raise EthosmithError(f"{self.interpreter}: not a Python that runs here")
        if python not in _PYTHONS or machine not in _MACHINES:
            raise EthosmithError(
                f"the {_TITLES[self.name]} environment: {self.interpreter} is {python} on"
                f" {machine}; the lock is for {', '.join(_PYTHONS)} on {', '.join(_MACHINES)}; name"
                f" another Python with {PYTHON_VARIABLE}"
            )


def _check_owner(folder: Path) -> None:
    """Refuse to run what another user could have put there."""
    state = folder.stat()
    if state.st_uid != os.geteuid() or state.st_mode & _WRITABLE_BY_OTHERS:
        raise EthosmithError(
            f"{folder}: other users can write there, and the build would run what they put"
            " there; give ETHOSMITH_CACHE=FOLDER of your own"
        )


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tools.say("waiting for another build that makes the environment")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
