# SPDX-License-Identifier: Apache-2.0
"""The accelerator configs that the model's distribution knows, for descriptors and build steps."""

from __future__ import annotations

from dataclasses import replace

from ethosmith.core.errors import EthosmithError
from ethosmith.core.vela_config import memory_timing
from ethosu_model.config import ACCELERATOR_CONFIGS, ACCELERATORS, AcceleratorConfig
from ethosu_model.errors import ModelError

__all__ = [
    "ACCELERATORS",
    "ACCELERATOR_CONFIGS",
    "HOST_ONLY",
    "AcceleratorConfig",
    "parse_accelerator",
]

HOST_ONLY = "ethos-u85"  # the product that no platform can have, for lack of a driver


def parse_accelerator(name: str, system_config: str = "") -> AcceleratorConfig:
    """Return the accelerator config called ``name``, such as ``ethos-u55-128``.

    Args:
        name: of the accelerator config.
        system_config: Vela's, whose memories its cycles are estimated with; empty: ideal ones.

    Raises:
        EthosmithError: there is none; the message lists all of them.
    """
    try:
        accelerator = AcceleratorConfig.parse(name)
        if system_config:
            return replace(accelerator, memory=memory_timing(system_config))
        return accelerator
    except ModelError as error:
        raise EthosmithError(str(error)) from None
