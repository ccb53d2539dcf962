# SPDX-License-Identifier: Apache-2.0
"""The report says what was built and ran, needs nothing else, and works in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.platform import load_platform
from ethosmith.images.elf import read_image
from ethosmith.images.link_map import read_link_map
from ethosmith.images.memory_page import page_of
from ethosmith.report.comparison import built_figures
from ethosmith.report.index import index_text
from ethosmith.report.page import page_text
from ethosmith.report.pages import bars, treemap
from ethosmith.report.vela_figures import read_layers
from tests.support.project_copy import ROOT
from tests.support.small_image import REGIONS, link

_PLATFORM = ROOT / "platforms/fvp/platform.yaml"
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_HOSTILE = '</script><script>document.title = "broken"</script>'
_VELA_SUMMARY = {
    "cycles_total": "2000",
    "cycles_npu": "1500",
    "core_clock": "500000000.0",
    "inference_time": "0.000004",
    "nn_macs": "12345",
    **{f"{name}_memory_used": "1.5" for name in ("sram", "off_chip_flash")},
    **{f"{name}_memory_used": "0" for name in ("dram", "on_chip_flash")},
    **{f"{name}_total_bytes": "64" for name in ("sram", "off_chip_flash")},
    **{f"{name}_total_bytes": "0" for name in ("dram", "on_chip_flash")},
}
_LAYER_HEAD = "Original Operator,NNG Operator,Target,Staging Usage,Op Cycles,MAC Count,Name"
_LAYERS = [
    "Conv2D,Conv2D,NPU,100,700,9000,a",
    "Conv2D,Relu,NPU,0,0,0,a",
    "Conv2D,Conv2D,NPU,80,500,3345,b",
    "Softmax,MaxPool,NPU,16,200,0,c_0",
    "Softmax,Sub,NPU,48,100,0,c_1",
    "TopK,TopK,CPU,0,0,0,d",
]


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
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))


def _built(root: Path, accelerator: str, npu_cycles: int) -> Path:
    """Write what a build leaves of one image that ran; return the image's stem."""
    stem = root / "build" / "fvp" / f"{accelerator}-shared_sram" / "kws"
    vela = root / "build" / "vela" / accelerator / "net"
    _write(Path(f"{vela}_summary.csv"), _csv(_VELA_SUMMARY))
    configuration = {
        "accelerator_config": accelerator,
        "memory_mode": "Shared_Sram",
        "system_config": "High_End",
        "runtime": "direct",
    }
    manifest = {
        "usecase": "kws",
        "arguments": ["usecase=kws", f"npu={accelerator}"],
        "configuration": configuration,
        "descriptor": {"title": "Two words"},
        "made": {f"{vela}_vela.npz": {}},
        "sizes": [{"region": "SRAM", "used_bytes": 4096, "classes": {"scratch": 4096}}],
        "tools": {"gcc": "12.2"},
    }
    counts = {"npu_cycles": npu_cycles, "axi0_rd": 30, "axi0_wr": 20, "axi1_rd": 10}
    sample = {
        "name": "yes",
        "answer": _HOSTILE,
        "score": "0.9961",
        "counts": counts,
        "judgement": "right",
    }
    samples = [{**sample, "windows": windows} for windows in ([], [counts, counts])]
    samples[1]["counts"] = {key: 2 * value for key, value in counts.items()}
    simulator = {"name": "open board", "version": "7.2"}
    _write(Path(f"{stem}_manifest.json"), manifest)
    _write(
        Path(f"{stem}_verified.json"),
        {"simulator": simulator, "oracle": "LiteRT", "samples": samples},
    )
    return stem


def _csv(row: dict[str, str]) -> str:
    return ",".join(row) + "\n" + ",".join(row.values()) + "\n"


