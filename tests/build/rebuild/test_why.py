# SPDX-License-Identifier: Apache-2.0
"""`why` names what changed, with old and new value, builds nothing, and remembers the last time."""

from __future__ import annotations

import pytest

from tests.build.rebuild.test_rebuild import written
from tests.conftest import NewCopy
from tests.support.changes import DESCRIPTOR

_LABELS = "build/usecases/kws/generated/labels.c"
_OBJECT = "build/fvp/ethos-u55-128-shared_sram/obj/kws/labels.c.o"
_CHANGED = "option labels changed: "


@pytest.mark.long
def test_a_change_is_the_reason_before_and_after_it_is_built(copy_of_built: NewCopy) -> None:
    project = copy_of_built().cached()
    text = project.read(DESCRIPTOR)
    project.write(
        DESCRIPTOR,
        text.replace("labels: [yes,", "labels: [yeah,")
        .replace("expect: yes", "expect: yeah")
        .replace("{label: yes,", "{label: yeah,"),
    )
    before = written(project)
    said = project.scons("why", _OBJECT)
    assert said.exit_code == 0
    assert f"{_OBJECT} would be made:" in said.stdout
    assert _CHANGED in said.stdout
    assert written(project) == before

    project.build("usecase=kws")
    said = project.scons("why", _OBJECT)
    assert f"{_OBJECT} is up to date. It was made the last time because:" in said.stdout
    assert _CHANGED in said.stdout


def test_an_output_that_was_altered_is_the_reason(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    project.write(_LABELS, project.read(_LABELS) + "\n")
    assert "it is not what its step made" in project.scons("why", _LABELS).stdout
    assert project.scons("why", "README.md").exit_code != 0
