# SPDX-License-Identifier: Apache-2.0
"""Train the auto-encoder of `ad` in PyTorch, on the same motors, and write network.pt.

    ./scons usecase=ad_pytorch train

It runs in the PyTorch environment. Another version of PyTorch or another processor gives slightly
other weights.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "ad/model"), str(HERE.parents[2])]

SEED = 1
EPOCHS = 60
BATCH = 64
RATE = 1e-3
# As of ad/model/train.py.
TRAINING = range(1500)
EVALUATION = range(100_000, 100_300)
FALSE_ALARMS = 0.01


def _train() -> None:
    import numpy as np  # noqa: PLC0415 of the PyTorch environment
    import torch  # noqa: PLC0415
    from features import features  # noqa: PLC0415
    from network import Autoencoder  # noqa: PLC0415
    from sounds import NORMAL, clip  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    inputs = torch.from_numpy(np.array([features(clip(NORMAL, one)) for one in TRAINING]))
    network = Autoencoder(normalised=True).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for batch in torch.randperm(len(inputs)).split(BATCH):
            loss = torch.nn.functional.mse_loss(network(inputs[batch]), inputs[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(batch)
        sys.stdout.write(f"epoch {epoch} of {EPOCHS}: loss {total / len(inputs):.4f}\n")
        sys.stdout.flush()
    folded = _folded(network)
    torch.save(folded.state_dict(), HERE / "network.pt")
    sys.stdout.write(f"threshold {_threshold(folded):.2f} dB squared; wrote model/network.pt\n")


def _threshold(network: Any) -> float:
    """Return the error that 1 % of whole motors exceed, for usecase.yaml."""
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from features import error_db2, features  # noqa: PLC0415
    from sounds import NORMAL, clip  # noqa: PLC0415

    given = [features(clip(NORMAL, number)) for number in EVALUATION]
    with torch.no_grad():
        errors = [error_db2(one, network(torch.from_numpy(one[None]))[0].numpy()) for one in given]
    return float(np.quantile(errors, 1 - FALSE_ALARMS))


def _folded(network: Any) -> Any:
    """Return the network of the build, with each layer's normalisation in its weights."""
    from network import Autoencoder  # noqa: PLC0415
    from torch.nn.utils import fuse_linear_bn_eval  # noqa: PLC0415

    network.eval()
    plain = Autoencoder().eval()
    for index, (linear, norm) in enumerate(zip(network.linear, network.norm, strict=True)):
        plain.linear[index] = fuse_linear_bn_eval(linear, norm)
    plain.last = network.last
    return plain


def main() -> int:
    """Train here, or in the PyTorch environment if this is another one."""
    if importlib.util.find_spec("torch") is not None:
        _train()
        return 0
    from ethosmith.environment.locked import PYTORCH, LockedEnvironment  # noqa: PLC0415

    python = LockedEnvironment(PYTORCH).python()
    return subprocess.call([str(python), str(HERE / "train.py")])


if __name__ == "__main__":
    sys.exit(main())
