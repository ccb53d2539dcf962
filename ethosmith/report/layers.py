# SPDX-License-Identifier: Apache-2.0
"""Show what each layer cost on the NPU, beside Vela's estimate, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.files import read_json
from ethosmith.core.table import aligned, cut_to_room
from ethosmith.core.terminal import Look

PORTS = {
    "axi0_rd_bytes": "AXI0 rd",
    "axi0_wr_bytes": "AXI0 wr",
    "axi1_rd_bytes": "AXI1 rd",
    "axi1_wr_bytes": "AXI1 wr",
}
_SCHEMA = 1


@dataclass(frozen=True)
class MeasuredLayers:
    """The layers of one image.

    Attributes:
        usecase: its name.
        configuration: NPU and memory mode, for a person.
        data: of the step measure-layers.
    """

    usecase: str
    configuration: str
    data: Mapping[str, Any]


def read_layers_file(path: Path, usecase: str, configuration: str) -> MeasuredLayers:
    """Read NAME_layers.json."""
    return MeasuredLayers(usecase, configuration, read_json(path))


def first_difference(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the first layer whose output is not the reference's, or None."""
    return next((one for one in data["layers"] if one["output"] == "differs"), None)


def verdict_of(data: Mapping[str, Any]) -> str:
    """Say how far the layers' outputs are the reference's, and why others were not compared."""
    outputs = [one["output"] for one in data["layers"]]
    equal, left = outputs.count("equal"), outputs.count("not compared")
    differing = first_difference(data)
    if not data["oracle"]:
        reasons = dict.fromkeys(one["reason"] for one in data["layers"])
        return f"No output was compared: {'; '.join(reasons)}."
    if differing is not None:
        first = (
            f"First output that differs from {data['oracle']}: layer {differing['index'] + 1},"
            f" {layer_title(differing)}: {differing['difference']}. "
        )
    else:
        first = f"No output differs from {data['oracle']}. "
    counts = f"{equal} equal, {outputs.count('differs')} differ, {left} not compared"
    reasons = dict.fromkeys(o["reason"] for o in data["layers"] if o["output"] == "not compared")
    return first + counts + (f" ({'; '.join(reasons)})." if reasons else ".")


def layer_title(layer: Mapping[str, Any]) -> str:
    """Return the name that a person gives the layer."""
    return short_name(layer["name"], layer["kind"]) or layer["kind"]


def short_name(name: str, kind: str) -> str:
    """Return what a person calls the layer: of names that a converter has joined, one."""
    marks: Mapping[str, Sequence[str]] = {
        "Conv2D": ("convolution", "Conv2D"),
        "DepthwiseConv2D": ("depthwise",),
        "FullyConnected": ("MatMul",),
    }
    parts = name.split(";")
    for mark in marks.get(kind, ()):
        for part in parts:
            path, slash, last = part.rpartition("/")
            if slash and last.startswith(mark):
                return path
    return parts[0]


def layers_text(images: Sequence[MeasuredLayers], look: Look) -> str:
    """Return a table for each image; long names are cut where a terminal has no room for them."""
    return "\n".join(_image_text(image, look) for image in images)


def layers_json(images: Sequence[MeasuredLayers]) -> str:
    """Return the same for programs."""
    document = {
        "schema": _SCHEMA,
        "images": [
            {
                "usecase": image.usecase,
                "configuration": image.configuration,
                **{key: value for key, value in image.data.items() if key != "schema"},
            }
            for image in images
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _image_text(image: MeasuredLayers, look: Look) -> str:
    data = image.data
    ports = {key: title for key, title in PORTS.items() if data["total"][key]}
    head = ("", "layer", "cycles", "Vela", *ports.values(), "output", "name")
    rows = [head, *(_layer_row(layer, ports) for layer in data["layers"])]
    for title, key in (("(added by Vela)", "others"), ("(the commands)", "commands")):
        if any(data[key].values()):
            rows.append(_row("", title, data[key], "", ports))
    vela = sum(layer["vela_cycles"] for layer in data["layers"])
    rows.append(_row("", "all", data["total"], f"{vela:,}", ports))
    numbers = {0, *range(2, len(head) - 2)}
    return (
        f"\n{image.usecase}  {image.configuration}, first inference of sample {data['sample']}\n"
        + "".join(f"  {line}\n" for line in aligned(cut_to_room(rows, look, 2), numbers))
        + f"\n{verdict_of(data)}\nBytes are whole data beats. Cycles are the model's estimate"
        " beside Vela's; a\ntransfer counts for the layer that waits for it.\n"
    )


def _layer_row(layer: Mapping[str, Any], ports: Mapping[str, str]) -> tuple[str, ...]:
    cells = _row(str(layer["index"] + 1), layer["kind"], layer, f"{layer['vela_cycles']:,}", ports)
    shown = {"not compared": "-", "differs": "DIFFERS"}.get(layer["output"], layer["output"])
    return (*cells[:-2], shown, layer_title(layer))


def _row(
    number: str, title: str, counts: Mapping[str, Any], vela: str, ports: Mapping[str, str]
) -> tuple[str, ...]:
    moved = (f"{counts[key]:,}" for key in ports)
    return (number, title, f"{counts['cycles']:,}", vela, *moved, "", "")
