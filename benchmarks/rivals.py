# SPDX-License-Identifier: Apache-2.0
"""Compare builds with CMake + Ninja and CMake + make: the same compiles and the same link.

    python -m benchmarks.rivals [--usecase kws] [--rounds N]

The rivals compile the device's sources of one image, generated C included, with the same
compiler and flags (compile_commands.json says which), and link them; they do nothing else.
Ethosmith's graph also has the steps before and behind, which it finds current, and links by way
of archives and the fit of the memory map. All three take turns, so that a busy machine slows all.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.project_copy import ProjectCopy

_FOLDER = "build/fvp/ethos-u55-128-shared_sram"
_CHANGED = "firmware/runtime/inference.c"
_NO_CACHE = {"ETHOSMITH_BUILD_CACHE": "none", "CCACHE_DISABLE": "1"}
_TOOLCHAIN = """set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
"""


@dataclass(frozen=True)
class Builder:
    """One way to build the image: its commands, and how to forget what it compiled."""

    name: str
    run: Callable[[], object]
    forget: Callable[[], object]


def device_compiles(project: ProjectCopy, usecase: str) -> list[dict[str, Any]]:
    """Return the entries of compile_commands.json that the image is linked from."""
    project.build(f"usecase={usecase}", "compile_commands")
    entries: list[dict[str, Any]] = json.loads(project.read("compile_commands.json"))
    return [entry for entry in entries if Path(entry["arguments"][0]).name.startswith("arm-")]


def link_flags(project: ProjectCopy, usecase: str) -> list[str]:
    """Return the flags of the image's link: everything but objects, libraries and output."""
    image = f"{_FOLDER}/{usecase}.axf"
    (project.root / image).unlink()
    said = project.build(f"usecase={usecase}", "images", "-n", "verbose=1").stdout
    project.build(f"usecase={usecase}")
    line = next(line for line in said.splitlines() if f" -o {image} " in line)
    words = shlex.split(line)[3:]
    kept = [word for word in words if not word.endswith((".o", ".a")) and "-Map=" not in word]
    return [str(project.root / word) if word.endswith(".ld") else word for word in kept]


def cmake_lists(compiles: list[dict[str, Any]], link: list[str]) -> str:
    """Return a CMakeLists.txt: one object library for each set of flags, and the link."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for entry in compiles:
        given = [w for w in entry["arguments"][4:-1] if not w.startswith("-ffile-prefix-map")]
        groups.setdefault(tuple(given), []).append(entry["file"])
    lines = ["cmake_minimum_required(VERSION 3.20)", "project(rival C CXX)"]
    for index, (flags, files) in enumerate(groups.items()):
        # The flags name folders relative to the project, where the entries are compiled.
        absolute = [_absolute(flag, compiles[0]["directory"]) for flag in flags]
        lines.append(f"add_library(group{index} OBJECT {' '.join(map(_quoted, files))})")
        options = " ".join(map(_quoted, absolute))
        lines.append(f"target_compile_options(group{index} PRIVATE {options})")
    objects = " ".join(f"$<TARGET_OBJECTS:group{index}>" for index in range(len(groups)))
    lines += [
        f"add_executable(image {objects})",
        "set_target_properties(image PROPERTIES LINKER_LANGUAGE CXX)",
        f"target_link_options(image PRIVATE {' '.join(map(_quoted, link))})",
    ]
    return "\n".join(lines) + "\n"


def _absolute(flag: str, folder: str) -> str:
    return f"-I{folder}/{flag[2:]}" if flag.startswith("-I") and flag[2] != "/" else flag


def _quoted(word: str) -> str:
    return json.dumps(word)


def rival(folder: Path, generator: str, lists: str) -> tuple[Builder, float]:
    """Configure a CMake project; return its builder and the seconds that configuring took."""
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(lists, "utf-8")
    (folder / "toolchain.cmake").write_text(_TOOLCHAIN, "utf-8")
    tree = folder / "build"
    setup = ["cmake", "-S", str(folder), "-B", str(tree), "-G", generator]
    begun = time.perf_counter()
    _call([*setup, f"-DCMAKE_TOOLCHAIN_FILE={folder}/toolchain.cmake"])
    configured_s = time.perf_counter() - begun
    build = ["ninja", "-j2"] if generator == "Ninja" else ["make", "-j2", "-s"]
    run = [*build, "-C", str(tree)]
    return Builder(f"CMake + {build[0]}", lambda: _call(run), lambda: _call([*run, "clean"])), (
        configured_s
    )


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def ethosmith(project: ProjectCopy, usecase: str) -> Builder:
    """Return our own builder of the same image."""

    def forget() -> None:
        for path in (project.root / "build/fvp").rglob("*"):
            if path.suffix in {".o", ".a", ".axf"}:
                path.unlink()

    image = f"{_FOLDER}/{usecase}.axf"
    return Builder("Ethosmith", lambda: project.build(f"usecase={usecase}", "-j2", image), forget)


def turns(builders: list[Builder], before: Callable[[Builder], object], rounds: int) -> list[float]:
    """Return each builder's median seconds of a build after ``before``."""
    times: list[list[float]] = [[] for _ in builders]
    for _ in range(rounds):
        for builder, seconds in zip(builders, times, strict=True):
            before(builder)
            begun = time.perf_counter()
            builder.run()
            seconds.append(time.perf_counter() - begun)
    return [statistics.median(seconds) for seconds in times]


