# SPDX-License-Identifier: Apache-2.0
"""The wheels of the distributions work where there is nothing else of this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.support.project_copy import ROOT
from tests.support.wheels import BOARD, MODEL, install

_GIT = shutil.which("git") or "git"
# Two commands: copy sixteen bytes from region 1 to region 2 by DMA, and stop.
_COPY = """
import struct
from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.memory import ArrayMemory

regions, dma = (0x00010130, 0x00020131), (0x4030, 0, 0x4031, 0, 0x4032, 16, 0x10, 0x11, 0)
stream = struct.pack("<11I", *regions, *dma)
memory = ArrayMemory()
for address, data in ((0, stream), (0x1000, bytes(range(16))), (0x2000, bytes(16))):
    memory.add(address, 64)
    memory.write(address, data)
device = NpuDevice(AcceleratorConfig.parse("ethos-u55-64"), memory)
for offset, value in ((0x10, 0), (0x20, len(stream)), (0x88, 0x1000), (0x90, 0x2000), (8, 1)):
    device.write_register(offset, value)
assert device.last_fault is None, device.last_fault
print(memory.read(0x2000, 16).hex())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("wheels"), MODEL, BOARD)


def _python(paths: Sequence[Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these packages and the standard library alone."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-S", "-P", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def numpy_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("numpy")
    place = Path(np.__file__).parent
    for name in ("numpy", "numpy.libs"):
        if (place.parent / name).is_dir():
            (folder / name).symlink_to(place.parent / name)
    return folder


def test_the_model_computes_with_numpy_alone(installed: Path, numpy_alone: Path) -> None:
    done = _python([installed, numpy_alone], "-c", _COPY)
    assert done.stdout.strip() == bytes(range(16)).hex(), done.stderr


def test_the_board_has_its_command_and_refuses_what_is_no_program(
    installed: Path, numpy_alone: Path, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing.axf"
    done = _python([installed, numpy_alone], "-m", "open_board", "-a", str(nothing))
    assert done.returncode == 1
    assert done.stderr == f"error: cannot read {nothing}: No such file or directory\n"
    entry = next(installed.glob("open_board-*.dist-info")) / "entry_points.txt"
    assert "open-board = open_board.__main__:command" in entry.read_text()


@pytest.mark.parametrize("package", ["ethosu_model", "open_board"])
def test_a_wheel_is_typed_and_has_its_licence(installed: Path, package: str) -> None:
    (info,) = installed.glob(f"{package}-*.dist-info")
    assert (installed / package / "py.typed").is_file()
    assert (info / "licenses" / "LICENSE").is_file()


def test_a_dirty_clone_packs_what_git_tracks(tmp_path: Path) -> None:
    clone, made = tmp_path / "clone", tmp_path / "dist"
    subprocess.run([_GIT, "clone", "-q", "--depth=1", ROOT.as_uri(), str(clone)], check=True)
    clean = clone / "usecases" / "kws"
    for dirt in (clean / "notes.txt", clone / "ethosmith" / "mine.py", clone / "build" / "x.axf"):
        dirt.parent.mkdir(exist_ok=True)
        dirt.write_text("dirt")
    _hatch(clone, made / "clone")
    (packed,) = (made / "clone").glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
        archive.extractall(tmp_path, filter="data")
    tracked = subprocess.run(
        [_GIT, "ls-files"], cwd=clone, capture_output=True, text=True, check=True
    )
    assert sorted(names) == sorted([*tracked.stdout.split("\n")[:-1], "PKG-INFO"])
    _hatch(tmp_path / packed.name.removesuffix(".tar.gz"), made / "sdist", "-t", "wheel")
    of_clone, of_sdist = (_names(made / name) for name in ("clone", "sdist"))
    assert of_clone == of_sdist
    assert not [name for name in of_clone if name.endswith(("notes.txt", "mine.py", "x.axf"))]
    assert "ethosmith/share/usecases/kws/usecase.yaml" in of_clone


@pytest.mark.parametrize("project", [MODEL, BOARD], ids=lambda path: path.name)
def test_a_wheel_is_the_same_bytes_from_another_users_checkout(
    project: Path, tmp_path: Path
) -> None:
    wheels = []
    for name, mode in (("one", 0o644), ("another", 0o600)):
        place = tmp_path / name / "checkout"
        shutil.copytree(project, place, ignore=shutil.ignore_patterns("__pycache__"))
        for path in place.rglob("*"):
            path.chmod(mode if path.is_file() else 0o755)
            os.utime(path, (mode * 1e6, mode * 1e6))
        _hatch(place, tmp_path / name, "-t", "wheel")
        (wheel,) = (tmp_path / name).glob("*.whl")
        wheels.append(wheel.read_bytes())
    assert wheels[0] == wheels[1]


def _hatch(project: Path, target: Path, *options: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(target), *options]
    subprocess.run(command, cwd=project, check=True, capture_output=True)


def _names(folder: Path) -> list[str]:
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())
