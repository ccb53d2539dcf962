# SPDX-License-Identifier: Apache-2.0
"""Compile PyTorch's int8 graph to an ExecuTorch program for one NPU."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from ethosmith.core.files import write_bytes, write_json, write_text
from ethosmith.steps.step import Input, Output, Step, Unsigned, step


@step(
    verb="PTE",
    packages=("executorch", "torch"),
    isolated=True,
    environment="pytorch",
)
class CompileExecutorch(Step):
    """Compile PyTorch's int8 graph to an ExecuTorch program (.pte) for one NPU.

    Attributes:
        model: what the user calls the network, for messages.
        quantised: PyTorch's int8 graph, of the step quantise-pytorch.
        accelerator_config: Vela's name of the NPU, such as ``ethos-u55-128``.
        system_config: Vela's name of the system's timing.
        memory_mode: Vela's name of where the model lies, such as ``Shared_Sram``.
        optimise: ``Performance`` or ``Size``.
        arena_cache_size_bytes: limit of the NPU's fast memory; none: as the memory mode says.
        program: the ExecuTorch program.
        operators: how many parts run on the NPU, and which operators stay on the CPU, JSON.
        summary: Vela's estimate for the NPU's parts together, CSV.
        offline: do not install the PyTorch environment.
    """

    model: str
    quantised: Input
    accelerator_config: str
    system_config: str
    memory_mode: str
    optimise: str = "Performance"
    arena_cache_size_bytes: int | None = None
    program: Output
    operators: Output
    summary: Output
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Compile the graph and write the program.

        Raises:
            EthosmithError: an operator has no form that ExecuTorch runs.
        """
        from ethosmith.pytorch.executorch import Target, compiled_program
        from ethosmith.pytorch.lower import operator_rows
        from ethosmith.pytorch.source import load_program

        flags = ["--optimise", self.optimise]
        if self.arena_cache_size_bytes is not None:
            flags += ["--arena-cache-size", str(self.arena_cache_size_bytes)]
        target = Target(self.accelerator_config, self.system_config, self.memory_mode, tuple(flags))
        made = compiled_program(Path(self.model), load_program(self.quantised), target)
        if made.left:
            rows = "\n".join(operator_rows(list(made.left)))
            sys.stdout.write(f"note: {self.model}: these operators run on the CPU:\n{rows}\n")
        write_bytes(self.program, made.pte)
        write_text(self.summary, made.summary)
        report = {"delegates": made.delegates, "cpu_operators": [asdict(one) for one in made.left]}
        write_json(self.operators, report)

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model."""
        return f"{self.model}: Vela or ExecuTorch crashed while it compiled it ({signal})"

    @property
    def title(self) -> str:
        """The network, the NPU and the memory mode."""
        return f"{self.program.stem} {self.accelerator_config} {self.memory_mode}"
