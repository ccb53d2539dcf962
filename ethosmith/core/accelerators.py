# SPDX-License-Identifier: Apache-2.0
"""The accelerator configs that the model's distribution knows, for descriptors and build steps."""

from __future__ import annotations

from dataclasses import replace

from ethosmith.core.errors import EthosmithError
from ethosmith.core.vela_config import memory_timing
from ethosu_model.config import ACCELERATORS as _U55_AND_U65
from ethosu_model.config import AcceleratorConfig
from ethosu_model.errors import ModelError
from ethosu_model.u85.config import U85_ACCELERATORS, U85Config

__all__ = [
    "ACCELERATORS",
    "ACCELERATOR_CONFIGS",
    "AcceleratorConfig",
    "parse_accelerator",
]

ACCELERATORS: tuple[AcceleratorConfig, ...] = (*_U55_AND_U65, *U85_ACCELERATORS)
ACCELERATOR_CONFIGS = tuple(config.name for config in ACCELERATORS)
_U85 = "ethos-u85"


def parse_accelerator(name: str, system_config: str = "") -> AcceleratorConfig:
    """Return the accelerator config called ``name``, such as ``ethos-u55-128``.

    Args:
        name: of the accelerator config.
        system_config: Vela's, whose memories its cycles are estimated with; empty: ideal ones.

    Raises:
        EthosmithError: there is none; the message lists all of them.
    """
    try:
        parse = U85Config.parse if name.lower().startswith(_U85) else AcceleratorConfig.parse
        accelerator = parse(name)
        if system_config:
            return replace(accelerator, memory=memory_timing(system_config))
        return accelerator
    except ModelError as error:
        raise EthosmithError(str(error)) from None
