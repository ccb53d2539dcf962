# SPDX-License-Identifier: Apache-2.0
"""Run samples through a prebuilt inference runner: one boot each, outputs read from memory."""

from __future__ import annotations

import json
import sys

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, PTE_SUFFIX, read_bytes, write_text
from ethosmith.steps.step import Input, Inputs, Output, Step, Unsigned, step


@step(
    verb="RUN",
    packages=(
        "ai-edge-litert",
        "capstone",
        "numpy",
        "pydantic",
        "pydantic-core",
        "pyelftools",
        "pyyaml",
    ),
    cacheable=False,
    resumable=True,
    distributable=True,
)
class RunPrebuilt(Step):
    """Run samples through a prebuilt inference runner, one boot each.

    Attributes:
        axf: the runner's image.
        platform: the platform.yaml, for the windows in memory.
        npu: the board's NPU, such as ``ethos-u55-128``.
        system_config: Vela's, whose memories the open board estimates cycles with; empty: ideal
            ones.
        simulator: ``auto``, ``fvp`` or ``open``.
        fvp_programs: executable of the platform's FVP; none: the SSE-300's with that NPU.
        model: the .tflite or .pte that it executes.
        network: the int8 .tflite that ``model`` is made from, or the JSON of a PyTorch network, for
            its outputs.
        samples: the samples' names.
        tensors: the input tensors of each, of the step write-inputs.
        fast: an FVP takes no simulated time for the NPU, and counts nothing.
        count_calls: function whose CPU instructions are counted (open board).
        tools: name and version of the simulator.
        reset_state: the descriptor's ``model.reset_state``.
        time_limit_s: seconds of each run until it has failed.
        quiet: show no line per sample.
        result: UART output, tensors and counts, JSON.
    """

    axf: Input
    platform: Input
    npu: str
    system_config: str = ""
    simulator: str = "auto"
    fvp_programs: tuple[str, ...] = ()
    model: Input
    network: Input
    samples: tuple[str, ...]
    tensors: Inputs
    fast: bool = False
    count_calls: str | None = None
    tools: tuple[str, ...] = ()
    reset_state: str = "sample"
    time_limit_s: Unsigned[float] = 60.0
    quiet: Unsigned[bool] = False
    result: Output

    def run(self) -> None:
        """Boot once for each sample and write the result."""
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.models.executorch_file import check_spec, read_executorch
        from ethosmith.models.int8_check import network_spec_of
        from ethosmith.verify.runner import RunnerBoard, placed, runs_data
        from ethosmith.verify.simulator import choose_simulator
        from open_board.job import BoardJob

        if len(self.samples) != len(self.tensors):
            raise EthosmithError(f"{len(self.samples)} samples with {len(self.tensors)} tensors")
        self._check_state()
        platform = load_platform(self.platform)
        windows = platform.windows
        if windows is None:
            raise EthosmithError(f"{self.platform}: the platform has no windows for files")
        job = BoardJob(
            accelerator=parse_accelerator(self.npu, self.system_config),
            axf=self.axf,
            data=(placed(self.model, windows.network, "network"),),
            counted_function=self.count_calls,
            time_limit_s=self.time_limit_s or None,
            fast=self.fast,
        )
        program = next(iter(self.fvp_programs), None)
        simulator = choose_simulator(
            self.simulator, job.accelerator, fvp_program=program, board=platform.open_board or None
        )
        spec = network_spec_of(self.network)
        if self.model.suffix == PTE_SUFFIX:
            check_spec(read_executorch(self.model), self.model, spec)
        board = RunnerBoard(simulator, job, windows, spec.outputs)
        runs = []
        for name, tensors in zip(self.samples, self.tensors, strict=True):
            runs.append(board.run(name, tensors))
            if not self.quiet:
                sys.stdout.write(runs[-1][0].text)
        write_text(self.result, json.dumps(runs_data(job, runs), indent=2, sort_keys=True) + "\n")

    def _check_state(self) -> None:
        """Refuse a state that lasts from sample to sample: each sample is a boot of its own."""
        from ethosmith.models.int8_check import SPEC_SUFFIX
        from ethosmith.models.tflite_file import is_stateful, parse_model

        stateless = self.network.suffix == SPEC_SUFFIX
        if stateless or self.reset_state != "never" or len(self.samples) == 1:
            return
        if is_stateful(
            parse_model(read_bytes(self.network, limit_bytes=MAX_MODEL_BYTES), str(self.network))
        ):
            raise EthosmithError(
                f"{self.network}: keeps a state from sample to sample (reset_state: never), and"
                " runtime=prebuilt boots once a sample; runtime=direct and runtime=tflm keep it"
            )

    def lacking(self) -> str:
        """Return which simulator of ``tools`` is missing here, or has another version."""
        from ethosmith.verify.simulator import missing_tools

        return missing_tools(self.tools)

    @property
    def title(self) -> str:
        """The image."""
        return self.axf.as_posix()
