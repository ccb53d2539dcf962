# SPDX-License-Identifier: Apache-2.0
"""A project with the real wrapper, a toy SCons in a local wheel and a toy machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.project_copy import ROOT

_COPIED = (
    "scons",
    "SConstruct",
    "distributions/ethosu-model/src/ethosu_model/__init__.py",
    "distributions/ethosu-model/src/ethosu_model/errors.py",
    "ethosmith/__init__.py",
    "ethosmith/__main__.py",
    "ethosmith/cli.py",
    "ethosmith/installation.py",
    "ethosmith/core/__init__.py",
    "ethosmith/core/bounded_run.py",
    "ethosmith/core/errors.py",
    "ethosmith/core/files.py",
    "ethosmith/core/program.py",
    "ethosmith/core/terminal.py",
    "ethosmith/environment/__init__.py",
    "ethosmith/environment/doctor.py",
    "ethosmith/environment/null_build.py",
    "ethosmith/environment/prepare.py",
    "ethosmith/environment/tools.py",
    "ethosmith/environment/system_packages.toml",
    "ethosmith/environment/distributions.pth",
)
_TOY_SCONS = """
import os, sys
def main():
    print("toy scons", __import__("toy_lib").VERSION, sys.argv[1:])
    sys.exit(int(os.environ.get("TOY_EXIT", "0")))
"""
_PLAIN_TOOLS = ("sh", "cmp", "env", "id", "cat", "chmod", "ln", "sleep")
_ARM_GCC = '#!/bin/sh\nfor last; do :; done\necho "/arm/lib/${last#-print-file-name=}"\n'
_NOTHING = "#!/bin/sh\nexit 0\n"


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@dataclass(frozen=True)
class Machine:
    """A PATH of its own: the host's compilers are not to be seen there."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, programs: tuple[str, ...]) -> Machine:
        folder.mkdir()
        for name in _PLAIN_TOOLS:
            found = shutil.which(name)
            assert found, name
            (folder / name).symlink_to(found)
        for name in programs:
            write_program(folder / name, _ARM_GCC if name == "arm-none-eabi-gcc" else _NOTHING)
        return cls(folder)


COMPLETE = ("cc", "c++", "arm-none-eabi-gcc", "qemu-system-arm")


@dataclass(frozen=True)
class SmallProject:
    """A folder with the wrapper, a lock of toy packages, and a folder of wheels."""

    root: Path
    wheels: Path
    machine: Machine

    @classmethod
    def make(cls, folder: Path, programs: tuple[str, ...] = COMPLETE) -> SmallProject:
        root = folder / "a project"
        for name in _COPIED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        wheels = folder / "wheels"
        wheels.mkdir()
        project = cls(root, wheels, Machine.make(folder / "bin", programs))
        project.lock({"toy_lib": "1.0"})
        return project

    def lock(self, versions: dict[str, str]) -> None:
        """Pin toy SCons and these libraries in requirements.lock, with their hashes."""
        lines = [self._wheel("toy_scons", "1.0", _TOY_SCONS, "SCons/Script/__init__.py")]
        for name, version in versions.items():
            lines.append(self._wheel(name, version, f"VERSION = '{version}'\n"))
        (self.root / "requirements.lock").write_text("".join(lines))

    def _wheel(self, name: str, version: str, code: str, place: str = "") -> str:
        info = f"{name}-{version}.dist-info"
        contents = {
            place or f"{name}.py": code,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for member, text in contents.items():
                wheel.writestr(zipfile.ZipInfo(member), text)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return f"{name}=={version} --hash=sha256:{digest}\n"

    def environment(self, **extra: str) -> dict[str, str]:
        return {
            "PATH": str(self.machine.folder),
            "HOME": str(self.root.parent),
            "ETHOSMITH_PYTHON": sys.executable,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_FIND_LINKS": self.wheels.as_uri(),
            **extra,
        }

    def start(
        self, *arguments: str, cwd: Path | None = None, **extra: str
    ) -> subprocess.Popen[str]:
        """Start ``./scons`` in a process group of its own."""
        return subprocess.Popen(
            [str(self.root / "scons"), *arguments],
            cwd=cwd or self.root,
            env=self.environment(**extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *arguments: str, cwd: Path | None = None, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``./scons`` to its end."""
        process = self.start(*arguments, cwd=cwd, **extra)
        output, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)
