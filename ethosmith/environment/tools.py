# SPDX-License-Identifier: Apache-2.0
"""Find the programs that the build calls, or say how to install them here."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_text

PACKAGE_LIST = Path(__file__).with_name("system_packages.toml")
ARM_COMPILER = "arm-none-eabi-gcc"
_INSTALL_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "apt": ("apt-get", "install", "-y", "--no-install-recommends"),
    "dnf": ("dnf", "install", "-y"),
    "pacman": ("pacman", "-S", "--needed"),
    "brew": ("brew", "install"),
}
_PROBE_LIMIT_S = 20


@dataclass(frozen=True)
class Need:
    """Something the operating system has to supply; see system_packages.toml."""

    purpose: str
    any_of: tuple[str, ...] = ()
    arm_library: str = ""
    python_module: str = ""
    brings: tuple[str, ...] = ()
    or_variable: str = ""
    optional: bool = False
    packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What a message calls it."""
        return self.any_of[0] if self.any_of else self.arm_library or self.python_module

    def is_met(self) -> bool:
        """Look for it on this machine."""
        if self.or_variable and os.environ.get(self.or_variable):
            return True
        if self.any_of or self.arm_library:
            return self.location() is not None
        importlib.invalidate_caches()
        return importlib.util.find_spec(self.python_module) is not None

    def location(self) -> Path | None:
        """Return the path of the program or library; None: not installed, or a module."""
        if self.arm_library:
            return _arm_library(self.arm_library)
        found = (shutil.which(program) for program in self.any_of)
        return next((Path(path) for path in found if path), None)


@functools.cache
def needs() -> tuple[Need, ...]:
    """Return everything that system_packages.toml lists, in its order."""
    tables = tomllib.loads(read_text(PACKAGE_LIST))["need"]
    return tuple(
        Need(
            purpose=table["purpose"],
            any_of=tuple(table.get("any_of", ())),
            arm_library=table.get("arm_library", ""),
            python_module=table.get("python_module", ""),
            brings=tuple(table.get("brings", ())),
            or_variable=table.get("or_variable", ""),
            optional=table.get("optional", False),
            packages={manager: tuple(table[manager]) for manager in _INSTALL_COMMANDS},
        )
        for table in tables
    )


def missing() -> list[Need]:
    """Return the needs of every build that this machine does not meet."""
    return [need for need in needs() if not need.optional and not need.is_met()]


def find_program(name: str, search_path: str | None = None) -> Path:
    """Return the absolute path of the program ``name``.

    Args:
        name: a bare name, or a path that a user gave.
        search_path: folders as in ``PATH``, which is the default.

    Raises:
        EthosmithError: it is not there; says how to install it.
    """
    found = shutil.which(name, path=search_path)
    if found is None:
        raise EthosmithError(f"{name} was not found{_advice(name)}")
    return Path(found).absolute()


def _advice(name: str) -> str:
    base = Path(name).name
    for need in needs():
        if base in need.any_of or base in need.brings:
            return f"; it is {need.purpose}; {how_to_install([need])}"
    return "; put its folder on the PATH"


def how_to_install(wanted: Iterable[Need]) -> str:
    """Return ``install it with: COMMAND`` for this machine, or for every system we know."""
    wanted = list(wanted)
    manager = package_manager()
    managers = [manager] if manager else list(_INSTALL_COMMANDS)
    commands = [" ".join(install_command(wanted, name)) for name in managers]
    return f"install with: {' | or: '.join(commands)}"


def package_manager() -> str | None:
    """Return the key of this machine's package manager: apt, dnf, pacman or brew."""
    return next(
        (key for key, command in _INSTALL_COMMANDS.items() if shutil.which(command[0])), None
    )


def install_command(wanted: Iterable[Need], manager: str) -> list[str]:
    """Return the command that a person types to install what is wanted."""
    sudo = [] if manager == "brew" or os.geteuid() == 0 else ["sudo"]
    return [*sudo, *_INSTALL_COMMANDS[manager], *packages(wanted, manager)]


def packages(wanted: Iterable[Need], manager: str) -> list[str]:
    """Return the packages that meet the needs, each once, in order."""
    return list(dict.fromkeys(name for need in wanted for name in need.packages[manager]))


@functools.cache
def program_version(program: Path) -> str:
    """Return the first line of ``program --version``, as a dependency of what it makes.

    The whole line, not a number out of it: a distribution's rebuild of the same
    version is another program.

    Raises:
        EthosmithError: the program does not run or says nothing.
    """
    result = run_within([program, "--version"], _PROBE_LIMIT_S)
    if result.returncode:
        raise EthosmithError(f"{program} --version failed: exit status {result.returncode}")
    first_line = os.fsdecode(result.stdout).partition("\n")[0].strip()
    if not first_line:
        raise EthosmithError(f"{program} --version says nothing")
    return first_line


def _arm_library(library: str) -> Path | None:
    compiler = shutil.which(ARM_COMPILER)
    if compiler is None:
        return None
    # The Cortex-M55's own variant: a toolchain for older cores alone will not do.
    command = [compiler, "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"]
    try:
        result = run_within([*command, f"-print-file-name={library}"], _PROBE_LIMIT_S)
    except EthosmithError:
        return None  # it is asked again, and reported, when it compiles
    # The compiler answers with the bare name for what it does not find.
    path = Path(os.fsdecode(result.stdout.strip()))
    return path if result.returncode == 0 and path.is_absolute() else None


def call(command: Sequence[str]) -> int:
    """Run a command; standard output is left to the build, messages go to standard error."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
    ).returncode


def say(message: str) -> None:
    """Report to a person what takes a while."""
    sys.stderr.write(f"ethosmith: {message}\n")
    sys.stderr.flush()
