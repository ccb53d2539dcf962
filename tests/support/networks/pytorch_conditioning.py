# SPDX-License-Identifier: Apache-2.0
"""A PyTorch network before and behind the stages of ``optimise:``; runs with torch installed.

Called with a folder, it writes the files of `pytorch.write` of both, with the int8 weights of their
layers, and what the stages say of scripts and networks that they have to refuse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.export import ExportedProgram

from ethosmith.conditioning.pytorch_network import cluster, prune, train_rounded
from ethosmith.conditioning.stages import FineTuning, Kept
from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.export import exported_program
from ethosmith.pytorch.source import ModelSource, load_program
from tests.support.networks.pytorch import write_program

SPARSITY, VALUES = 0.6, 16
# Normalisations turn signs; a channel that one makes almost nothing has a scale of its own.
_NETWORK = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(inside, 64, 3, 1, 1) for inside in (8, 64)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(64) for _ in range(2)])
        self.deep = nn.Conv2d(64, 64, 3, 1, 1, groups=64)
        self.last = nn.Linear(64, 4)
        for norm in self.norms:
            norm.weight.data = torch.randn(64).sign() * (0.3 + torch.rand(64))

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms):
            x = torch.relu(norm(conv(x)))
        return self.last(torch.relu(self.deep(x) + x).mean((2, 3)))


def build():
    return Net()
"""
_SCRIPT = """
import torch


def fine_tune(network, *, epochs, seed, begin_epoch):
    inputs = torch.randn(48, 8, 8, 8)
    answers = torch.tanh(inputs[:, :4, 0, 0])
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for epoch in range(epochs):
        begin_epoch(epoch)
        # The last batch is a smaller one.
        for batch in torch.randperm(48).split(20):
            loss = torch.nn.functional.mse_loss(network(inputs[batch]), answers[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
"""
_HEAD = "def fine_tune(network, *, epochs, seed, begin_epoch):\n"
_BAD_SCRIPTS = {
    "no function": "x = 1\n",
    "no training": _HEAD + "    begin_epoch(0)\n",
    "raises": _HEAD + "    raise OSError('no data')\n",
    "no epoch": _SCRIPT.replace("begin_epoch(epoch)", "pass"),
}
_BAD_NETWORKS = {
    "computed": _NETWORK.replace(
        "nn.Linear(64, 4)", "nn.utils.parametrizations.weight_norm(nn.Linear(64, 4))"
    ),
    "branches": _NETWORK.replace(
        "        for conv,", "        if x.sum() > 0: x = -x\n        for conv,"
    ),
}


def _write(name: str, folder: Path, source: ModelSource) -> None:
    write_program(name, folder, exported_program(source, "nchw", [8, 8, 8]))
    program: ExportedProgram = load_program(folder / f"{name}.pt2")
    held = {**program.state_dict, **program.constants}.items()
    kernels = {key: one.numpy() for key, one in held if one.dtype == torch.int8 and one.numel() > 9}
    np.savez(folder / f"{name}_kernels.npz", allow_pickle=False, **kernels)


def _conditioned(folder: Path, source: Path, tuning: FineTuning) -> ModelSource:
    weights = [folder / f"{name}.pt" for name in ("pruned", "clustered", "trained")]
    prune(ModelSource(source), weights[0], SPARSITY, tuning)
    after = [ModelSource(source, weights=one) for one in weights]
    cluster(after[0], weights[1], VALUES, Kept(zeros=True), None)
    for output in (weights[2], folder / "again.pt"):
        train_rounded(after[1], output, Kept(zeros=True, values=VALUES), tuning)
    return after[2]


def _refused(folder: Path, source: Path, tuning: FineTuning) -> dict[str, str]:
    said = {}
    for name, text in (*_BAD_SCRIPTS.items(), *_BAD_NETWORKS.items()):
        path = folder / "bad.py"
        path.write_text(text, "utf-8")
        is_network = name in _BAD_NETWORKS
        model = ModelSource(path if is_network else source)
        training = tuning if is_network else FineTuning(path, 1, 0)
        try:
            train_rounded(model, folder / "bad.pt", Kept(), training)
        except EthosmithError as error:
            said[name] = str(error)
    return said


def main(folder: Path) -> None:
    source, script = folder / "net.py", folder / "tune.py"
    source.write_text(_NETWORK, "utf-8")
    script.write_text(_SCRIPT, "utf-8")
    tuning = FineTuning(script, epochs=2, seed=3)
    _write("plain", folder, ModelSource(source))
    _write("conditioned", folder, _conditioned(folder, source, tuning))
    said = _refused(folder, source, tuning)
    (folder / "refused.json").write_text(json.dumps(said), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
