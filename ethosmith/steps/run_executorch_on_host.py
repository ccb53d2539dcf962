# SPDX-License-Identifier: Apache-2.0
"""Run an ExecuTorch program on this machine, where no runner can execute it on a board."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes, write_text
from ethosmith.steps.step import Input, Inputs, Output, Step, Unsigned, step

if TYPE_CHECKING:
    from ethosmith.models.tensor_spec import NetworkSpec
    from ethosmith.pytorch.executorch import HostProgram
    from ethosmith.pytorch.npu_parts import NpuParts


@step(
    verb="NPU",
    packages=("executorch", "numpy", "torch", "tosa-tools"),
    isolated=True,
    environment="pytorch",
)
class RunExecutorchOnHost(Step):
    """Run the NPU's parts of an ExecuTorch program in the NPU model, and all else in PyTorch.

    The command streams and weights are those in the program. No runner is executed.

    Attributes:
        program: the .pte.
        quantised: PyTorch's int8 graph that it is compiled from.
        network: its inputs and outputs, JSON.
        npu: the board's NPU, such as ``ethos-u85-256``.
        system_config: Vela's, whose memories cycles are estimated with; empty: ideal ones.
        scratch_fast_bytes: of the fast memory that the NPU has.
        axi1_regions: regions of the NPU that port AXI1 (of Ethos-U85, an EXT port) reaches.
        stream_port: the port of the commands.
        not_booted: why no runner executes it.
        samples: the samples' names.
        tensors: the input tensors of each, of the step write-inputs.
        offline: do not install the PyTorch environment.
        result: output tensors and counts of each sample, JSON.
    """

    program: Input
    quantised: Input
    network: Input
    npu: str
    system_config: str = ""
    scratch_fast_bytes: int
    axi1_regions: tuple[int, ...]
    stream_port: int
    not_booted: str
    samples: tuple[str, ...]
    tensors: Inputs
    offline: Unsigned[bool] = False
    result: Output

    def run(self) -> None:
        """Run every sample and write the result.

        Raises:
            EthosmithError: a job of the NPU fails, or the program is not that of the graph.
        """
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.core.files import read_json
        from ethosmith.models.executorch_file import (
            check_accelerator,
            check_spec,
            read_executorch,
            read_payloads,
        )
        from ethosmith.models.tensor_spec import NetworkSpec
        from ethosmith.pytorch.executorch import HostProgram
        from ethosmith.pytorch.npu_parts import NpuParts
        from ethosmith.pytorch.source import load_program
        from ethosmith.verify.verdict import ON_HOST

        accelerator = parse_accelerator(self.npu, self.system_config)
        found, specs = read_executorch(self.program), NetworkSpec.of_json(read_json(self.network))
        check_accelerator(found, self.program, self.npu)
        check_spec(found, self.program, specs)
        parts = NpuParts(
            self.program,
            read_payloads(self.program),
            accelerator,
            scratch_fast_bytes=self.scratch_fast_bytes,
            axi1_regions=self.axi1_regions,
            stream_port=self.stream_port,
        )
        host = HostProgram(self.program, load_program(self.quantised), parts)
        result = {
            "simulator": {"name": ON_HOST, "version": ""},
            "accelerator": accelerator.name,
            "not_booted": self.not_booted,
            "uart": "",
            "samples": self._run_samples(host, parts, specs),
        }
        write_text(self.result, json.dumps(result, indent=2, sort_keys=True) + "\n")

    def _run_samples(
        self, host: HostProgram, parts: NpuParts, specs: NetworkSpec
    ) -> list[dict[str, Any]]:
        from ethosmith.pytorch.reference import windows_of

        samples = []
        for name, file in zip(self.samples, self.tensors, strict=True):
            raw = read_bytes(file, limit_bytes=MAX_MODEL_BYTES)
            (given,) = windows_of(specs.inputs, raw)
            made = host.run(given)
            if [one.nbytes for one in made] != [spec.size_bytes for spec in specs.outputs]:
                raise EthosmithError(f"{self.program}: sample {name}: other outputs than its graph")
            tensors = [one.tobytes().hex() for one in made]
            counts = parts.counts_of_inference()
            samples.append({"name": name, "counts": counts, "tensors": tensors})
        return samples

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the program."""
        return f"{self.program}: PyTorch or ExecuTorch crashed while it ran on the host ({signal})"

    @property
    def title(self) -> str:
        """The program."""
        return self.program.as_posix()