def measure(folder: Path, usecase: str, rounds: int) -> None:
    """Build everything once, then print a line for each kind of build."""
    project = ProjectCopy(ProjectCopy.fresh(folder / "project").root, _NO_CACHE)
    project.build(f"usecase={usecase}")
    compiles = device_compiles(project, usecase)
    lists = cmake_lists(compiles, link_flags(project, usecase))
    builders, configured = [ethosmith(project, usecase)], []
    for generator in ("Ninja", "Unix Makefiles"):
        builder, seconds = rival(folder / generator.split()[-1].lower(), generator, lists)
        builders.append(builder)
        configured.append(seconds)
        builder.run()
    numbers = iter(range(1 << 30))

    def change(_: Builder) -> None:
        source = project.read(_CHANGED).partition("// benchmark")[0]
        project.write(_CHANGED, f"{source}// benchmark {next(numbers)}\n")

    sys.stdout.write(f"{len(compiles)} compiles and a link; {usecase}, medians of {rounds}\n")
    sys.stdout.write(f"{'':<22}" + "".join(f"{builder.name:>18}" for builder in builders) + "\n")
    kinds: dict[str, Callable[[Builder], object]] = {
        "nothing changed": lambda _: None,
        "one source changed": change,
        "everything": lambda builder: builder.forget(),
    }
    for kind, before in kinds.items():
        ours_s, *rivals_s = turns(builders, before, rounds)
        cells = [f"{ours_s:>16.2f} s"]
        cells += [f"{rival_s:>7.2f} s  {ours_s / rival_s:>5.1f}x" for rival_s in rivals_s]
        sys.stdout.write(f"{kind:<22}" + " ".join(cells) + "\n")
    ninja_s, make_s = configured
    sys.stdout.write(f"{'configuring':<22}{'none':>18}{ninja_s:>9.2f} s{make_s:>17.2f} s\n")


def main() -> int:
    """Print the table; ``1.5x``: Ethosmith takes 1.5 times as long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals")
    parser.add_argument("--usecase", default="kws")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    for name in ("cmake", "ninja", "make"):
        if shutil.which(name) is None:
            raise SystemExit(f"error: {name} was not found")
    with tempfile.TemporaryDirectory(prefix="ethosmith-rivals-") as temporary:
        measure(Path(temporary), given.usecase, given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
