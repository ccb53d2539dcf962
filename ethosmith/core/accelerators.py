# SPDX-License-Identifier: Apache-2.0
"""The accelerator configs that the model's distribution knows, for descriptors and build steps."""

from __future__ import annotations

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
    "parse_accelerator",
]

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
