# SPDX-License-Identifier: Apache-2.0
"""Run a use case's training script in a copy of its folder, and keep what it changed.

The script sees the use case's files, the host program and the packages of the environment, and
nothing else of the project. So it may run on another machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path, PurePosixPath

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import (
    MAX_DATA_BYTES,
    check_readable,
    read_bytes,
    sha256_of,
    writing_beside,
)
from ethosmith.installation import PYTHON_PATH
from ethosmith.steps.step import Input, Inputs, Output, Step, step

_NO_DATE = (1980, 1, 1, 0, 0, 0)


@step(verb="TRAIN", cacheable=False, distributable=True)
class TrainNetwork(Step):
    """Run a use case's training script in a copy of its folder, and keep what it changed.

    Attributes:
        script: called with ``--program`` and the host program.
        folder: of the use case.
        recorded: a folder of recordings, for ``--recorded``; none: it is not given.
        files: all files of these folders.
        program: the host program, which computes features.
        library: `library_digest` of the code that the script may import.
        output: the files below ``folder`` that are new or have other bytes, .zip.
    """

    script: Path
    folder: Path
    recorded: Path | None = None
    files: Inputs
    program: Input
    library: str
    output: Output

    def run(self) -> None:
        """Train, and write the archive; the use case's own folder stays as it is."""
        with tempfile.TemporaryDirectory(prefix="train-") as place:
            root = Path(place)
            for path in (*self.files, self.program):
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
            command = [sys.executable, str(self.script), "--program", str(self.program)]
            if self.recorded is not None:
                command += ["--recorded", str(self.recorded)]
            environment = {**os.environ, "PYTHONPATH": PYTHON_PATH}
            code = subprocess.run(command, cwd=root, env=environment, check=False).returncode
            if code:
                raise EthosmithError(f"{self.script}: ended with exit code {code}")
            self._write(root / self.folder)

    def _write(self, folder: Path) -> None:
        before = {path: sha256_of(path) for path in self.files}
        with writing_beside(self.output) as beside, zipfile.ZipFile(beside, "w") as archive:
            for path in files_of(folder):
                below = path.relative_to(folder)
                if sha256_of(path) != before.get(self.folder / below):
                    archive.writestr(zipfile.ZipInfo(below.as_posix(), _NO_DATE), read_bytes(path))

    def rounds(self) -> bool:
        """Say yes: another processor trains other weights."""
        return True

    def lacking(self) -> str:
        """Return that this machine has other code than the build, if it has."""
        return "" if library_digest() == self.library else "has another version of ethosmith"


def files_of(folder: Path) -> list[Path]:
    """Return the files below ``folder`` in order, without Python's byte code and hidden ones."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(
            part == "__pycache__" or part.startswith(".") for part in path.relative_to(folder).parts
        )
    )


def library_digest() -> str:
    """Return a hash of all of our own code that a script may import."""
    package = Path(__file__).resolve().parents[1]
    digest = sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        digest.update(f"{name}\n{sha256_of(path)}\n".encode())
    return digest.hexdigest()


def take_trained(archive: Path, folder: Path) -> list[str]:
    """Write the files of an archive of `TrainNetwork` below ``folder``; return their names.

    Raises:
        EthosmithError: a name leads out of the folder; nothing is written then.
    """
    check_readable(archive, limit_bytes=MAX_DATA_BYTES)
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        for name in names:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise EthosmithError(f"{archive}: {name} leads out of {folder}")
        for name in names:
            with writing_beside(folder / name) as beside, beside.open("wb") as target:
                shutil.copyfileobj(opened.open(name), target)
    return names
