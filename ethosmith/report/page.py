# SPDX-License-Identifier: Apache-2.0
"""Write NAME_report.htm: what one image is, how it was made, and how it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.files import sha256_of
from ethosmith.images.memory_page import Page
from ethosmith.report.changes import history_lines
from ethosmith.report.comparison import Figures, inferences_of
from ethosmith.report.diff import ImageDiff
from ethosmith.report.history import History
from ethosmith.report.layers import PORTS, layer_title, verdict_of
from ethosmith.report.pages import BarChart, render
from ethosmith.report.pipeline import NODE_HEIGHT, NODE_WIDTH, Drawing, draw, read_steps
from ethosmith.report.treemaps import treemaps
from ethosmith.report.vela_figures import Layer
from ethosmith.verify.verdict import ON_HOST

TEMPLATE = "page.htm.j2"
_MEMORY_NAMES = {
    "sram": "SRAM",
    "dram": "DRAM",
    "on_chip_flash": "On-chip flash",
    "off_chip_flash": "Off-chip flash",
}
_NPU_COUNTS = {
    "npu_cycles": "NPU cycles",
    "axi0_rd": "AXI0 read",
    "axi0_wr": "AXI0 written",
    "axi1_rd": "AXI1 read",
    "axi1_wr": "AXI1 written",
}
_OPEN_BOARD = "open board"
_DEFAULT_RUNTIME = "direct"


def _layer_chart(
    layers: Sequence[Layer], identifier: str, title: str, unit: str, field: str
) -> BarChart:
    labels = [f"{number} {layer.operator}" for number, layer in enumerate(layers, start=1)]
    values = [float(getattr(layer, field)) for layer in layers]
    return BarChart(identifier, title, unit, labels, {unit: values})


def _cycles_chart(figures: Figures) -> BarChart | None:
    if not figures.on_npu:
        return None
    labels, values = ["last run"], [figures.npu_cycles]
    if figures.estimate is not None:
        labels += ["Vela, computing alone", "Vela, with memory"]
        values += [figures.estimate.npu_cycles, figures.estimate.cycles]
    title = "NPU time of one inference"
    return BarChart("cycles", title, "cycles", labels, {"cycles": values})


def _columns(figures: Figures) -> dict[str, str]:
    """Return the counts to show of each sample, with their titles."""
    counted = {"cpu_instructions": "CPU instructions"}
    known = {"npu_cycles", *figures.beats}
    counts = {key: title for key, title in _NPU_COUNTS.items() if key in known}
    return {
        **(counts if figures.on_npu else {}),
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


@dataclass(frozen=True)
class Past:
    """What the page says of builds and commits.

    Attributes:
        diff: the image beside the build before.
        history: of all builds.
        project: the commit of the project; empty: it has none.
    """

    diff: ImageDiff
    history: History
    project: str = ""


def page_text(
    figures: Figures,
    data: Mapping[str, Any],
    layers: Sequence[Layer],
    memory: Page,
    index: str,
    past: Past,
) -> str:
    """Return the page's HTML.

    Args:
        figures: of the image and its last run.
        data: the contents of NAME_manifest.json, NAME_result.json, NAME_verified.json,
            NAME_pipeline.json, and of NAME_accuracy.json and NAME_layers.json if there are such,
            by the last part of their names.
        layers: Vela's estimate of each; none on the CPU alone.
        memory: what lies where.
        index: where the index page is, from the page.
        past: the builds before.
    """
    pipeline = draw(read_steps(data["pipeline"]))
    cycles_are, cycles_note = _CYCLES[figures.simulator.startswith((_OPEN_BOARD, ON_HOST))]
    return render(
        TEMPLATE,
        figures=figures,
        manifest=data["manifest"],
        run=data["verified"],
        accuracy=data.get("accuracy"),
        stages=data.get("stages"),
        inferences=[len(inferences_of(sample)) for sample in data["verified"]["samples"]],
        log=data["result"]["uart"],
        **_of_layers(layers),
        **_of_measured(data.get("layers")),
        cycles_are=cycles_are,
        cycles_note=cycles_note,
        memory_names=_MEMORY_NAMES,
        columns=_columns(figures),
        linked="prebuilt_image" not in data["manifest"],
        title=_configuration(figures),
        configuration=_configuration(figures, data["manifest"]["configuration"]["system_config"]),
        cycles_chart=_cycles_chart(figures),
        **_of_past(past),
        usages=memory.usages,
        treemaps=treemaps(memory.symbols),
        pipeline=pipeline,
        node_width=NODE_WIDTH,
        node_height=NODE_HEIGHT,
        hashes=_hashes(pipeline),
        index=index,
    )


def _of_layers(layers: Sequence[Layer]) -> dict[str, Any]:
    cycles = "Time by layer, Vela's estimate"
    staging = "Staging memory by layer, Vela's estimate"
    return {
        "layers": layers,
        "on_npu": sum(layer.target == "NPU" for layer in layers),
        "layer_cycles": _layer_chart(layers, "layer-cycles", cycles, "cycles", "cycles"),
        "layer_memory": _layer_chart(layers, "layer-memory", staging, "bytes", "staging_bytes"),
    }


def _of_measured(data: Mapping[str, Any] | None) -> dict[str, Any]:
    if data is None:
        return {"measured": None}
    titles = [f"{one['index'] + 1} {layer_title(one)}" for one in data["layers"]]
    series = {
        "as run": [float(one["cycles"]) for one in data["layers"]],
        "Vela": [float(one["vela_cycles"]) for one in data["layers"]],
    }
    return {
        "measured": data,
        "measured_titles": titles,
        "measured_ports": {k: title for k, title in PORTS.items() if data["total"][k]},
        "measured_verdict": verdict_of(data),
        "measured_chart": BarChart(
            "layers-run", "Time by layer, as run and by Vela", "cycles", titles, series
        ),
    }


def _of_past(past: Past) -> dict[str, Any]:
    return {
        "diff": past.diff,
        "changes": [change for change in past.diff.changes if change.before != change.now],
        "history": history_lines(past.history, past.diff.now),
        "project": past.project,
    }