def _layers(folder: Path, lines: list[str]) -> Path:
    path = folder / "net_per-layer.csv"
    path.write_text("\n".join([_LAYER_HEAD, *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def image_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of one small image."""
    root = tmp_path_factory.mktemp("report page")
    stem = _built(root, "ethos-u55-128", 1234)
    linked = link(root / "image")
    image = read_image(linked.axf)
    link_map = read_link_map(linked.map, [section.name for section in image.sections])
    platform = load_platform(_PLATFORM).replace(regions=REGIONS)
    pipeline = [
        {
            "verb": verb,
            "name": name,
            "command": f"python -m {verb} '{_HOSTILE}'",
            "inputs": [],
            "outputs": [name],
            "needs": needs,
        }
        for verb, name, needs in (("VELA", "kws", []), ("LINK", "kws.axf", [0]))
    ]
    data = {
        "pipeline": pipeline,
        "times": {"kws": 65.0},
        "manifest": json.loads(Path(f"{stem}_manifest.json").read_text()),
        "verified": json.loads(Path(f"{stem}_verified.json").read_text()),
        "result": {"uart": f"sample yes\n{_HOSTILE}\n"},
        "accuracy": {
            "metric": "top1",
            "set": {"items": 8},
            "values": {"int8": 0.875, "device": 0.75},
            "drops": {"device": 0.125},
            "device_outputs_equal_int8": 7,
            "broken": [{"limit": "minimum", "allowed": 0.8, "value": 0.75}],
            "notes": [_HOSTILE],
        },
    }
    figures = built_figures(root / "build")[0]
    layers = read_layers(_layers(root, _LAYERS))
    text = page_text(figures, data, layers, page_of(image, platform, link_map), "../report.htm")
    page = Path(f"{stem}_report.htm")
    page.write_text(text)
    return page


def test_page_refers_to_itself_only_and_to_places_that_are_there(image_page: Path) -> None:
    page = Page(image_page.read_text())
    assert page.loads == []
    assert page.references <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {"step-1", "step-2", "chart-cycles", "chart-layer-cycles-chart"} <= set(page.ids)


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
    assert _HOSTILE not in text


def test_page_says_how_long_a_step_took_or_that_nobody_knows(image_page: Path) -> None:
    vela, link = re.findall(r"<details id=\"step-.*?</details>", image_page.read_text(), re.DOTALL)
    assert "took 1 min 5 s" in vela
    assert "not measured here" not in vela
    assert "not measured here: from the build cache" in link


def test_page_has_no_date_and_is_the_same_twice(image_page: Path) -> None:
    assert "pygal 3" not in image_page.read_text()
    chart = bars("one", "a < b", ["x & y"], {"cycles": [3.0]})
    assert chart == bars("one", "a < b", ["x & y"], {"cycles": [3.0]})
    assert "x &amp; y" in chart


def _browse(page: str, folder: Path) -> tuple[str, str]:
    """Return the page as a browser has it in the end, and what its console said."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [str(_CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += [*quiet, f"--user-data-dir={folder}", "--enable-logging=stderr", "--dump-dom", page]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, "\n".join(re.findall(r".*CONSOLE.*", done.stderr))


@pytest.mark.skipif(_CHROMIUM is None, reason="needs Chromium")
def test_browser_shows_the_step_of_a_link_without_a_complaint(
    image_page: Path, tmp_path: Path
) -> None:
    shown, console = _browse(f"{image_page.as_uri()}#step-2", tmp_path)
    assert console == ""
    assert re.search(r'<details id="step-2" open="">', shown)
    assert '<details id="step-1">' in shown
    assert "<title>kws on ethos-u55-128, Shared_Sram</title>" in shown
    assert len(re.findall(r'<rect[^>]*class="rect reactive', shown)) == 3 + 4 + 4, (
        "bars are missing"
    )


@pytest.mark.skipif(_CHROMIUM is None, reason="needs Chromium")
def test_browser_shows_the_index_without_a_complaint(tmp_path: Path) -> None:
    _built(tmp_path, "ethos-u55-128", 900)
    index = tmp_path / "build" / "report.htm"
    index.write_text(index_text(built_figures(tmp_path / "build"), index.parent))
    shown, console = _browse(index.as_uri(), tmp_path / "profile")
    assert console == ""
    assert len(re.findall(r'<rect[^>]*class="rect reactive', shown)) == 2


def test_index_has_all_images_by_size_of_the_npu_and_links_those_with_a_page(
    tmp_path: Path,
) -> None:
    for accelerator, cycles in (("ethos-u55-128", 900), ("ethos-u55-32", 3000)):
        stem = _built(tmp_path, accelerator, cycles)
    Path(f"{stem}_report.htm").write_text("")
    (tmp_path / "build/fvp/ethos-u55-64-shared_sram").mkdir()
    (tmp_path / "build/fvp/ethos-u55-64-shared_sram/kws_manifest.json").write_text("{}")
    text = index_text(built_figures(tmp_path / "build"), tmp_path / "build")
    Page(text)
    assert text.index(">ethos-u55-32</a>") < text.index(">ethos-u55-128</th>")
    assert 'href="fvp/ethos-u55-32-shared_sram/kws_report.htm"' in text
    assert "ethos-u55-64" not in text, "an image that has not run is in the report"


def test_an_image_of_another_version_is_told_in_one_line(tmp_path: Path) -> None:
    stem = _built(tmp_path, "ethos-u55-128", 900)
    Path(f"{stem}_verified.json").write_text('{"samples": [{}]}')
    with pytest.raises(EthosmithError, match=r"shared_sram/kws: was left by another version"):
        built_figures(tmp_path / "build")


def test_layers_take_in_what_is_fused_and_what_a_layer_was_split_into(tmp_path: Path) -> None:
    layers = read_layers(_layers(tmp_path, _LAYERS))
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
        read_layers(_layers(tmp_path, ["Conv2D,Conv2D,NPU,many,700,9000,a"]))


def test_treemap_fills_its_place_in_proportion_without_overlap() -> None:
    tiles = treemap([("weights", "model", 600), ("code", "program", 300), ("rest", "other", 100)])
    for tile in tiles:
        assert tile.width * tile.height == pytest.approx(tile.size_bytes * 10)
        assert tile.left + tile.width <= 100 + 1e-9
        assert tile.top + tile.height <= 100 + 1e-9
    assert sum(tile.width * tile.height for tile in tiles) == pytest.approx(100 * 100)
