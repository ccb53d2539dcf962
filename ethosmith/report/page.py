# SPDX-License-Identifier: Apache-2.0
"""Write NAME_report.htm: what one image is, how it was made, and how it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ethosmith.core.files import sha256_of
from ethosmith.images.memory_page import Page
from ethosmith.images.symbols import SymbolRow
from ethosmith.report.comparison import Figures, inferences_of
from ethosmith.report.pages import Tile, bars, render, treemap
from ethosmith.report.pipeline import NODE_HEIGHT, NODE_WIDTH, Drawing, draw, read_steps
from ethosmith.report.vela_figures import Layer

TEMPLATE = "page.htm.j2"
_TILES = 40
_SMALLEST_TILE_SHARE = 0.004
_OTHER = "smaller ones"
_MEMORY_NAMES = {
    "sram": "SRAM",
    "dram": "DRAM",
    "on_chip_flash": "On-chip flash",
    "off_chip_flash": "Off-chip flash",
}
# What the treemap tells apart, and the number of its colour.
_KINDS = {"program": 0, "scratch": 1, "data": 2, "model": 3, _OTHER: 4, "samples": 5}
_KIND_OF_CLASS = {
    "vectors": "program",
    "code": "program",
    "constants": "program",
    "initial values": "program",
    "model command stream": "model",
    "model weights": "model",
    "scratch": "scratch",
    "fast scratch": "scratch",
    "samples": "samples",
}
_NPU_COUNTS = {
    "npu_cycles": "NPU cycles",
    "axi0_rd": "AXI0 read",
    "axi0_wr": "AXI0 written",
    "axi1_rd": "AXI1 read",
}
_OPEN_BOARD = "open board"
_DEFAULT_RUNTIME = "direct"


def _treemaps(page: Page) -> dict[str, list[Tile]]:
    found: dict[str, list[Tile]] = {}
    for region, rows in page.symbols.items():
        sized = [row for row in rows if row.size_bytes > 0]
        if len(sized) > 1:
            found[region] = treemap(_parts(sized))
    return found


def _parts(rows: Sequence[SymbolRow]) -> list[tuple[str, str, int]]:
    """Return the largest symbols, and one part for all the others."""
    total = sum(row.size_bytes for row in rows)
    shown = [r for r in rows[:_TILES] if r.size_bytes >= _SMALLEST_TILE_SHARE * total]
    parts = [
        (row.name, _KIND_OF_CLASS.get(row.section_class, "data"), row.size_bytes) for row in shown
    ]
    rest = sum(row.size_bytes for row in rows[len(shown) :])
    if rest:
        parts.append((f"{len(rows) - len(shown)} {_OTHER}", _OTHER, rest))
    return parts


def _layer_chart(layers: Sequence[Layer], identifier: str, title: str, field: str) -> Markup:
    labels = [f"{number} {layer.operator}" for number, layer in enumerate(layers, start=1)]
    values = [float(getattr(layer, field)) for layer in layers]
    return Markup(bars(identifier, title, labels, {title: values}))  # noqa: S704 our own SVG


def _cycles_chart(figures: Figures) -> Markup:
    if figures.estimate is None:
        return Markup()
    title = "NPU cycles of the last run and Vela's estimates"
    labels = ["last run", "Vela, computing alone", "Vela, with memory"]
    values = [figures.npu_cycles, figures.estimate.npu_cycles, figures.estimate.cycles]
    return Markup(bars("cycles", title, labels, {"cycles": values}))  # noqa: S704 our own SVG


def _columns(figures: Figures) -> dict[str, str]:
    """Return the counts to show of each sample, with their titles."""
    counted = {"cpu_instructions": "CPU instructions"}
    return {
        **(_NPU_COUNTS if figures.estimate else {}),
        **(counted if figures.cpu_instructions is not None else {}),
    }


def _configuration(figures: Figures, *more: str) -> str:
    runtime = f"runtime {figures.runtime}" if figures.runtime != _DEFAULT_RUNTIME else ""
    return ", ".join(word for word in (figures.npu, figures.memory_mode, *more, runtime) if word)


def _hashes(pipeline: Drawing) -> dict[str, str]:
    """Return the SHA-256 of every file that a step reads or writes and that is there."""
    paths = {p for box in pipeline.boxes for p in (*box.step.inputs, *box.step.outputs)}
    return {path: sha256_of(Path(path)) for path in sorted(paths) if Path(path).is_file()}


# What cycles are and whose, by whether the open board counted them.
_CYCLES = {
    True: (
        "one inference, estimated by the NPU model",
        "the open board's cycles are its NPU model's own estimate.",
    ),
    False: ("one inference", "the FVP's cycles are as it counts them."),
}


def page_text(
    figures: Figures,
    data: Mapping[str, Any],
    layers: Sequence[Layer],
    memory: Page,
    index: str,
) -> str:
    """Return the page's HTML.

    Args:
        figures: of the image and its last run.
        data: the contents of NAME_manifest.json, NAME_result.json, NAME_verified.json,
            NAME_pipeline.json and NAME_times.json, and of NAME_accuracy.json if there is one, by
            the last part of their names.
        layers: Vela's estimate of each; none on the CPU alone.
        memory: what lies where.
        index: where the index page is, from the page.
    """
    pipeline = draw(read_steps(data["pipeline"], data["times"]))
    cycles_are, cycles_note = _CYCLES[figures.simulator.startswith(_OPEN_BOARD)]
    return render(
        TEMPLATE,
        figures=figures,
        manifest=data["manifest"],
        run=data["verified"],
        accuracy=data.get("accuracy"),
        inferences=[len(inferences_of(sample)) for sample in data["verified"]["samples"]],
        log=data["result"]["uart"],
        layers=layers,
        on_npu=sum(layer.target == "NPU" for layer in layers),
        cycles_are=cycles_are,
        cycles_note=cycles_note,
        memory_names=_MEMORY_NAMES,
        columns=_columns(figures),
        linked="prebuilt_image" not in data["manifest"],
        title=_configuration(figures),
        configuration=_configuration(figures, data["manifest"]["configuration"]["system_config"]),
        cycles_chart=_cycles_chart(figures),
        layer_cycles=_layer_chart(layers, "layer-cycles-chart", "Cycles by layer", "cycles"),
        layer_memory=_layer_chart(
            layers, "layer-memory-chart", "Staging bytes by layer", "staging_bytes"
        ),
        usages=memory.usages,
        treemaps=_treemaps(memory),
        kinds=_KINDS,
        pipeline=pipeline,
        node_width=NODE_WIDTH,
        node_height=NODE_HEIGHT,
        hashes=_hashes(pipeline),
        index=index,
    )
