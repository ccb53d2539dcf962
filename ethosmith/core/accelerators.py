# SPDX-License-Identifier: Apache-2.0
"""The accelerator configs that the model's distribution knows, and what their jobs count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ethosmith.core.errors import EthosmithError
from ethosmith.core.vela_config import memory_timing
from ethosu_model.config import AcceleratorConfig
from ethosu_model.errors import ModelError
from ethosu_model.u85.config import ALL_ACCELERATORS as ACCELERATORS
from ethosu_model.u85.config import parse_accelerator as parse_any

__all__ = [
    "ACCELERATORS",
    "ACCELERATOR_CONFIGS",
    "AcceleratorConfig",
    "counts_between",
    "parse_accelerator",
]

# Names of counts as the firmware prints them, by those of the model's totals.
_COUNTS = {
    "cycles": "npu_cycles",
    "axi0_read_beats": "axi0_rd",
    "axi0_written_beats": "axi0_wr",
    "axi1_read_beats": "axi1_rd",
    "axi1_written_beats": "axi1_wr",
}
ACCELERATOR_CONFIGS = tuple(config.name for config in ACCELERATORS)


def parse_accelerator(name: str, system_config: str = "") -> AcceleratorConfig:
    """Return the accelerator config called ``name``, such as ``ethos-u55-128``.

    Args:
        name: of the accelerator config.
        system_config: Vela's, whose memories its cycles are estimated with; empty: ideal ones.

    Raises:
        EthosmithError: there is none; the message lists all of them.
    """
    try:
        accelerator = parse_any(name)
        if system_config:
            return replace(accelerator, memory=memory_timing(system_config))
        return accelerator
    except ModelError as error:
        raise EthosmithError(str(error)) from None


def counts_between(
    accelerator: AcceleratorConfig, before: Mapping[str, int], now: Mapping[str, int]
) -> dict[str, int]:
    """Return what the model's totals have grown by, under the names that the firmware prints."""
    counts = {ours: now[name] - before[name] for name, ours in _COUNTS.items()}
    if not accelerator.writes_axi1:
        del counts["axi1_wr"]
    return counts
