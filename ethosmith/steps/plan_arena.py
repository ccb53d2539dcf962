# SPDX-License-Identifier: Apache-2.0
"""Find how large the arena of TensorFlow Lite Micro's interpreter has to be for a network."""

from __future__ import annotations

import json
from dataclasses import asdict

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step

# It exists for Linux on x86-64 alone, and a network that Vela compiled does without it.
_HOST_INTERPRETER = "tflite-micro"


@step(verb="ARENA", packages=("ai-edge-litert", _HOST_INTERPRETER), isolated=True)
class PlanArena(Step):
    """Find how large the interpreter's tensor arena has to be for a network.

    Attributes:
        network: the .tflite that the device runs.
        on_npu: Vela compiled it; if not, it runs in the host's TensorFlow Lite Micro.
        output: the sizes and how they were found, JSON.
    """

    network: Input
    on_npu: bool
    output: Output

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions it computes with; without an NPU, the host's interpreter too."""
        return tuple(
            name for name in self.traits.packages if not (self.on_npu and name == _HOST_INTERPRETER)
        )

    def run(self) -> None:
        """Run or plan the network on the host and write the sizes."""
        from ethosmith.models.arena import arena_size

        write_text(self.output, json.dumps(asdict(arena_size(self.network)), indent=2) + "\n")

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the network."""
        del signal
        return f"{self.network}: crashes TensorFlow Lite Micro; is the file damaged?"
