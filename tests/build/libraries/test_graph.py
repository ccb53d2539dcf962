# SPDX-License-Identifier: Apache-2.0
"""In the graph: sources come from `deps` or a folder, never from a build; a library is one node."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.build.libraries.conftest import pin
from tests.support.project_copy import ProjectCopy
from tests.support.upstream import NAMES, commit_all

pytestmark = pytest.mark.long

_TFLM = "build/fvp/lib/libtflm.a"
_CMSIS_NN = "build/fvp/lib/libcmsis_nn.a"
_DRIVER = "build/fvp/ethos-u55-128-shared_sram/lib/libethosu_driver.a"
_ALL = ("usecase=kws", _TFLM, _CMSIS_NN, _DRIVER)
_STEPS = {f"NINJA {target}" for target in _ALL[1:]}
_PACK = "tensorflow/lite/micro/kernels/pack.cc"


@pytest.fixture(scope="module")
def fetched(unfetched: ProjectCopy) -> ProjectCopy:
    """The project after `scons deps`, built; the tests of this module run in their order."""
    outcome = unfetched.scons(*_ALL)
    assert outcome.exit_code == 2
    assert "error: the sources of cmsis, cmsis_nn, ethosu_driver, flatbuffers, " in outcome.stderr
    assert "run './scons deps usecase=kws', or give cmsis_dir=FOLDER" in outcome.stderr
    upstream = unfetched.scons("upstream_tests").stderr
    assert "the sources of tflm are not here, and a build fetches none: run './scons " in upstream
    assert "deps usecase=kws runtime=tflm'" in upstream
    told = unfetched.build("deps", "usecase=kws").text
    verified = re.findall(r"^(\w+) [0-9a-f]{12}: \d+ files, .* verified$", told, re.M)
    assert sorted(verified) == sorted(NAMES)
    assert unfetched.build(*_ALL, "offline=1").steps == _STEPS
    return unfetched


def text_of(project: ProjectCopy, archive: str) -> bytes:
    return (project.root / archive).read_bytes()


def test_deps_alone_is_about_everything_that_is_declared(fetched: ProjectCopy) -> None:
    names = sorted(path.stem for path in (fetched.root / "repositories").glob("*.yaml"))
    assert {*NAMES, "kissfft"} <= set(names)
    assert f"FETCH     {', '.join(names)}\n" in fetched.build("-n", "deps").stdout


def test_what_is_current_is_left_alone(fetched: ProjectCopy) -> None:
    assert fetched.build(*_ALL).steps == set()


def test_another_revision_rebuilds_its_library_and_no_other(
    fetched: ProjectCopy, upstreams: dict[str, Path]
) -> None:
    pack = upstreams["tflm"] / _PACK
    pack.write_text(pack.read_text().replace('"reference"', '"second"'))
    pin(fetched, "tflm", upstreams["tflm"], commit_all(upstreams["tflm"]))
    outcome = fetched.scons("deps", "usecase=kws", "offline=1")
    assert outcome.exit_code != 0
    assert "not in the cache, and offline=1 forbids fetching it" in outcome.text
    fetched.build("deps", "usecase=kws")
    assert fetched.build(*_ALL).steps == {f"NINJA {_TFLM}"}
    assert b"\0second\0" in text_of(fetched, _TFLM)


def test_newest_tells_of_revisions_that_are_not_pinned_and_leaves_pins_alone(
    fetched: ProjectCopy, upstreams: dict[str, Path]
) -> None:
    ruy = upstreams["ruy"]
    (ruy / "new.h").write_text("// new\n")
    newest = commit_all(ruy)
    before = fetched.read("repositories/ruy.yaml")
    told = fetched.build("newest", "usecase=kws").stdout
    assert re.search(rf"^ruy \w{{12}}: the newest is {newest[:12]}; no contract", told, re.M)
    assert re.search(r"^tflm \w{12}: is the newest$", told, re.M)
    assert fetched.read("repositories/ruy.yaml") == before
    assert fetched.build(*_ALL).steps == set()


def test_upstream_tests_look_for_networks_in_what_was_fetched(fetched: ProjectCopy) -> None:
    outcome = fetched.scons("upstream_tests")
    assert outcome.exit_code == 2
    assert "error: build/repositories/tflm: there are no networks in tensorflow/" in outcome.stderr


@pytest.mark.slow
def test_a_folder_takes_the_place_and_each_change_in_it_counts(
    fetched: ProjectCopy, upstreams: dict[str, Path], tmp_path: Path
) -> None:
    folders = {name: tmp_path / "my folders" / name for name in ("tflm", "cmsis")}
    for name, folder in folders.items():
        shutil.copytree(upstreams[name], folder)
    words = [f"{name}_dir={folder}" for name, folder in folders.items()]
    assert fetched.build(*_ALL, *words).steps == _STEPS
    assert fetched.build(*_ALL, *words).steps == set()
    pack = folders["tflm"] / _PACK
    pack.write_text(pack.read_text().replace('"second"', '"mine"'))
    assert fetched.build(*_ALL, *words).steps == {f"NINJA {_TFLM}"}
    assert b"\0mine\0" in text_of(fetched, _TFLM)
    # Nothing but this header's time says that libraries of other repositories include it.
    other = fetched.scons(*_ALL, *words, f"cmsis_dir={folders['tflm']}")
    place = f"libraries/cmsis.yaml: {folders['tflm']}"
    assert other.stderr == f"error: {place}: there is no folder CMSIS/Core/Include\n"
    header = folders["cmsis"] / "CMSIS/Core/Include/cmsis_compiler.h"
    header.write_text("#define __ASM __asm__\n")
    assert fetched.build(*_ALL, *words).steps == _STEPS
    fetched.build(*_ALL)
    assert b"\0second\0" in text_of(fetched, _TFLM), "the pinned files are back"


@pytest.mark.slow
def test_the_manifest_says_which_commit_and_that_a_folder_was_changed(
    fetched: ProjectCopy, upstreams: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "tflm"
    shutil.copytree(upstreams["tflm"], folder)
    (folder / _PACK).write_text((folder / _PACK).read_text() + "\n")
    image = "build/fvp/ethos-u55-128-shared_sram/kws"
    fetched.build("usecase=kws", f"{image}_manifest.json", f"tflm_dir={folder}")
    manifest = json.loads(fetched.read(f"{image}_manifest.json"))
    repositories = {item["name"]: item for item in manifest["repositories"]}
    assert repositories["tflm"]["folder"] == str(folder)
    assert repositories["tflm"]["dirty"] is True
    assert repositories["tflm"]["commit"] == commit_all(upstreams["tflm"])
    assert repositories["cmsis_nn"]["commit"] == commit_all(upstreams["cmsis_nn"])
    assert "folder" not in repositories["cmsis_nn"]
