# SPDX-License-Identifier: Apache-2.0
"""What was validated once is the same when it comes from the note of it, or is validated anew."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.base import Strict
from ethosmith.descriptors.load import Parsed, load
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.descriptors.reference import DESCRIPTORS
from tests.support.project_copy import ROOT

_SHIPPED = [
    (path, model)
    for place, model in DESCRIPTORS
    for path in sorted(ROOT.glob(place.replace("NAME", "*")))
]
_PLATFORM = ROOT / "platforms/fvp/platform.yaml"


@pytest.mark.parametrize(("path", "model"), _SHIPPED, ids=lambda value: getattr(value, "stem", ""))
def test_a_kept_descriptor_is_the_one_that_was_validated(
    path: Path, model: type[Strict], tmp_path: Path
) -> None:
    first = Parsed(tmp_path / "notes")
    validated = load(model, path, parsed=first)
    first.save()
    kept = load(model, path, parsed=Parsed(tmp_path / "notes"))
    assert kept == validated
    assert repr(kept) == repr(validated), "1 and 1.0 are equal, and yet not the same"


def test_a_kept_descriptor_needs_neither_pydantic_nor_yaml(tmp_path: Path) -> None:
    notes = Parsed(tmp_path / "notes")
    load_platform(_PLATFORM, notes)
    notes.save()
    program = (
        "import sys; from pathlib import Path\n"
        "from ethosmith.descriptors.load import Parsed\n"
        "from ethosmith.descriptors.platform import load_platform\n"
        "print(load_platform(Path(sys.argv[1]), Parsed(Path(sys.argv[2]))).name)\n"
        "print({'pydantic', 'yaml'} & sys.modules.keys())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(_PLATFORM), str(tmp_path / "notes")],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout == "fvp\nset()\n", done.stdout + done.stderr


def test_the_graph_is_imported_without_pydantic_and_yaml() -> None:
    nodes = ast.parse((ROOT / "SConstruct").read_text("utf-8")).body
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    imports = [ast.unparse(node) for node in froms if (node.module or "").startswith("ethosmith")]
    assert imports
    program = "\n".join(
        ["import sys", *imports, "print({'pydantic', 'yaml'} & sys.modules.keys())"]
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "set()\n", done.stdout


def _other_seal(text: str) -> str:
    return "0" * 64 + text[64:]


def _another_clock(text: str) -> str:
    assert text.count("32000000") == 1
    return text.replace("32000000", "32000001")


DAMAGES: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "cut": lambda text: text[: len(text) // 2],
    "not JSON": lambda text: text.replace("{", "[", 1),
    "one value": _another_clock,
    "by other code": _other_seal,
    "deep": lambda _: "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_note_is_ignored(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    notes = Parsed(file)
    validated = load_platform(_PLATFORM, notes)
    notes.save()
    file.write_text(DAMAGES[damage](file.read_text("utf-8")), "utf-8")
    again = Parsed(file)
    assert load_platform(_PLATFORM, again) == validated
    again.save()
    assert json.loads(file.read_text("utf-8").partition("\n")[2]), "it was not repaired"


def test_what_a_file_says_now_counts_and_not_what_it_said(tmp_path: Path) -> None:
    path = tmp_path / "fvp" / "platform.yaml"
    path.parent.mkdir()
    text = _PLATFORM.read_text("utf-8")
    path.write_text(text, "utf-8")
    notes = Parsed(tmp_path / "notes")
    load_platform(path, notes)
    path.write_text(text.replace("baud: 115200", "baud: 9600"), "utf-8")
    assert load_platform(path, notes).uart.baud == 9600
    path.write_text(text.replace("baud: 115200", "baud: x"), "utf-8")
    with pytest.raises(EthosmithError, match=r"platform\.yaml:\d+:9: uart\.baud"):
        load_platform(path, notes)


def test_problems_around_a_file_are_found_although_the_file_is_known(tmp_path: Path) -> None:
    from ethosmith.descriptors.usecase_checks import load_usecase

    path = ROOT / "usecases/kws/usecase.yaml"
    notes = Parsed(tmp_path / "notes")
    usecase = load_usecase(path, ("frontend",), ("silabs-mltk",), notes)
    assert usecase.name == "kws"
    with pytest.raises(EthosmithError, match=r"usecase\.yaml:\d+:\d+: unknown library 'frontend'"):
        load_usecase(path, (), ("silabs-mltk",), notes)


def test_nothing_is_kept_where_there_is_no_folder_for_it(tmp_path: Path) -> None:
    notes = Parsed(tmp_path / "build" / "notes")
    assert isinstance(load_platform(_PLATFORM, notes), Platform)
    notes.save()
    assert list(tmp_path.iterdir()) == []
