# SPDX-License-Identifier: Apache-2.0
"""Find how large the arena of TensorFlow Lite Micro's interpreter has to be for a network."""

from __future__ import annotations

import json
from dataclasses import asdict

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step


@step(verb="ARENA", packages=("ai-edge-litert", "tflite-micro"))
class PlanArena(Step):
    """Find how large the interpreter's tensor arena has to be for a network.

    Attributes:
        network: the .tflite that the device runs.
        output: the sizes and how they were found, JSON.
    """

    network: Input
    output: Output

    def run(self) -> None:
        """Run or plan the network on the host and write the sizes."""
        from ethosmith.models.arena import arena_size

        write_text(self.output, json.dumps(asdict(arena_size(self.network)), indent=2) + "\n")
