# SPDX-License-Identifier: Apache-2.0
"""The key ``budgets:`` of a usecase.yaml: what an image may use before its build fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from ethosmith.core.accelerators import ACCELERATOR_CONFIGS
from ethosmith.core.errors import unknown_name
from ethosmith.descriptors.base import EMPTY, Location, Problem, Strict
from ethosmith.descriptors.words import Checked, Identifier, Limits, MemoryModeName, Name

if TYPE_CHECKING:
    from ethosmith.descriptors.platform import Platform

_NONE = "none"
Amount = Annotated[int, Limits(ge=1)]


def _check_npu(name: str) -> str:
    known = (*ACCELERATOR_CONFIGS, _NONE)
    if name not in known:
        raise ValueError(unknown_name("accelerator config", name, known))
    return name


class Budget(Strict):
    """The most that an image may use; accuracy has limits of its own below `accuracy`.

    Attributes:
        target: only on this platform.
        npu: only for this accelerator config.
        memory_mode: only in this memory mode.
        runtime: only with this runtime.
        flash_bytes: of code, constants, network, samples, labels and initial values.
        ram_bytes: of variables, stack, and scratch memory or arena.
        regions: bytes of memory regions by name, such as `SRAM: 65536`.
        npu_cycles: of one inference; not of images without an NPU.
    """

    target: Name | None = None
    npu: Annotated[str, Checked(_check_npu)] | None = None
    memory_mode: MemoryModeName | None = None
    runtime: Literal["direct", "prebuilt", "tflm", "executorch"] | None = None
    flash_bytes: Amount | None = None
    ram_bytes: Amount | None = None
    regions: Mapping[Identifier, Amount] = EMPTY
    npu_cycles: Amount | None = None

    def __post_init__(self) -> None:
        if not (self.flash_bytes or self.ram_bytes or self.regions or self.npu_cycles):
            raise ValueError("give one of: flash_bytes, ram_bytes, regions, npu_cycles")

    def applies(self, target: str, npu: str, memory_mode: str, runtime: str) -> bool:
        """Return whether it is for an image of these."""
        own = (self.target, self.npu, self.memory_mode, self.runtime)
        actual = (target, npu, memory_mode, runtime)
        return all(one in {None, other} for one, other in zip(own, actual, strict=True))

    def problems(self, where: Location, platform: Platform) -> Iterator[Problem]:
        """Find names that the platform, which the budget may be for, does not have."""
        if self.target not in {None, platform.name}:
            return
        modes = [mode.name for mode in platform.memory_modes]
        if self.memory_mode is not None and self.memory_mode not in modes:
            message = unknown_name(f"memory mode of {platform.name}", self.memory_mode, modes)
            yield Problem((*where, "memory_mode"), message)
        regions = [region.name for region in platform.regions]
        for name in self.regions:
            if name not in regions:
                message = unknown_name(f"memory region of {platform.name}", name, regions)
                yield Problem((*where, "regions", name), message)
