# SPDX-License-Identifier: Apache-2.0
"""Compile the audio front end for this computer: as this project has it, and as TensorFlow has."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ethosmith.descriptors.library import Library, PackageSources
from ethosmith.descriptors.load import load
from ethosmith.descriptors.origin import Package
from ethosmith.obtain.obtainer import Obtainer
from ethosmith.obtain.source import PackageSource
from tests.support.firmware.compile import FIRMWARE, HERE
from tests.support.project_copy import ROOT

_CXX = ("-std=c++17", "-O1", "-ffp-contract=off")


def _upstream_sources() -> PackageSources:
    library = load(Library, ROOT / "libraries" / "frontend.yaml")
    return next(s for s in library.sources if isinstance(s, PackageSources))


def _obtain_package(folder: Path) -> None:
    """Put the front end's sources into ``folder``, as the build obtains them."""
    sources = _upstream_sources()
    descriptor = load(Package, ROOT / "packages" / f"{sources.package}.yaml")
    members = [f"{descriptor.root}/{name}" for name in (*sources.compile, *sources.include)]
    source = PackageSource(**descriptor.source(None))
    Obtainer().to_tree(source, ROOT, members, folder, strip_prefix=f"{descriptor.root}")


def _compile_all(folder: Path, files: list[Path], flags: list[str]) -> list[Path]:
    folder.mkdir()

    def compiled(file: Path) -> Path:
        target = folder / f"{file.name}.o"
        compiler = ["c++", *_CXX] if file.suffix == ".cc" else ["cc", "-O1", "-ffp-contract=off"]
        command = [*compiler, *flags, "-c", str(file), "-o", str(target)]
        subprocess.run(command, check=True, timeout=120)
        return target

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(compiled, files))


def _objects(folder: Path, name: str, own: list[Path], flags: list[str]) -> list[Path]:
    package = folder / "package"
    upstream = [package / member for member in _upstream_sources().compile]
    include = [f"-I{package}", f"-I{package / 'kissfft'}", f"-I{FIRMWARE / 'frontend'}"]
    objects = _compile_all(folder / name, upstream, [*include, *flags, "-w"])
    return objects + _compile_all(folder / f"{name}-own", own, [*include, "-Wall", "-Wextra"])


@dataclass(frozen=True)
class Frontend:
    """What `make_frontend` has left in a folder."""

    folder: Path

    @property
    def objects(self) -> list[Path]:
        """The front end without heap and libm; `portable_math` is not among them."""
        return sorted(path for part in ("ours", "ours-own") for path in self._objects_in(part))

    @property
    def own_program(self) -> Path:
        """The harness with this project's front end."""
        return self.folder / "own_program"

    @property
    def upstream_program(self) -> Path:
        """The harness with TensorFlow's front end, on the C library's malloc and libm."""
        return self.folder / "upstream_program"

    def _objects_in(self, part: str) -> list[Path]:
        return list((self.folder / part).glob("*.o"))


def make_frontend(folder: Path) -> None:
    """Obtain the front end's sources and compile both forms of it."""
    _obtain_package(folder / "package")
    text = (HERE / "frontend_harness.cc").read_text(encoding="utf-8")
    harness = folder / "upstream_harness.cc"
    harness.write_text(f"#define UPSTREAM\n{text}", encoding="utf-8")
    _link(folder / "upstream_program", _objects(folder, "upstream", [harness], []))

    own = [FIRMWARE / "frontend" / name for name in ("frontend.cc", "port.c")]
    ours = _objects(folder, "ours", own, ["-include", "port.h"])
    further = [FIRMWARE / "frontend" / "portable_math.c", HERE / "frontend_harness.cc"]
    include = [f"-I{FIRMWARE / 'frontend'}", "-Wall", "-Wextra"]
    _link(folder / "own_program", ours + _compile_all(folder / "harness", further, include))


def _link(program: Path, objects: list[Path]) -> None:
    link = ["c++", "-o", str(program), *map(str, objects), "-lm"]
    subprocess.run(link, check=True, timeout=60)
