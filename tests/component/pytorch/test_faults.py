# SPDX-License-Identifier: Apache-2.0
"""What real PyTorch cannot take ends in one line, or a table, at the user's source: ``-m slow``.

Skipped without the PyTorch environment: ``python -m ethosmith environment pytorch``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support import needs

pytestmark = pytest.mark.slow

_EXPECTED = {
    "sound": "",
    "archive": "",
    "hostile archive": "",
    "value": "value.py:8: cannot be exported: Could not guard on data-dependent expression",
    "raises": "raises.py:8: cannot be exported: KeyError: 'no such layer'",
    "size": "size.py:8: cannot be exported: the result of aten.index.Tensor has a size that",
    "dictionary": "dictionary.py: its forward() returns a dict; expected a tensor or a tuple of",
    "shapes": "shapes.py:8: cannot be exported: a and b must have same reduction dim",
    "newer archive": "newer.pt2: PyTorch cannot read this .pt2: its format is version ",
    "cut archive": "cut.pt2: not a usable .pt2 of torch.export: ",
    "hostile state_dict": "hostile.pt: not a state_dict of plain tensors, and nothing else is"
    " unpickled: it calls posix.mkdir; save it with torch.save(",
    "other state_dict": "other.pt: does not fit build() of ",
    "cut state_dict": "cut.pt: not a state_dict of plain tensors",
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return needs.made_by_pytorch("pytorch_faults", tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="session")
def found(folder: Path) -> dict[str, str]:
    errors: dict[str, str] = json.loads((folder / "found.json").read_text("utf-8"))
    return errors


@pytest.mark.parametrize("name", _EXPECTED)
def test_fault_is_named_in_one_line(name: str, found: dict[str, str], folder: Path) -> None:
    said = found[name].replace(f"{folder}/", "")
    assert said.startswith(_EXPECTED[name])
    assert bool(said) == bool(_EXPECTED[name])
    assert "\n" not in said


def test_operators_outside_the_npu_are_counted_at_their_line(found: dict[str, str]) -> None:
    first, header, sort, *_ = found["sort"].splitlines()
    assert "operators cannot run on the NPU" in first
    assert header.split() == ["operator", "at", "reason"]
    assert re.split(" {2,}", sort.strip()) == [
        "aten.sort x 2",
        "sort.py:8",
        "the NPU has no such operator",
    ]


def test_nothing_foreign_is_unpickled(folder: Path, found: dict[str, str]) -> None:
    assert found["hostile state_dict"]
    assert not (folder / "unpickled").exists()
