# SPDX-License-Identifier: Apache-2.0
"""Train network.py on waves of known frequency, and write its state_dict, network.pt.

It runs in Ethosmith's PyTorch environment, or in any other that has torch.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED = 1
STEPS = 300
BATCH = 128
# Periods in the 64 numbers of a sample, of each class in the order of the labels.
PERIODS = ((1.0, 4.0), (8.0, 16.0))


def _train() -> None:
    import torch  # noqa: PLC0415 of the PyTorch environment
    from network import build  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    low, high = torch.tensor(PERIODS).T
    place = 2 * torch.pi * torch.arange(64) / 64
    network = build().train()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(STEPS):
        kind = torch.randint(2, (BATCH,))
        periods = low[kind] + torch.rand(BATCH) * (high - low)[kind]
        phase = 2 * torch.pi * torch.rand(BATCH, 1)
        waves = torch.sin(periods[:, None] * place + phase) + 0.1 * torch.randn(BATCH, 64)
        chosen = network(waves)[torch.arange(BATCH), kind]
        loss = -torch.log(chosen + 1e-6).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    torch.save(network.state_dict(), HERE / "network.pt")
    sys.stdout.write(f"loss {float(loss.detach()):.4f}; wrote {HERE.name}/network.pt\n")


def main() -> int:
    """Train here, or in Ethosmith's PyTorch environment if there is no torch here."""
    if importlib.util.find_spec("torch") is not None:
        _train()
        return 0
    from ethosmith.environment.locked import PYTORCH, LockedEnvironment  # noqa: PLC0415

    python = LockedEnvironment(PYTORCH).python()
    return subprocess.call([str(python), str(HERE / "train.py")])


if __name__ == "__main__":
    sys.exit(main())
