# SPDX-License-Identifier: Apache-2.0
"""What a build leaves of images that ran, and the pages that the report makes of it."""

from __future__ import annotations

import json
from pathlib import Path

from ethosmith.descriptors.platform import load_platform
from ethosmith.images.elf import read_image
from ethosmith.images.link_map import read_link_map
from ethosmith.images.memory_page import page_of, render
from ethosmith.report.changes import diff_of
from ethosmith.report.comparison import Figures, built_figures
from ethosmith.report.history import History
from ethosmith.report.index import index_text
from ethosmith.report.page import Past, page_text
from ethosmith.report.vela_figures import read_layers
from tests.support.project_copy import ROOT
from tests.support.small_image import REGIONS, link

_PLATFORM = ROOT / "platforms/fvp/platform.yaml"
HOSTILE = '</script><script>document.title = "broken"</script>'
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
LAYERS = [
    "Conv2D,Conv2D,NPU,100,700,9000,a",
    "Conv2D,Relu,NPU,0,0,0,a",
    "Conv2D,Conv2D,NPU,80,500,3345,b",
    "Softmax,MaxPool,NPU,16,200,0,c_0",
    "Softmax,Sub,NPU,48,100,0,c_1",
    "TopK,TopK,CPU,0,0,0,d",
]


_REVISION = "0123456789abcdef0123456789abcdef01234567"
_PROJECT = "commit 0123456 of 2026-11-28"


def _write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))


def built_image(
    root: Path, accelerator: str, npu_cycles: int, *own_files: str, usecase: str = "kws"
) -> Path:
    """Write what a build leaves of one image that ran; return the image's stem."""
    stem = root / "build" / "fvp" / f"{accelerator}-shared_sram" / "@".join((usecase, *own_files))
    vela = root / "build" / "vela" / accelerator / "net"
    _write(Path(f"{vela}_summary.csv"), _csv(_VELA_SUMMARY))
    configuration = {
        "accelerator_config": accelerator,
        "memory_mode": "Shared_Sram",
        "system_config": "High_End",
        "runtime": "direct",
    }
    manifest = {
        "usecase": stem.name,
        "arguments": [
            f"usecase={usecase}",
            f"npu={accelerator}",
            *(f"model=/somewhere/{name}.tflite" for name in own_files),
        ],
        "revision": _REVISION,
        "configuration": configuration,
        "descriptor": {"name": usecase, "title": "Two words"},
        "made": {f"{vela}_vela.npz": {}},
        "outputs": {f"{stem}.axf": {"sha256": f"{npu_cycles:064}"}},
        "sizes": [{"region": "SRAM", "used_bytes": 4096, "classes": {"scratch": 4096}}],
        "tools": {"gcc": "12.2"},
    }
    counts = {"npu_cycles": npu_cycles, "axi0_rd": 30, "axi0_wr": 20, "axi1_rd": 10}
    sample = {
        "name": "yes",
        "answer": HOSTILE,
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


def layers_file(folder: Path, lines: list[str]) -> Path:
    path = folder / "net_per-layer.csv"
    path.write_text("\n".join([_LAYER_HEAD, *lines]) + "\n")
    return path


def image_page(root: Path, stem: Path) -> Path:
    """Write the page of the small image at ``stem``, and that of its memory."""
    linked = link(root / "image")
    image = read_image(linked.axf)
    link_map = read_link_map(linked.map, [section.name for section in image.sections])
    memory = page_of(image, load_platform(_PLATFORM).replace(regions=REGIONS), link_map)
    page = Path(f"{stem}_report.htm")
    Path(f"{stem}.htm").write_text(render(memory, page.name))
    figures = next(one for one in built_figures(root / "build") if one.stem == stem)
    text = page_text(
        figures,
        _data(stem),
        read_layers(layers_file(root, LAYERS)),
        memory,
        "../../report.htm",
        _past(root, figures),
    )
    page.write_text(text)
    return page


def index_page(root: Path, usecases: tuple[str, ...] = ("kws",)) -> Path:
    """Write the page of all images."""
    build, index = root / "build", root / "build/report.htm"
    images = [(figures, _past(root, figures).diff) for figures in built_figures(build, usecases)]
    index.write_text(index_text(images, index.parent, _PROJECT))
    return index


def _past(root: Path, figures: Figures) -> Past:
    build = root / "build"
    history = History(build / "history")
    return Past(diff_of(figures, history, build, None), history, _PROJECT)


def remember(root: Path) -> None:
    """Add all images to the history, as a build does in its end."""
    build = root / "build"
    history = History(build / "history")
    for figures in built_figures(build):
        history.add(diff_of(figures, history, build, None).now)


def _data(stem: Path) -> dict[str, object]:
    pipeline = [
        {
            "verb": verb,
            "name": name,
            "command": f"python -m {verb} '{HOSTILE}'",
            "inputs": [],
            "outputs": [name],
            "needs": needs,
        }
        for verb, name, needs in (("VELA", "kws", []), ("LINK", "kws.axf", [0]))
    ]
    return {
        "pipeline": pipeline,
        "manifest": json.loads(Path(f"{stem}_manifest.json").read_text()),
        "verified": json.loads(Path(f"{stem}_verified.json").read_text()),
        "result": {"uart": f"sample yes\n{HOSTILE}\n"},
        "accuracy": {
            "metric": "top1",
            "set": {"items": 8},
            "values": {"int8": 0.875, "device": 0.75},
            "drops": {"device": 0.125},
            "device_outputs_equal_int8": 7,
            "broken": [{"limit": "minimum", "allowed": 0.8, "value": 0.75}],
            "notes": [HOSTILE],
        },
    }
