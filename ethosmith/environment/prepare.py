# SPDX-License-Identifier: Apache-2.0
"""Make .venv and install system packages: what ./scons does on its first use.

Runs on the system's Python, so it imports nothing but the standard library. The
file ``.venv/made-for`` holds the project's folder and is written last: without it,
or with other copies of the lock and the package list beside it, .venv counts as
unfinished. ./scons compares the same files, without starting Python.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_text
from ethosmith.core.program import run_step
from ethosmith.environment import tools

# Present from the first moment on: a .venv without it is somebody else's.
_OURS = "made-by-ethosmith"
# Relative to site-packages, so that .venv imports the distributions of the tree it is in.
_DISTRIBUTIONS = Path(__file__).with_name("distributions.pth")


@dataclass(frozen=True)
class Project:
    """The files that say what .venv has to be."""

    root: Path

    @property
    def venv(self) -> Path:
        """The virtual environment's folder."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The virtual environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def lock(self) -> Path:
        """Every Python package with its version and hashes."""
        return self.root / "requirements.lock"

    @property
    def stamp(self) -> Path:
        """Holds the folder that .venv was made for; it cannot be moved."""
        return self.venv / "made-for"

    def inputs(self) -> tuple[Path, Path, Path]:
        """Return the files of which .venv keeps a copy of what it was made from."""
        return self.lock, tools.PACKAGE_LIST, _DISTRIBUTIONS

    def is_finished(self) -> bool:
        """Tell whether a set-up, of whatever inputs, ran to its end in this place."""
        made_for = _text_or_none(self.stamp)
        return made_for == f"{self.root}\n" and os.access(self.python, os.X_OK)

    def is_current(self, file: Path) -> bool:
        """Tell whether the set-up saw ``file`` as it is now."""
        return _text_or_none(self.venv / file.name) == read_text(file)


def prepare(project: Project) -> None:
    """Bring .venv and the system's packages up to date; nothing to do is quick.

    Raises:
        EthosmithError: something is missing and may not be installed from here,
            or an installation failed.
    """
    with _only_one(project.root):
        finished = project.is_finished()
        if finished and all(map(project.is_current, project.inputs())):
            return
        _install_system_packages()
        if not finished:
            _make_venv(project)
        elif not project.is_current(project.lock):
            _update_venv(project)
        _mark_finished(project)


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Hold a lock on the project's folder itself: it leaves no file and dies with us."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tools.say("waiting for another ./scons that prepares .venv")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _install_system_packages() -> None:
    missing = tools.missing()
    if not missing:
        return
    names = ", ".join(f"{need.name} ({need.purpose})" for need in missing)
    privilege = _apt_privilege()
    if privilege is None:
        raise EthosmithError(f"missing: {names}; {tools.how_to_install(missing)}")
    tools.say(f"missing: {names}")
    _apt_install(privilege, tools.packages(missing, "apt"))
    still = [need.name for need in missing if not need.is_met()]
    if still:
        raise EthosmithError(f"still missing after the installation: {', '.join(still)}")


def _apt_privilege() -> list[str] | None:
    """Return the prefix with which apt-get may install, or None if it may not."""
    if os.environ.get("ETHOSMITH_NO_INSTALL") == "1" or not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    allowed = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False)
    return [sudo, "-n"] if allowed.returncode == 0 else None


def _apt_install(privilege: Sequence[str], packages: Sequence[str]) -> None:
    apt = [*privilege, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    apt += ["-y", "-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]
    install = [*apt, "install", "--no-install-recommends", *packages]
    tools.say(f"installing with apt-get: {' '.join(packages)}")
    # A failed update is no reason to stop: what is needed may be in the lists already.
    tools.call([*apt, "update"])
    if tools.call(install) != 0:
        raise EthosmithError(f"apt-get could not install: {' '.join(packages)} (see above)")


def _make_venv(project: Project) -> None:
    _remove_unfinished(project)
    project.venv.mkdir()
    (project.venv / _OURS).touch()
    # The real path, so that .venv breaks visibly when this Python goes away.
    interpreter = Path(sys.executable).resolve()
    tools.say(f"making .venv with {interpreter} (once; a minute or two)")
    if tools.call([str(interpreter), "-m", "venv", str(project.venv)]) != 0:
        raise EthosmithError(f"{interpreter} -m venv failed (see above)")
    _pip_install(project)


def _remove_unfinished(project: Project) -> None:
    venv = project.venv
    if venv.is_symlink() or (venv.exists() and not _is_ours(venv)):
        raise EthosmithError(f"{venv} was not made by ./scons; move it away, or run plain scons")
    if venv.exists():
        project.stamp.unlink(missing_ok=True)
        shutil.rmtree(venv)


def _is_ours(venv: Path) -> bool:
    return (venv / _OURS).exists() or (venv.is_dir() and not any(venv.iterdir()))


def _update_venv(project: Project) -> None:
    tools.say("requirements.lock has changed: updating .venv")
    # From here to the end of the set-up an interruption makes the next run start over.
    project.stamp.unlink()
    _pip_install(project)
    stale = sorted(_installed(project) - _locked(project) - {"pip"})
    if stale and _pip(project, "uninstall", "--yes", *stale) != 0:
        raise EthosmithError(f"pip could not remove: {' '.join(stale)} (see above)")


def _pip_install(project: Project) -> None:
    # Wheels only: nothing is built, so nothing but what the lock pins is run or fetched.
    options = ["--require-hashes", "--only-binary=:all:", "-r", str(project.lock)]
    if _pip(project, "install", *options) != 0:
        raise EthosmithError(
            f"pip could not install {project.lock.name} (see above); check the network "
            "and pip's configuration, then run ./scons again"
        )


def _pip(project: Project, command: str, *arguments: str) -> int:
    quiet = [] if sys.stderr.isatty() else ["-qq"]
    pip = [str(project.python), "-m", "pip", command, "--no-input", "--disable-pip-version-check"]
    return tools.call([*pip, *quiet, *arguments])


def _installed(project: Project) -> set[str]:
    command = [str(project.python), "-m", "pip", "list", "--format=json"]
    command += ["--disable-pip-version-check"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return {_canonical(item["name"]) for item in json.loads(result.stdout)}


def _locked(project: Project) -> set[str]:
    text = read_text(project.lock)
    return {_canonical(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _mark_finished(project: Project) -> None:
    for packages in project.venv.glob("lib/python3*/site-packages"):
        shutil.copyfile(_DISTRIBUTIONS, packages / f"ethosmith-{_DISTRIBUTIONS.name}")
    for file in project.inputs():
        shutil.copyfile(file, project.venv / file.name)
    beside = project.stamp.with_suffix(".new")
    beside.write_text(f"{project.root}\n", encoding="utf-8")
    beside.replace(project.stamp)


def _text_or_none(path: Path) -> str | None:
    try:
        return read_text(path)
    except EthosmithError:
        return None


def _run(arguments: Sequence[str]) -> None:
    (root,) = arguments
    prepare(Project(Path(root)))


if __name__ == "__main__":
    sys.exit(run_step(_run))
