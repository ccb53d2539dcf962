# SPDX-License-Identifier: Apache-2.0
"""Compile the audio front end for this computer: as this project has it, and as TensorFlow has."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ethosmith.descriptors.library import Library, PackageSources
from ethosmith.descriptors.load import load
from ethosmith.descriptors.origin import Package
from ethosmith.obtain.source import PackageSource
from ethosmith.obtain.steps import Obtainer
from tests.support.firmware.compile import FIRMWARE, HERE
from tests.support.project_copy import ROOT

_CXX = ("-std=c++17", "-O1", "-ffp-contract=off")


def _upstream_sources() -> PackageSources:
    library = load(Library, ROOT / "libraries" / "frontend.yaml")
    return next(s for s in library.sources if isinstance(s, PackageSources))


def obtain_package(folder: Path) -> Path:
    """Put the front end's sources into ``folder``, as the build obtains them."""
    sources = _upstream_sources()
    descriptor = load(Package, ROOT / "packages" / f"{sources.package}.yaml")
    members = [f"{descriptor.root}/{name}" for name in (*sources.compile, *sources.include)]
    source = PackageSource(**descriptor.source(None))
    Obtainer().to_tree(source, ROOT, members, folder, strip_prefix=f"{descriptor.root}")
    return folder


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


def _objects(package: Path, name: str, own: list[Path], flags: list[str]) -> list[Path]:
    upstream = [package / member for member in _upstream_sources().compile]
    include = [f"-I{package}", f"-I{package / 'kissfft'}", f"-I{FIRMWARE / 'frontend'}"]
    objects = _compile_all(package / name, upstream, [*include, *flags, "-w"])
    return objects + _compile_all(package / f"{name}-own", own, [*include, "-Wall", "-Wextra"])


def own_objects(package: Path, name: str, *further: Path) -> list[Path]:
    """Return the objects of the front end without heap and libm, and of ``further`` sources."""
    own = [FIRMWARE / "frontend" / f for f in ("frontend.cc", "port.c")]
    return _objects(package, name, [*own, *further], ["-include", "port.h"])


def upstream_program(package: Path) -> Path:
    """Return the harness with TensorFlow's front end, on the C library's malloc and libm."""
    harness = package / "upstream_harness.cc"
    text = (HERE / "frontend_harness.cc").read_text(encoding="utf-8")
    harness.write_text(f"#define UPSTREAM\n{text}", encoding="utf-8")
    return linked(package / "upstream_program", _objects(package, "upstream", [harness], []))


def own_program(package: Path) -> Path:
    """Return the harness with this project's front end."""
    further = (FIRMWARE / "frontend" / "portable_math.c", HERE / "frontend_harness.cc")
    return linked(package / "own_program", own_objects(package, "ours", *further))


def linked(program: Path, objects: list[Path]) -> Path:
    """Link ``program``."""
    link = ["c++", "-o", str(program), *map(str, objects), "-lm"]
    subprocess.run(link, check=True, timeout=60)
    return program
