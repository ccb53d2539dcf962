# SPDX-License-Identifier: Apache-2.0
"""`scons verify`: what is built together, what is said of an image that came out otherwise."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.verify.manifests import Manifest, read_manifest
from ethosmith.verify.rebuild import check_folders, copy_project, groups, verdict

_FOLDER = "build/fvp/ethos-u55-128-shared_sram"
_AXF = f"{_FOLDER}/kws.axf"


def file(text: str) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "size_bytes": len(text)}


def data(**changes: Any) -> dict[str, Any]:
    whole = {
        "schema": 1,
        "usecase": "kws",
        "arguments": ["usecase=kws", "target=fvp", "npu=ethos-u55-128"],
        "revision": "f00",
        "inputs": {"firmware/main.c": file("main")},
        "made": {"build/usecases/kws/net_int8.tflite": file("network")},
        "outputs": {_AXF: file("image"), f"{_FOLDER}/sectors/kws/itcm.bin": file("code")},
        "tools": {"gcc": "12.2.0"},
    }
    return {**copy.deepcopy(whole), **changes}


def written(root: Path, content: object) -> Path:
    path = root / _FOLDER / "kws_manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return path


def judged(tmp_path: Path, **changes: Any) -> tuple[bool, str]:
    recorded = read_manifest(written(tmp_path / "project", data()))
    written(tmp_path / "scratch", data(**changes))
    return verdict(recorded, tmp_path / "scratch")


_OTHER = {_AXF: file("other"), f"{_FOLDER}/sectors/kws/itcm.bin": file("code")}


def test_an_image_that_came_out_the_same_is_verified(tmp_path: Path) -> None:
    same, text = judged(tmp_path, tools={"gcc": "13"})
    assert same
    assert text.startswith("verified: kws  ")
    assert text.endswith("kws.axf: identical, 2 files\n")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tools": {"gcc": "13.1"}}, "tool gcc: 12.2.0, here 13.1"),
        ({"inputs": {"firmware/main.c": file("x")}}, "input firmware/main.c: has other bytes"),
        ({"inputs": {}}, "input firmware/main.c: is no input here"),
        ({"revision": "ba7"}, "commit f00, here ba7"),
        ({"code_sha256": "1"}, "Ethosmith's own code is another"),
        (
            {"made": {"build/usecases/kws/net_int8.tflite": file("x")}},
            "made on the way: build/usecases/kws/net_int8.tflite has other bytes",
        ),
        ({}, "nothing that is recorded differs"),
    ],
)
def test_a_file_that_came_out_otherwise_is_named_with_the_reason(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    same, text = judged(tmp_path, outputs=_OTHER, **change)
    first, second, *_ = text.splitlines()
    assert not same
    assert first.startswith("differs: ")
    assert first.endswith(": kws.axf")
    assert second.strip().startswith(reason)


@pytest.mark.parametrize("runtime", ["prebuilt", "executorch"])
def test_a_ready_image_is_verified_with_the_network_that_it_loads(
    runtime: str, tmp_path: Path
) -> None:
    ready = {"configuration": {"runtime": runtime}}
    recorded = read_manifest(written(tmp_path / "project", data(**ready)))
    other = {"build/usecases/kws/net_int8.tflite": file("x")}
    written(tmp_path / "scratch", data(**ready, made=other))
    same, text = verdict(recorded, tmp_path / "scratch")
    assert not same
    assert "kws.axf: net_int8.tflite\n" in text


def test_an_image_that_was_changed_after_it_was_built_is_not_verified(tmp_path: Path) -> None:
    (tmp_path / "project" / _FOLDER / "sectors/kws").mkdir(parents=True)
    for place, text in (("kws.axf", "image"), ("sectors/kws/itcm.bin", "patched")):
        (tmp_path / "project" / _FOLDER / place).write_text(text)
    path = tmp_path / "project" / _FOLDER / "kws_manifest.json"
    path.write_text(json.dumps(data()))
    written(tmp_path / "scratch", data())
    same, text = verdict(read_manifest(path), tmp_path / "scratch")
    assert not same
    assert "itcm.bin is not what the manifest records" in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "not a valid image manifest"),
        ({"schema": 1}, "not a valid image manifest"),
        (data(schema=99), "its schema is 99, this Ethosmith reads 1"),
        (data(outputs={"x.bin": file("x")}), "not a valid image manifest"),
        (
            data(arguments=["usecase=kws", "--site-dir=/tmp/elsewhere"]),
            "not a valid image manifest",
        ),
        (data(arguments=["usecase=kws", "-f", "SConstruct.evil"]), "not a valid image manifest"),
        (data(inputs={"a": "not a hash"}), "not a valid image manifest"),
        (data(outputs={"../x.axf": file("x")}), "not a valid image manifest"),
        (
            data(outputs={_AXF: file("x"), "elsewhere/x.bin": file("x")}),
            "not a valid image manifest",
        ),
        (data(usecase="\x1b[2J"), "not a valid image manifest"),
        (data(tools={"gcc": {"version": 1}}), "not a valid image manifest"),
        (
            data(arguments=["usecase=kws", "toolchain_path=/tmp/evil"]),
            "not the programs that build",
        ),
        (data(arguments=["usecase=kws", "launch_program=x"]), "not the programs that build"),
    ],
)
def test_another_file_is_no_manifest(tmp_path: Path, content: object, says: str) -> None:
    with pytest.raises(EthosmithError, match=says):
        read_manifest(written(tmp_path, content))


def test_a_folder_of_sources_is_taken_only_if_the_user_names_it_too() -> None:
    word = "tflm_dir=/somewhere"
    manifests = [Manifest(Path("x"), {"arguments": ["usecase=kws", word]})]
    check_folders(manifests, [word])
    for given in ([], ["tflm_dir=/elsewhere"]):
        with pytest.raises(EthosmithError, match=f"say so: verify {word}$"):
            check_folders(manifests, given)


def test_use_cases_with_the_same_arguments_are_built_together() -> None:
    def manifest(*arguments: str) -> Manifest:
        return Manifest(Path("x"), {"arguments": list(arguments)})

    made = groups(
        [
            manifest("usecase=kws", "npu=ethos-u55-128", "launcher=distcc"),
            manifest("usecase=vww", "npu=ethos-u55-128", "cache=/somewhere"),
            manifest("usecase=vww", "npu=ethos-u55-64"),
            manifest("usecase=kws", "npu=ethos-u55-128", "model=own.h5"),
        ]
    )
    assert [arguments for arguments, _ in made] == [
        ["usecase=kws,vww", "npu=ethos-u55-128"],
        ["usecase=vww", "npu=ethos-u55-64"],
        ["usecase=kws", "npu=ethos-u55-128", "model=own.h5"],
    ]


def test_a_copy_has_the_project_s_files_and_nothing_built(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("SConstruct", "build/x.o", ".git/HEAD", "usecases/build/kept", "a/__pycache__/x"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    scratch = project / "build" / "verify"
    copy_project(project, scratch)
    files = {p.relative_to(scratch).as_posix() for p in scratch.rglob("*") if p.is_file()}
    assert files == {"SConstruct", "usecases/build/kept"}
