# SPDX-License-Identifier: Apache-2.0
"""A repository that is not what the firmware was written for is told before anything compiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.project import Project
from ethosmith.obtain.contract import check_contract
from ethosmith.steps.generate_op_resolver import ADD_METHODS
from tests.support.project_copy import ROOT

_CONTRACT = {"include/driver.h": ["int start(struct driver *drv, int mode);", "#define MAJOR 1"]}
_FAKES = {"tflm": "tflite-micro", "cmsis_nn": "CMSIS-NN", "ethosu_driver": "ethos-u-core-driver"}


def _write(folder: Path, text: str) -> None:
    (folder / "include").mkdir()
    (folder / "include/driver.h").write_text(text)


def test_white_space_is_not_part_of_it(tmp_path: Path) -> None:
    _write(tmp_path, "#define  MAJOR 1\nint start(struct driver *drv,\n          int mode);\n")
    check_contract("driver", "commit 1", tmp_path, _CONTRACT)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("#define MAJOR 1\nint start(struct driver *drv);\n", "'int start(struct driver *drv, int"),
        ("int start(struct driver *drv, int mode);\n#define MAJOR 2\n", "'#define MAJOR 1'"),
        ("", "'int start(struct driver *drv, int mode);' and 1 more"),
    ],
)
def test_another_interface_is_named(tmp_path: Path, text: str, missing: str) -> None:
    _write(tmp_path, text)
    with pytest.raises(EthosmithError) as error:
        check_contract("driver", "folder /src/driver", tmp_path, _CONTRACT)
    assert missing in str(error.value)
    assert str(error.value).startswith("driver at folder /src/driver: include/driver.h does not")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match=r"driver at commit 1: has no include/driver\.h; "):
        check_contract("driver", "commit 1", tmp_path, _CONTRACT)


def test_a_contract_that_holds_behind_patches_is_not_asked_of_what_is_fetched() -> None:
    plain, patched = (Project(ROOT).repository(n).descriptor for n in ("tflm", "kissfft_tflm"))
    assert plain.fetched_contract == plain.contract != {}
    assert patched.contract
    assert patched.patches
    assert not patched.fetched_contract


@pytest.mark.parametrize("name", _FAKES)
def test_the_fakes_keep_the_contract_of_the_pinned_revision(name: str) -> None:
    contract = Project(ROOT).repository(name).descriptor.contract
    assert contract
    check_contract(name, "the fake", ROOT / "tests" / "fakes" / _FAKES[name], contract)


def test_the_contract_names_every_kernel_that_a_resolver_may_add() -> None:
    contract = Project(ROOT).repository("tflm").descriptor.contract
    (header,) = (path for path in contract if path.endswith("micro_mutable_op_resolver.h"))
    assert set(contract[header]) == {f"{method}(" for method in ADD_METHODS}
