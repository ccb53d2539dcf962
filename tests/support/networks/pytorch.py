# SPDX-License-Identifier: Apache-2.0
"""The PyTorch networks of the slow tests, with seeded random weights; runs with torch installed.

Called with a folder and names, it writes for each network what Vela takes, and what TOSA's
reference model and PyTorch's quantised graph make of random inputs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.archive import archived
from ethosmith.pytorch.export import exported_program
from ethosmith.pytorch.lower import lowered_network
from ethosmith.pytorch.quantise import quantised_program
from ethosmith.pytorch.reference import TosaNetwork
from ethosmith.pytorch.source import ModelSource, input_shapes

_CALIBRATIONS, _INPUTS = 4, 2
_Image = tuple[int, int, int, int]
_CIFAR: _Image = (1, 3, 32, 32)


def conv(inside: int, out: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inside, out, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out), nn.ReLU())


def head(channels: int, classes: int = 10) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def separable(inside: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(conv(inside, inside, 3, stride, inside), conv(inside, out, 1))


class Residual(nn.Module):
    def __init__(self, inside: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(inside, out, 3, stride), nn.Conv2d(out, out, 3, 1, 1), nn.BatchNorm2d(out)
        )
        same = inside == out and stride == 1
        self.short = nn.Identity() if same else nn.Conv2d(inside, out, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.short(x))


class Squeeze(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, 8, 1), nn.Conv2d(8, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = nn.functional.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.up(torch.relu(self.down(pooled))))


class Inverted(nn.Module):
    """MobileNetV2's block; with ``act`` and squeeze that of V3 and of EfficientNet."""

    def __init__(
        self, inside: int, out: int, stride: int, act: Callable[[], nn.Module], squeeze: bool
    ) -> None:
        super().__init__()
        wide = inside * 4
        self.body = nn.Sequential(
            nn.Conv2d(inside, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            act(),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            act(),
            Squeeze(wide) if squeeze else nn.Identity(),
            nn.Conv2d(wide, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.adds = inside == out and stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.body(x)
        return x + made if self.adds else made


def inverted_network(act: Callable[[], nn.Module], squeeze: bool) -> nn.Module:
    blocks = [Inverted(16, 16, 1, act, squeeze), Inverted(16, 24, 2, act, squeeze)]
    blocks += [Inverted(24, 24, 1, act, squeeze), Inverted(24, 40, 2, act, squeeze)]
    return nn.Sequential(conv(3, 16, 3, 2), *blocks, nn.Conv2d(40, 96, 1), act(), head(96))


class Fire(nn.Module):
    def __init__(self, inside: int, small: int, out: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inside, small, 1)
        self.one, self.three = nn.Conv2d(small, out, 1), nn.Conv2d(small, out, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.one(x)), torch.relu(self.three(x))], 1)


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = conv(3, 8), conv(8, 16)
        self.up, self.last = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left = self.down(x)
        right = self.up(self.deep(nn.functional.max_pool2d(left, 2)))
        made: torch.Tensor = self.last(torch.cat([left, right], 1))
        return made


class Temporal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inside, dilation in ((8, 1), (16, 2), (16, 4)):
            pad = nn.ConstantPad1d((2 * dilation, 0), 0.0)
            layers += [pad, nn.Conv1d(inside, 16, 3, dilation=dilation), nn.ReLU()]
        self.body, self.last = nn.Sequential(*layers), nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.last(self.body(x).mean(-1))
        return made


class Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.qkv = nn.LayerNorm(width), nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 64), nn.ReLU())
        self.back = nn.Linear(64, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        x = x + self.out(torch.softmax(q @ k.transpose(-1, -2) / 4.0, -1) @ v)
        made: torch.Tensor = x + self.back(self.mlp(x))
        return made


class Vision(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches, self.block = nn.Conv2d(3, 16, 8, 8), Attention(16)
        self.place, self.last = nn.Parameter(torch.randn(1, 16, 16) * 0.1), nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.place
        made: torch.Tensor = self.last(self.block(tokens).mean(1))
        return made


class TwoAndTwo(nn.Module):
    """Inputs and outputs of unlike sizes: none can be taken for another."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.vector, self.last = conv(1, 4), nn.Linear(6, 4), nn.Linear(8, 3)

    def forward(self, image: torch.Tensor, vector: torch.Tensor) -> tuple[torch.Tensor, ...]:
        maps = self.image(image)
        both = torch.cat([maps.mean((2, 3)), torch.relu(self.vector(vector))], 1)
        return self.last(both), torch.sigmoid(maps)


def ds_cnn() -> nn.Module:
    first = nn.Sequential(nn.Conv2d(1, 32, (10, 4), 2, (4, 1)), nn.BatchNorm2d(32), nn.ReLU())
    return nn.Sequential(first, *(separable(32, 32) for _ in range(4)), head(32, 12))


def resnet(widths: tuple[int, ...], blocks: int) -> nn.Module:
    layers: list[nn.Module] = [conv(3, widths[0])]
    for inside, out in zip((widths[0], *widths), widths, strict=False):
        layers.append(Residual(inside, out, 1 if inside == out else 2))
        layers += [Residual(out, out) for _ in range(blocks - 1)]
    return nn.Sequential(*layers, head(widths[-1]))


def mobilenet_v1() -> nn.Module:
    steps = ((8, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2))
    return nn.Sequential(conv(3, 8, 3, 2), *(separable(*step) for step in steps), head(64))


def squeezenet() -> nn.Module:
    fires = [Fire(16, 8, 16), nn.MaxPool2d(3, 2), Fire(32, 8, 16)]
    return nn.Sequential(conv(3, 16, 3, 2), *fires, nn.Conv2d(32, 10, 1), head(10))


def autoencoder() -> nn.Module:
    sizes = (64, 32, 8, 32)
    layers = [
        layer
        for inside, out in pairwise(sizes)
        for layer in (nn.Linear(inside, out), nn.BatchNorm1d(out), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], sizes[0]))


class Cells(nn.Module):
    """Three kinds of recurrent cells, over the steps of a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(6, 8), nn.GRUCell(8, 8), nn.RNNCell(8, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden, cell, second, third = torch.zeros(4, 1, 8)
        for step in range(x.shape[1]):
            hidden, cell = self.lstm(x[:, step], (hidden, cell))
            second = self.gru(hidden, second)
            third = self.rnn(second, third)
        return self.head(third)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[tuple[int, ...], ...]]] = {
    "ds_cnn": (ds_cnn, ((1, 1, 50, 10),)),
    "resnet_8": (lambda: resnet((16, 32, 64), 1), (_CIFAR,)),
    "resnet_18": (lambda: resnet((16, 24, 32, 48), 2), (_CIFAR,)),
    "mobilenet_v1": (mobilenet_v1, (_CIFAR,)),
    "mobilenet_v2": (lambda: inverted_network(nn.ReLU6, False), (_CIFAR,)),
    "mobilenet_v3": (lambda: inverted_network(nn.Hardswish, True), (_CIFAR,)),
    "efficientnet": (lambda: inverted_network(nn.SiLU, True), (_CIFAR,)),
    "squeezenet": (squeezenet, (_CIFAR,)),
    "unet": (UNet, (_CIFAR,)),
    "tcn": (Temporal, ((1, 8, 40),)),
    "autoencoder": (autoencoder, ((1, 64),)),
    "vision_transformer": (Vision, (_CIFAR,)),
    "cells": (Cells, ((1, 3, 6),)),
    "two_and_two": (TwoAndTwo, ((1, 1, 8, 12), (1, 6))),
}


def source_of(name: str, folder: Path) -> ModelSource:
    """Return a Python file that builds the network and gives inputs for it."""
    path = folder / f"{name}_network.py"
    path.write_text(
        "import torch\n"
        "from tests.support.networks.pytorch import NETWORKS\n"
        f"_BUILD, _SHAPES = NETWORKS[{name!r}]\n"
        "def build():\n    return _BUILD()\n"
        "def example_inputs():\n    return tuple(torch.randn(shape) for shape in _SHAPES)\n",
        "utf-8",
    )
    return ModelSource(path)


def write(name: str, folder: Path) -> None:
    """Write NAME.tosa, NAME.json, NAME.pt2 and NAME.npz."""
    plain, _, activations = name.partition("_as_")
    program = exported_program(source_of(plain, folder), "nchw", None)
    write_program(name, folder, program, activations or "int8")


def write_program(name: str, folder: Path, program: Any, activations: str = "int8") -> None:
    """Write the files of `write` of an exported network."""
    shapes, rng = input_shapes(program), np.random.default_rng(1)
    batches = [
        [rng.normal(size=s).astype(np.float32) for s in shapes] for _ in range(_CALIBRATIONS)
    ]
    quantised = quantised_program(Path(name), program, batches, activations)
    lowered = lowered_network(Path(name), quantised)
    network = TosaNetwork(lowered.tosa, lowered.spec, quantised)
    arrays = {}
    for number in range(_INPUTS):
        shapes = [spec.shape for spec in lowered.spec.inputs]
        limits = np.iinfo(activations)
        # The lowest int16 value has no counterpart, and no quantiser makes it.
        low = limits.min + (activations == "int16")
        given = [rng.integers(low, limits.max + 1, s).astype(activations) for s in shapes]
        made = network.run(b"".join(one.tobytes() for one in given))
        for index, one in enumerate(given):
            arrays[f"input_{number}_{index}"] = one
        for index, raw in enumerate(made):
            arrays[f"output_{number}_{index}"] = np.frombuffer(raw, activations)
    np.savez(folder / f"{name}.npz", allow_pickle=False, **arrays)
    (folder / f"{name}.tosa").write_bytes(lowered.tosa)
    (folder / f"{name}.pt2").write_bytes(archived(quantised))
    found = {**lowered.spec.as_json(), "pytorch": asdict(network.agreement)}
    (folder / f"{name}.json").write_text(json.dumps(found), "utf-8")


def main(folder: Path, names: list[str]) -> None:
    for name in names or NETWORKS:
        try:
            write(name, folder)
        except EthosmithError as error:
            (folder / f"{name}.error").write_text(str(error), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
