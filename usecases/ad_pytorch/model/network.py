# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's auto-encoder in PyTorch: 640-128-128-128-128-8-128-128-128-128-640."""

from __future__ import annotations

import torch
from torch import nn

ROWS, BANDS = 5, 128
HIDDEN = (128, 128, 128, 128, 8, 128, 128, 128, 128)


class Autoencoder(nn.Module):
    """Rows x bands x 1 in and out; ``normalised`` adds what training needs behind each layer."""

    def __init__(self, *, normalised: bool = False) -> None:
        super().__init__()
        self.linear = nn.ModuleList()
        self.norm = nn.ModuleList()
        count = ROWS * BANDS
        for units in HIDDEN:
            self.linear.append(nn.Linear(count, units))
            normal = nn.BatchNorm1d(units, eps=1e-3, momentum=0.01)
            self.norm.append(normal if normalised else nn.Identity())
            count = units
        self.last = nn.Linear(count, ROWS * BANDS)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Return what the bottleneck of eight numbers keeps of the input."""
        values = given.flatten(1)
        for linear, norm in zip(self.linear, self.norm, strict=True):
            values = torch.relu(norm(linear(values)))
        made: torch.Tensor = self.last(values)
        return made.reshape(given.shape)


def build() -> nn.Module:
    """Return the network of the build; its normalisation is in the weights of network.pt."""
    return Autoencoder()
