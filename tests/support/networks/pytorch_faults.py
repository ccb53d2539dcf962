# SPDX-License-Identifier: Apache-2.0
"""Networks and files that the PyTorch steps have to refuse; runs with torch installed.

Called with a folder, it prints as JSON what the build says of each, and writes ``unpickled`` there
if a pickle of a file was executed.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.export import exported_program
from ethosmith.pytorch.lower import lowered_network
from ethosmith.pytorch.quantise import quantised_program
from ethosmith.pytorch.source import ModelSource, input_shapes

_SOURCE = """import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 4, 3, padding=1)
    def forward(self, x):
        y = self.conv(x)
        {body}
def build():
    return Net()
def example_inputs():
    return torch.ones(1, 2, 8, 8)
"""
_BODIES = {
    "sound": "return y",
    "value": "return y if y.sum() > 0 else -y",
    "raises": "raise KeyError('no such layer')",
    "size": "return y[y > 0]",
    "dictionary": "return {'made': y}",
    "sort": "return torch.sort(torch.sort(y, 3).values, 3).values",
    "shapes": "return y @ torch.ones(3, 3)",
}


class Hostile:
    """A pickle of it makes a file."""

    def __init__(self, made: Path) -> None:
        self._made = made

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._made),)


def source(folder: Path, name: str, body: str, weights: Path | None = None) -> ModelSource:
    """Return a network whose forward() ends in ``body``."""
    path = folder / f"{name}.py"
    path.write_text(_SOURCE.format(body=body), "utf-8")
    return ModelSource(path, weights=weights)


def build(given: ModelSource) -> str:
    """Take the network through all steps; return the error, or nothing."""
    try:
        program = exported_program(given, "nchw", None)
        batch = [torch.ones(shape).numpy() for shape in input_shapes(program)]
        lowered_network(given.path, quantised_program(given.path, program, [batch]))
    except EthosmithError as error:
        return str(error)
    return ""


def rewritten(path: Path, saved: Path, change: Callable[[str, bytes], bytes]) -> ModelSource:
    """Return a copy of the archive ``saved`` with its members changed."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return ModelSource(path)


def archives(folder: Path, made: Path) -> dict[str, ModelSource]:
    """Return .pt2 files: sound, with a hostile pickle, of a newer version, cut off."""
    saved = folder / "saved.pt2"
    module = torch.nn.Conv2d(2, 4, 3)
    torch.export.save(torch.export.export(module, (torch.ones(1, 2, 8, 8),)), saved)

    def hostile(name: str, content: bytes) -> bytes:
        return pickle.dumps(Hostile(made)) if "sample_inputs" in name else content

    def newer(name: str, content: bytes) -> bytes:
        if not name.endswith("model.json"):
            return content
        model = json.loads(content)
        model["schema_version"]["major"] += 90
        return json.dumps(model).encode()

    cut = folder / "cut.pt2"
    cut.write_bytes(saved.read_bytes()[:-200])
    return {
        "archive": ModelSource(saved),
        "hostile archive": rewritten(folder / "hostile.pt2", saved, hostile),
        "newer archive": rewritten(folder / "newer.pt2", saved, newer),
        "cut archive": ModelSource(cut),
    }


def state_dicts(folder: Path, made: Path) -> dict[str, ModelSource]:
    """Return networks with state_dicts: a hostile one, one of another network, a cut one."""
    contents = {"hostile": Hostile(made), "other": {"conv.weight": torch.ones(1)}, "cut": {}}
    found = {}
    for name, content in contents.items():
        path = folder / f"{name}.pt"
        torch.save(content, path)
        found[f"{name} state_dict"] = source(folder, f"{name}_weights", "return y", path)
    (folder / "cut.pt").write_bytes((folder / "cut.pt").read_bytes()[:300])
    return found


def main(folder: Path) -> None:
    made = folder / "unpickled"
    sources = {name: source(folder, name, body) for name, body in _BODIES.items()}
    sources |= archives(folder, made) | state_dicts(folder, made)
    found = {name: build(given) for name, given in sources.items()}
    (folder / "found.json").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
