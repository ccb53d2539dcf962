# SPDX-License-Identifier: Apache-2.0
"""With format=json, a target's answer is one JSON document with what the text has."""

from __future__ import annotations

import json
import re

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.listing import list_json, list_text
from ethosmith.graph.options import check_format
from ethosmith.graph.project import Project
from tests.support.project_copy import ROOT


def test_the_list_names_the_same_as_text_and_as_json() -> None:
    project = Project(ROOT)
    document, shown = json.loads(list_json(project)), list_text(project)
    assert max(map(len, shown.splitlines())) <= 80
    text = re.sub(r",\n +", ",", shown)
    for kind in ("usecases", "platforms", "toolchains", "templates"):
        for item in document[kind]:
            assert f"  {item['name']} " in text
            assert item["title"] in " ".join(shown.split())
    for name in document["repositories"]:
        assert f"  {name}_dir=" in text
    (fvp,) = (one for one in document["platforms"] if one["name"] == "fvp")
    assert f"npu={','.join(fvp['npus'])}" in text
    assert f"memory_mode={','.join(fvp['memory_modes'])}" in text


@pytest.mark.parametrize("targets", [(), ("run",), ("list", "size"), ("build/a.axf",)], ids=str)
def test_json_is_the_answer_of_one_target(targets: tuple[str, ...]) -> None:
    check_format("text", targets)
    with pytest.raises(EthosmithError, match="format=json needs one of the targets"):
        check_format("json", targets)


def test_json_of_one_target_is_allowed() -> None:
    check_format("json", ("size",))
