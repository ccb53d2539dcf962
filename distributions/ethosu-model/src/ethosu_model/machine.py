# SPDX-License-Identifier: Apache-2.0
"""What operations run on: bus, SHRAM, decoded weights, and the work left to the job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ethosu_model.bus import Bus
from ethosu_model.checks import NO_CHECKS, Checks
from ethosu_model.config import AcceleratorConfig
from ethosu_model.limits import Budget
from ethosu_model.lookup import LUT_REGION_BYTES
from ethosu_model.weights import WeightCache

if TYPE_CHECKING:
    from ethosu_model.u85.cycles import Workload


@dataclass
class Machine:
    """The parts of an NPU.

    Attributes:
        accelerator: Which NPU.
        bus: Its AXI ports.
        cache: Decoded weights.
        shram: Shared RAM; both cores of a dual-core NPU hold the same tables. Of Ethos-U85, its
            table RAM.
        budget: Work left to the running job.
        checks: What is refused on request.
        chains: Ethos-U85's chaining buffers by number [height, width, depth], elements as stored.
        chain: Work of the operations of the chain that was resolved last.
    """

    accelerator: AcceleratorConfig
    bus: Bus
    cache: WeightCache
    shram: bytearray
    budget: Budget
    checks: Checks = NO_CHECKS
    chains: dict[int, NDArray[Any]] = field(default_factory=dict)
    chain: tuple[Workload, ...] = ()

    def table(self) -> bytes:
        """Return the LUT region: the last banks of SHRAM."""
        return bytes(self.shram[-LUT_REGION_BYTES:])
