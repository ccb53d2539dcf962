# SPDX-License-Identifier: Apache-2.0
"""Exactly the steps that a change concerns run again, and no others."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import NewCopy
from tests.support.changes import AFTER_QUANTISE, CHANGES, DESCRIPTOR, Change, steps
from tests.support.project_copy import ProjectCopy

_KWS = "usecase=kws"


def _changes() -> list[object]:
    slow = pytest.mark.slow
    return [pytest.param(c, id=c.name, marks=[slow] if c.is_slow else []) for c in CHANGES]


@pytest.mark.parametrize("change", _changes())
def test_a_change_runs_exactly_its_own_steps(change: Change, copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    change.edit(project)
    assert project.build(_KWS).steps == steps(change.causes)
    assert project.build(_KWS).steps == set()


def test_a_build_without_changes_writes_nothing(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    before = written(project)
    project.build(_KWS, "time_limit_s=59", "offline=1")
    assert written(project) == before


def written(project: ProjectCopy) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in project.built_paths()}


def test_the_user_s_locale_and_other_variables_are_no_inputs(copy_of_built: NewCopy) -> None:
    project = copy_of_built(LANG="tr_TR.UTF-8", LC_ALL="C", CFLAGS="-Og", PYTHONHASHSEED="7")
    assert project.build(_KWS).steps == set()


_SHAPE = "SHAPE USECASE/input_shape.json\n"


def own_network(project: ProjectCopy) -> Path:
    """Give kws a network in a file of its own, the same one."""
    model = project.root / "usecases/kws/net.h5"
    shutil.copyfile(project.root / "build/usecases/kws/model/keyword_spotting.h5", model)
    head, tail = project.read(DESCRIPTOR).split("model:\n  name: ds_cnn\n")
    tail = tail[tail.index("  input_shape") :]
    project.write(DESCRIPTOR, f"{head}model:\n  name: ds_cnn\n  source: {{path: net.h5}}\n{tail}")
    return model


def test_a_model_that_changes_is_quantised_compiled_and_run(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    change_weights(own_network(project))
    assert project.build(_KWS).steps == steps(_SHAPE + AFTER_QUANTISE)


@pytest.mark.long
def test_the_same_model_at_another_place_is_not_compiled_again(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    own_network(project)
    assert project.build(_KWS).steps == steps(f"{_SHAPE} QUANTISE USECASE/ds_cnn_int8.tflite")


def change_weights(model: Path) -> None:
    import h5py

    names: list[str] = []
    with h5py.File(model, "r+") as file:
        weights = file["model_weights"]
        weights.visit(lambda name: names.append(name) if name.endswith("dense/kernel:0") else None)
        weights[names[0]][...] *= 0.875


@pytest.mark.long
def test_npu_settings_share_what_they_can_and_keep_what_is_their_own(
    copy_of_built: NewCopy,
) -> None:
    project = copy_of_built()
    other = project.build(_KWS, "npu=ethos-u55-64").steps
    shared = {step for step in other if step.split()[1].startswith(SHARED_FOLDERS)}
    assert shared == set()
    assert "VELA ds_cnn ethos-u55-64 Shared_Sram" in other
    assert "RUN build/fvp/ethos-u55-64-shared_sram/kws.axf" in other
    assert project.build(_KWS, "npu=ethos-u55-128").steps == set()
    assert project.build(_KWS, "npu=ethos-u55-64").steps == set()
    assert project.build(_KWS, "npu=ethos-u55-64,ethos-u55-128").steps == set()


SHARED_FOLDERS = ("build/usecases", "build/host", "build/packages", "build/fvp/lib")


@pytest.mark.long
def test_another_target_shares_the_network(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    verbs = {step.split()[0] for step in project.build(_KWS, "target=mps3").steps}
    assert verbs.isdisjoint({"OBTAIN", "FEATURES", "QUANTISE", "VELA", "RUN"})
    assert "LINK" in verbs
    assert project.build(_KWS, "target=fvp").steps == set()
    assert project.build(_KWS, "target=mps3").steps == set()


def tool_that_reports(folder: Path, tool: str) -> str:
    """Put a program ``tool`` of another version, which does the same, first on the PATH."""
    folder.mkdir()
    real = shutil.which(tool)
    version = f'[ "$*" = --version ] && echo "{tool} (another) 99.1" && exit'
    script = f'#!/bin/sh\n{version}\nexec {real} "$@"\n'
    (folder / tool).write_text(script)
    (folder / tool).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.long
def test_another_compiler_compiles_all_for_the_device_and_nothing_for_the_host(
    copy_of_built: NewCopy, tmp_path: Path
) -> None:
    project = copy_of_built(PATH=tool_that_reports(tmp_path / "bin", "arm-none-eabi-gcc"))
    ran = project.build(_KWS).steps
    objects = {f"build/{name}" for name in project.built_files() if name.endswith(".o")}
    of_device = {name for name in objects if name.startswith("build/fvp/")}
    assert {step.split()[1] for step in ran if step[0] == "C"} == of_device
    # The objects came out the same: no archive is made again, and the board need not run.
    assert {step for step in ran if step[0] != "C"} == steps("LINK IMAGE/kws.axf")


def test_another_qemu_runs_the_image_again(copy_of_built: NewCopy, tmp_path: Path) -> None:
    project = copy_of_built(PATH=tool_that_reports(tmp_path / "bin", "qemu-system-arm"))
    assert project.build(_KWS).steps == steps("RUN IMAGE/kws.axf")


def test_another_vela_compiles_the_network_again(copy_of_built: NewCopy, tmp_path: Path) -> None:
    # What another version leaves in site-packages, found first.
    metadata = tmp_path / "packages" / "ethos_u_vela-5.99.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: ethos-u-vela\nVersion: 5.99\n")
    project = copy_of_built(PYTHONPATH=str(tmp_path / "packages"))
    assert project.build(_KWS).steps == steps("VELA ds_cnn ethos-u55-128 Shared_Sram")


@pytest.mark.long
def test_a_header_that_a_flag_includes_compiles_its_users_again(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    objects = {f"build/{name}" for name in project.built_files() if name.endswith(".o")}
    users = {name for name in objects if "/pymicro-features/" in name}
    project.append("firmware/frontend/port.h", "// A remark.\n")
    compiled = {step.split()[1] for step in project.build(_KWS).steps if step[0] == "C"}
    assert users
    assert users <= compiled


def test_cleaning_leaves_nothing(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    project.build("-c")
    assert not (project.root / "build").exists()
    before = {path.relative_to(project.root) for path in project.root.rglob("*")}
    assert not [path for path in before if path.name.startswith(".")]
