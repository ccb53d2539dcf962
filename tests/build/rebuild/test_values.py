# SPDX-License-Identifier: Apache-2.0
"""Legal values that a shell, Make, SCons or C would take for something else stay as they are."""

from __future__ import annotations

import json

import pytest

from tests.conftest import NewCopy
from tests.support.changes import DESCRIPTOR

_LABEL = "it's $(touch made1) `touch made2`; ${TARGET} $HOME %s ??/ é"
_REMARK = 'a "quoted" \\ word $(touch made3)\nand a second line `touch made4` é ??/'


@pytest.mark.long
def test_commands_and_quotes_in_a_descriptor_arrive_on_the_device_unread(
    copy_of_built: NewCopy,
) -> None:
    project = copy_of_built().cached()
    label = json.dumps(_LABEL, ensure_ascii=False)
    text = project.read(DESCRIPTOR)
    text = text.replace("labels: [yes,", f"labels: [{label},", 1)
    text = text.replace("expect: yes", f"expect: {label}", 1)
    text = text.replace("{label: yes,", f"{{label: {label},", 1)
    text = text.replace("title: ", "title: $(touch made5) ", 1)
    remark = json.dumps(_REMARK, ensure_ascii=False)
    text = text.replace("parameters:\n", f"parameters:\n  remark: {remark}\n", 1)
    project.write(DESCRIPTOR, text)
    outcome = project.build("usecase=kws", "verbose=1")
    verified = json.loads(project.read("build/fvp/ethos-u55-128-shared_sram/kws_verified.json"))
    assert verified["samples"][0]["answer"] == _LABEL
    assert _LABEL in outcome.stdout
    assert not list(project.root.rglob("made*"))
