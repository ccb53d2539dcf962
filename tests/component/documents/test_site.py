# SPDX-License-Identifier: Apache-2.0
"""The documentation is built without a warning, and its reader needs no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.browser import browser
from tests.support.document_commands import documents
from tests.support.project_copy import ROOT

_LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(https?:)?//[^\"]*\""
    r"|<link\b[^>]*\brel=\"(?:stylesheet|preconnect|icon|preload)\"[^>]*href=\"(?:https?:)?//"
    r"|@import|url\(\s*[\"']?https?:"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, "--config-file", str(ROOT / "mkdocs.yml"), "--site-dir", str(folder)],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_document_is_a_page(site: Path) -> None:
    pages = {path.stem for path in site.glob("*.html")} - {"404"}
    assert pages == {Path(name).stem for name in documents()} - {"README"}


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in [*site.rglob("*.html"), *site.rglob("*.css")]:
        assert not _LOADED.search(page.read_text("utf-8")), page.name


def test_the_first_page_leads_to_every_other(site: Path) -> None:
    linked = set(re.findall(r"\]\(([a-z0-9-]+)\.md[)#]", documents()["docs/index.md"]))
    assert linked == {page.stem for page in site.glob("*.html")} - {"404", "index"}


_FOUND = "return [...document.querySelectorAll('.md-search-result__link')].map((one) => one.href)"
_TYPE = """
const field = document.querySelector("[data-md-component=search-query]");
field.focus();
field.value = arguments[0];
field.dispatchEvent(new Event("keyup"));
"""


def test_the_search_works_where_the_site_is_opened_as_files(site: Path, tmp_path: Path) -> None:
    with browser(tmp_path) as window:
        window.show(1366, "light")
        window.open((site / "index.html").as_uri())
        window.run(_TYPE, "budgets")
        until = time.monotonic() + 20
        while not (found := window.run(_FOUND)) and time.monotonic() < until:
            time.sleep(0.1)
        assert (site / "at-the-desk.html").as_uri() in found
        assert window.console() == []


def test_the_readme_s_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", documents()["README.md"]):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_editor_s_settings_name_every_schema() -> None:
    said = documents()["docs/editors.md"]
    for schema in (ROOT / "schemas").iterdir():
        assert f'"schemas/{schema.name}": ' in said
