# SPDX-License-Identifier: Apache-2.0
"""A browser shows the pages whole, on a phone and on a desk, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import report_pages
from tests.support.browser import Browser, browser
from tests.support.report_pages import built_image, index_page

# What breaks identifiers, style sheets, attributes and URLs.
_NAME = "gr\"ö'ß %41 <b>&amp;"
_WIDTHS = (390, 1366)
_SCHEMES = ("light", "dark")
# Texts whose end is neither on the page nor reached by scrolling.
_CUT = """
const width = document.documentElement.clientWidth;
const hidden = ".tile, .pipeline, details:not([open]) > :not(summary)";
const cut = [];
for (const one of document.querySelectorAll("main *")) {
  if (!one.childNodes.length || one.closest(hidden)) continue;
  const range = document.createRange();
  range.selectNodeContents(one);
  const box = range.getBoundingClientRect();
  if (box.width && (box.left < -1 || box.right > width + 1)) cut.push(one.outerHTML.slice(0, 120));
}
if (document.documentElement.scrollWidth > width) cut.push("the page scrolls sideways");
return cut;
"""
# Boxes that scroll sideways.
_SCROLLING = """
const scrolls = (one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX);
return [...document.querySelectorAll("main *")].filter((one) =>
  scrolls(one) && one.scrollWidth > one.clientWidth + 1
).map((one) => one.outerHTML.slice(0, 120));
"""
_ROWS = "return [...document.querySelectorAll('tbody tr')].filter((row) => row.offsetHeight > 0)"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the pages of three images, of which two were given a model of an odd name."""
    root = tmp_path_factory.mktemp("pages")
    for cycles in (1200, 1300):
        for accelerator in ("ethos-u55-32", "ethos-u55-128"):
            stem = built_image(root, accelerator, cycles + len(accelerator), _NAME)
        built_image(root, "ethos-u55-64", cycles)
        report_pages.remember(root)
    page = report_pages.image_page(root, stem)
    return {"image": page, "memory": stem.with_name(f"{stem.name}.htm"), "all": index_page(root)}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.mark.parametrize("page", ["image", "memory", "all"])
def test_nothing_is_cut_and_the_console_is_silent(
    pages: dict[str, Path], window: Browser, page: str
) -> None:
    for width in _WIDTHS:
        for scheme in _SCHEMES:
            window.show(width, scheme)
            window.open(pages[page].as_uri())
            assert window.run(_CUT) == [], f"{width} pixels, {scheme}"
            assert window.run(_SCROLLING) == [], f"{width} pixels, {scheme}"
            assert window.console() == []


@pytest.mark.parametrize("scheme", _SCHEMES)
@pytest.mark.parametrize("page", ["image", "all"])
def test_every_chart_has_a_name_and_every_bar_another_colour_than_the_page(
    pages: dict[str, Path], window: Browser, page: str, scheme: str
) -> None:
    window.show(1366, scheme)
    window.open(pages[page].as_uri())
    named = window.names_of("figure", "image", "list")
    charts = window.run("return document.querySelectorAll('.chart, .lines svg, .treemap').length")
    assert charts >= (5 if page == "image" else 1)
    assert len(named) >= charts
    assert all(named), named
    colours = window.run(
        "return [...document.querySelectorAll('.bars .value > span, .tile')]"
        ".map((one) => getComputedStyle(one).backgroundColor)"
    )
    ground = window.run("return getComputedStyle(document.body).backgroundColor")
    assert colours
    assert not {ground, "rgba(0, 0, 0, 0)", "rgb(0, 0, 0)"} & set(colours)


def test_the_index_is_sorted_and_filtered_and_leads_to_a_page_and_back(
    pages: dict[str, Path], window: Browser
) -> None:
    window.show(1366, "light")
    window.open(pages["all"].as_uri())
    cycles = "document.querySelectorAll('tbody td[data-title^=\"NPU cycles\"]')"
    shown = f"return [...{cycles}].filter((one) => one.offsetHeight).map((one) => one.textContent)"
    head = "[...document.querySelectorAll('th button')].find((one) => one.textContent[0] == 'N')"
    window.run(f"{head}.click()")
    assert window.run(shown) == ["1,313", "1,312", "1,300"]
    typed = "const field = document.querySelector('input'); field.value = arguments[0];"
    window.run(f"{typed} field.dispatchEvent(new Event('input'))", "128 model=GR")
    assert window.run(shown) == ["1,313"]
    assert window.run("return document.querySelector('[role=status]').textContent") == "1 of 3"
    window.run(f"{typed} field.dispatchEvent(new Event('input'))", "no such image")
    assert window.run("return document.querySelector('section').offsetHeight") == 0
    for link, title in (("ethos-u55-128", "kws, model="), ("All images", "Ethosmith: all images")):
        window.open(window.link(link))
        assert window.run("return document.title").startswith(title)


def test_a_link_to_a_step_opens_it_and_hostile_names_are_text(
    pages: dict[str, Path], window: Browser
) -> None:
    window.show(1366, "light")
    window.open(f"{pages['image'].as_uri()}#step-2")
    opened = "return [...document.querySelectorAll('details[open]')].map((one) => one.id)"
    assert window.run(opened) == ["step-2"]
    assert _NAME in window.run("return document.title")
    assert window.run("return document.querySelectorAll('b b, h1 b, p b').length") == 0
