# SPDX-License-Identifier: Apache-2.0
"""Ten thousand mutated descriptors: each is refused in one line, or means what its text says."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.library import Library
from ethosmith.descriptors.load import load
from ethosmith.descriptors.origin import Package, Repository
from ethosmith.descriptors.platform import load_platform
from ethosmith.descriptors.usecase_checks import load_usecase
from tests.support.project_copy import ROOT

pytestmark = pytest.mark.long

MUTANTS_PER_KIND = 2500
_LIBRARIES = tuple(path.stem for path in sorted((ROOT / "libraries").glob("*.yaml")))
_PACKAGES = tuple(path.stem for path in sorted((ROOT / "packages").glob("*.yaml")))

KINDS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "use case": ("usecases/*/usecase.yaml", lambda p: load_usecase(p, _LIBRARIES, _PACKAGES)),
    "platform": ("platforms/*/platform.yaml", load_platform),
    "library": ("libraries/*.yaml", lambda p: load(Library, p)),
    "package": ("packages/*.yaml", lambda p: load(Package, p)),
    "repository": ("repositories/*.yaml", lambda p: load(Repository, p)),
}

# What a hand, an editor, a merge or an attacker may leave in a descriptor.
_TOKENS: tuple[str, ...] = (
    *"\t\r\n\0\x7f\ufeff\u2028:#-?,[]{}&*!|>%@`'\"$~=/\\",
    *("null", "true", ".nan", "-.inf", "1e999", "0x10", "0o17", "9" * 400, "1_000", "-1"),
    *(
        "../..",
        "/etc/passwd",
        "C:\\",
        "$(touch made)",
        "`touch made`",
        "%s",
        "{{ 1 }}",
        "é",
        "\U0001f600",
    ),
    *("!!python/object/apply:os.system [touch made]", "&a [*a]", "<<: *a", "---\n", "...\n"),
    *(
        "<<<<<<< HEAD\n",
        "=======\n",
        "[" * 60,
        "{" * 60,
        "? ",
        "- - - ",
        "!!binary x",
        "2026-13-45",
    ),
)


def _mutant(text: str, random_: random.Random) -> str:
    for _ in range(random_.choice((1, 1, 1, 2, 5))):
        text = random_.choice(_MUTATIONS)(text, random_)
    return text


def _cut(text: str, random_: random.Random) -> str:
    return text[: random_.randrange(len(text) + 1)]


def _insert(text: str, random_: random.Random) -> str:
    at = random_.randrange(len(text) + 1)
    return text[:at] + random_.choice(_TOKENS) + text[at:]


def _lose(text: str, random_: random.Random) -> str:
    at = random_.randrange(len(text) + 1)
    return text[:at] + text[at + random_.choice((1, 2, 8, 64)) :]


def _flip(text: str, random_: random.Random) -> str:
    if not text:
        return text
    at = random_.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ (1 << random_.randrange(8))) + text[at + 1 :]


def _line(text: str, random_: random.Random) -> str:
    """Repeat, lose, move or indent a line."""
    lines = text.splitlines(keepends=True) or [""]
    at, to = random_.randrange(len(lines)), random_.randrange(len(lines))
    kind = random_.randrange(4)
    if kind == 0:
        lines.insert(to, lines[at])
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines[at] = " " * random_.randrange(1, 5) + lines[at]
    return "".join(lines)


def _value(text: str, random_: random.Random) -> str:
    """Give a key another value."""
    places = list(re.finditer(r"(?<=: )[^\n]+", text))
    if not places:
        return text
    place = random_.choice(places)
    return text[: place.start()] + random_.choice(_TOKENS) + text[place.end() :]


_MUTATIONS = (_cut, _insert, _lose, _flip, _line, _value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutant_is_refused_in_one_line_or_is_what_its_text_says(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern, read = KINDS[kind]
    # Use cases name files beside them.
    shutil.copytree(ROOT / Path(pattern).parts[0], tmp_path / Path(pattern).parts[0])
    originals = [(path, path.read_text("utf-8")) for path in sorted(tmp_path.glob(pattern))]
    before = sorted(tmp_path.rglob("*"))
    random_ = random.Random(f"{kind} 1")  # noqa: S311 a fixed seed, no secret
    monkeypatch.chdir(tmp_path)
    refused = 0
    for number in range(MUTANTS_PER_KIND):
        original, text = random_.choice(originals)
        mutant = _mutant(text, random_)
        path = original.with_name(f"mutant{number}.yaml")
        # A lone surrogate is one more way to be wrong.
        path.write_bytes(mutant.encode("utf-8", "surrogatepass"))
        try:
            found = read(path)
        except EthosmithError as error:
            refused += 1
            assert re.match(rf"{re.escape(str(path))}:\d+:\d+: \S", str(error)), str(error)
            assert len(str(error).splitlines()) == 1, repr(str(error))
            assert str(error).isprintable(), repr(str(error))
        else:
            _assert_says(mutant, found)
        path.unlink()
    assert MUTANTS_PER_KIND * 0.3 < refused < MUTANTS_PER_KIND, refused
    assert sorted(tmp_path.rglob("*")) == before


def _assert_says(text: str, found: Any) -> None:
    """Compare with PyYAML's own reading: no key of the text is lost, and none is made up."""
    said = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 it makes nothing but text
    required = {key for key in found.key_names() if found.is_required(key)}
    assert required <= set(said) <= set(found.key_names())
    for key in set(found.key_names()) - set(said):
        assert getattr(found, key) == found.default(key)
    assert (found.title, found.name) == (said["title"], said["name"])
