# SPDX-License-Identifier: Apache-2.0
"""Without heap and libm the audio front end computes what TensorFlow's own code computes."""

from __future__ import annotations

import math
import random
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ethosmith.descriptors.library import Library, PackageSources
from ethosmith.descriptors.package import Package
from ethosmith.descriptors.source import PackageSource
from ethosmith.descriptors.validation import load
from ethosmith.obtain.steps import Obtainer

from .compile import FIRMWARE, HERE, ROOT, say

RATE_HZ = 16_000
_CXX = ("-std=c++17", "-O1", "-ffp-contract=off")


def _upstream_sources() -> PackageSources:
    library = load(Library, ROOT / "libraries" / "frontend.yaml")
    return next(s for s in library.sources if isinstance(s, PackageSources))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The front end's sources, as the build obtains them."""
    sources = _upstream_sources()
    descriptor = load(Package, ROOT / "packages" / f"{sources.package}.yaml")
    folder = tmp_path_factory.mktemp("package")
    members = [f"{descriptor.root}/{name}" for name in (*sources.compile, *sources.include)]
    source = PackageSource.model_validate(descriptor.source(None))
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


def _program(package: Path, name: str, own: list[Path], flags: list[str]) -> Path:
    upstream = [package / member for member in _upstream_sources().compile]
    include = [f"-I{package}", f"-I{package / 'kissfft'}", f"-I{FIRMWARE / 'frontend'}"]
    folder = package / name
    objects = _compile_all(folder, upstream, [*include, *flags, "-w"])
    objects += _compile_all(package / f"{name}-own", own, [*include, "-Wall", "-Wextra"])
    link = ["c++", "-o", str(folder / name), *map(str, objects), "-lm"]
    subprocess.run(link, check=True, timeout=60)
    return folder / name


@pytest.fixture(scope="module")
def ours(package: Path) -> Path:
    own = [FIRMWARE / "frontend" / f for f in ("frontend.cc", "port.c", "portable_math.c")]
    flags = ["-include", "port.h"]
    return _program(package, "ours", [*own, HERE / "frontend_harness.cc"], flags)


@pytest.fixture(scope="module")
def upstream(package: Path) -> Path:
    harness = package / "upstream_harness.cc"
    text = (HERE / "frontend_harness.cc").read_text(encoding="utf-8")
    harness.write_text(f"#define UPSTREAM\n{text}", encoding="utf-8")
    return _program(package, "upstream", [harness], [])


def _pcm(samples: list[float]) -> bytes:
    clipped = [max(-32768, min(32767, round(s))) for s in samples]
    return struct.pack(f"<{len(clipped)}h", *clipped)


def _signals() -> dict[str, bytes]:
    chance = random.Random(3)  # noqa: S311 - a fixed sequence is wanted
    times = [n / RATE_HZ for n in range(RATE_HZ)]
    return {
        "silence": _pcm([0.0] * RATE_HZ),
        "full scale": _pcm([32767.0 if n % 2 else -32768.0 for n in range(RATE_HZ)]),
        "noise": _pcm([chance.uniform(-32768, 32767) for _ in times]),
        "chirp": _pcm([8000 * t * math.sin(2 * math.pi * (50 + 3500 * t) * t) for t in times]),
        "shorter than a window": _pcm([1000.0] * 400),
    }


SIGNALS = _signals()
SETTINGS = {
    "kws": ["10", "20", "4000", "0.4", "0"],
    "micro speech": ["40", "125", "7500", "0.05", "1"],
    "no noise reduction": ["32", "60", "7000", "1.0", "0"],
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("signal", SIGNALS)
def test_features_are_tensorflow_s(ours: Path, upstream: Path, signal: str, setting: str) -> None:
    arguments = SETTINGS[setting]
    rows = say(ours, SIGNALS[signal], *arguments)
    assert rows == say(upstream, SIGNALS[signal], *arguments)
    windows = 0 if signal == "shorter than a window" else 49
    assert len(rows) == windows


def test_a_setting_that_needs_more_than_the_arena_is_refused(ours: Path) -> None:
    assert say(ours, b"", "250", "125", "7500", "0.05", "1") == ["not configured"]
