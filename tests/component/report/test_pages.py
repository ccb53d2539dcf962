# SPDX-License-Identifier: Apache-2.0
"""The report says what was built and ran, and needs nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.report.comparison import built_figures
from ethosmith.report.pages import BarChart, axis_end, line
from ethosmith.report.treemaps import library_of, treemap
from ethosmith.report.vela_figures import read_layers
from tests.support import report_pages
from tests.support.report_pages import HOSTILE, LAYERS, built_image, index_page, layers_file


class Page(HTMLParser):
    """What a page refers to, and whether its elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: set[str] = set()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids += [values["id"]] if "id" in values else []
        for name in ("href", "aria-labelledby"):
            target = values.get(name, "")
            if target.startswith("#") or name == "aria-labelledby":
                self.references |= {target.lstrip("#")} - {""}
        self.loads += [values[name] for name in ("src", "xlink:href") if name in values]
        if tag not in {"meta", "br", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def image_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of one small image, which took fewer cycles in the build before."""
    root = tmp_path_factory.mktemp("report page")
    built_image(root, "ethos-u55-128", 1200)
    report_pages.remember(root)
    return report_pages.image_page(root, built_image(root, "ethos-u55-128", 1234))


def test_page_refers_to_itself_only_and_to_places_that_are_there(image_page: Path) -> None:
    page = Page(image_page.read_text())
    assert page.loads == []
    assert page.references <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {"step-1", "step-2", "cycles", "layer-cycles", "chart-history-0"} <= set(page.ids)


def test_page_has_the_accuracy_of_each_column_and_the_broken_limit(image_page: Path) -> None:
    text = image_page.read_text()
    assert 'int8 network</th><td class="r n">0.8750</td><td class="r n"></td>' in text
    assert 'device</th><td class="r n">0.7500</td><td class="r n">0.1250</td>' in text
    assert "in 7 of them. The limit minimum of 0.8 is broken." in text
    assert "float network" not in text


def test_page_has_the_figures_of_run_and_estimate_and_says_which_is_which(image_page: Path) -> None:
    text = image_page.read_text()
    assert re.search(r"NPU cycles, last run</dt><dd><span class=\"n\">1,234<", text)
    assert "estimated by the NPU model" in text
    assert re.search(r"Vela's estimate</dt><dd><span class=\"n\">2,000<", text)
    assert "3 of 4" in text
    assert HOSTILE not in text


def test_page_has_what_changed_since_the_build_before_with_its_unit(image_page: Path) -> None:
    text = image_page.read_text()
    (row,) = re.findall(r"<tr><th scope=\"row\">NPU cycles</th>.*", text)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", row)
    assert cells == ["1,200", "1,234", "+34, worse", "+2.83"]
    assert 'aria-label="NPU cycles in cycles, 2 builds: from 1,200 to 1,234"' in text


def test_page_names_the_commit_and_the_page_of_memory_leads_back(image_page: Path) -> None:
    assert "commit 0123456 of 2026-11-28" in image_page.read_text()
    memory = image_page.with_name("kws.htm")
    assert f'href="{memory.name}"' in image_page.read_text()
    assert f'href="{image_page.name}"' in memory.read_text()


def test_a_line_has_no_date_and_its_identifier_and_title_are_escaped() -> None:
    drawn = line("one", "a < b", "bytes", [3.0, None, 4.0])
    assert drawn == line("one", "a < b", "bytes", [3.0, None, 4.0])
    assert "pygal 3" not in drawn
    assert "a &lt; b in bytes" in drawn


@pytest.mark.parametrize(("most", "end"), [(0, 4), (1, 1), (3, 4), (89_900, 100_000), (401, 600)])
def test_an_axis_ends_at_a_round_number_that_everything_fits_on(most: float, end: float) -> None:
    assert axis_end(most) == end


def test_bars_are_in_proportion_and_an_unknown_one_has_no_length() -> None:
    chart = BarChart("id", "title", "bytes", ["a", "b"], {"now": [50, None], "before": [100, 25]})
    assert [[bar.percent for bar in bars] for _, bars in chart.rows] == [[50, 100], [0, 25]]


def test_index_has_all_images_by_size_of_the_npu_and_links_those_with_a_page(
    tmp_path: Path,
) -> None:
    for accelerator, cycles in (("ethos-u55-128", 900), ("ethos-u55-32", 3000)):
        stem = built_image(tmp_path, accelerator, cycles)
    Path(f"{stem}_report.htm").write_text("")
    (tmp_path / "build/fvp/ethos-u55-64-shared_sram").mkdir()
    (tmp_path / "build/fvp/ethos-u55-64-shared_sram/kws_manifest.json").write_text("{}")
    text = index_page(tmp_path).read_text()
    Page(text)
    assert text.index(">ethos-u55-32</a>") < text.index(">ethos-u55-128</th>")
    assert 'href="fvp/ethos-u55-32-shared_sram/kws_report.htm"' in text
    assert "ethos-u55-64" not in text, "an image that has not run is in the report"


def test_index_leaves_out_a_use_case_that_is_gone_and_keeps_variants_of_others(
    tmp_path: Path,
) -> None:
    built_image(tmp_path, "ethos-u55-128", 900, usecase="gone")
    stem = built_image(tmp_path, "ethos-u55-128", 900, 'gr"ö%ß')
    Path(f"{stem}.htm").write_text("")
    text = index_page(tmp_path).read_text()
    assert "gone" not in text
    assert "model=gr&#34;ö%ß.tflite" in text
    assert "kws%40gr%22%C3%B6%25%C3%9F.htm" in text, "the page of its memory is not linked"


def test_an_image_without_an_estimate_of_vela_has_its_cycles_all_the_same(tmp_path: Path) -> None:
    stem = built_image(tmp_path, "ethos-u55-128", 1234)
    file = Path(f"{stem}_manifest.json")
    manifest = json.loads(file.read_text("utf-8"))
    manifest["configuration"]["runtime"] = "executorch"
    manifest["made"] = {"build/vela/ethos-u55-128/net.pte": {}}
    file.write_text(json.dumps(manifest), "utf-8")
    (figures,) = built_figures(tmp_path / "build")
    assert (figures.estimate, figures.npu_cycles) == (None, 1234)
    assert "1,234" in index_page(tmp_path).read_text("utf-8")
    report_pages.remember(tmp_path)
    assert "NPU cycles, last run" in report_pages.image_page(tmp_path, stem).read_text("utf-8")


def test_an_executorch_program_has_the_estimate_of_its_parts_and_the_memory_at_its_peak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stem = built_image(tmp_path, "ethos-u55-128", 1234)
    manifest, verified = (Path(f"{stem}_{name}.json") for name in ("manifest", "verified"))
    found = json.loads(manifest.read_text("utf-8"))
    (summary,) = tmp_path.glob("build/vela/**/*_summary.csv")
    made = summary.relative_to(tmp_path).as_posix().replace("_summary.csv", ".pte")
    monkeypatch.chdir(tmp_path)
    found["configuration"]["runtime"] = "executorch"
    found["made"] = {made: {}}
    manifest.write_text(json.dumps(found), "utf-8")
    run = {**json.loads(verified.read_text("utf-8")), "runner_peak_bytes": 3072}
    verified.write_text(json.dumps(run), "utf-8")
    (figures,) = built_figures(tmp_path / "build")
    assert figures.estimate is not None
    report_pages.remember(tmp_path)
    text = report_pages.image_page(tmp_path, stem).read_text("utf-8")
    assert "Memory at the peak</dt><dd>3.0 KiB" in text


def test_an_image_of_another_version_is_told_in_one_line(tmp_path: Path) -> None:
    stem = built_image(tmp_path, "ethos-u55-128", 900)
    Path(f"{stem}_verified.json").write_text('{"samples": [{}]}')
    with pytest.raises(EthosmithError, match=r"shared_sram/kws: was left by another version"):
        built_figures(tmp_path / "build")


def test_layers_take_in_what_is_fused_and_what_a_layer_was_split_into(tmp_path: Path) -> None:
    layers = read_layers(layers_file(tmp_path, LAYERS))
    assert [(layer.operator, layer.parts, layer.cycles) for layer in layers] == [
        ("Conv2D", 2, 700),
        ("Conv2D", 1, 500),
        ("Softmax", 2, 300),
        ("TopK", 1, 0),
    ]
    assert [layer.staging_bytes for layer in layers] == [100, 80, 48, 0]
    assert [layer.target for layer in layers] == ["NPU", "NPU", "NPU", "CPU"]


def test_a_file_that_is_not_vela_s_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match=r"net_per-layer\.csv: is not what Vela writes"):
        read_layers(layers_file(tmp_path, ["Conv2D,Conv2D,NPU,many,700,9000,a"]))


def test_treemap_fills_its_place_in_proportion_without_overlap() -> None:
    parts = [("weights", "model", 600), ("code", "runtime", 300), ("rest", "other", 100)]
    tiles = treemap(parts, {"model": "0", "runtime": "1"})
    assert [tile.colour for tile in tiles] == ["0", "1", "other"]
    for tile in tiles:
        assert tile.width * tile.height == pytest.approx(tile.size_bytes * 10)
        assert tile.left + tile.width <= 100 + 1e-9
        assert tile.top + tile.height <= 100 + 1e-9
    assert sum(tile.width * tile.height for tile in tiles) == pytest.approx(100 * 100)


@pytest.mark.parametrize(
    ("origin", "library"),
    [
        ("build/fvp/lib/libnpu.a(npu.c.o)", "npu"),
        ("libgcc.a(_udivmoddi4.o)", "gcc"),
        ("build/fvp/x/obj/kws/model.c.o", "model"),
        ("build/fvp/x/obj/kws/clip_features.cc.o", "use case"),
        ("", "linker script"),
    ],
)
def test_a_symbol_s_library_is_that_of_its_object_file(origin: str, library: str) -> None:
    assert library_of(origin) == library
