# SPDX-License-Identifier: Apache-2.0
"""Run the NPU's job of an image in the NPU model, where nothing can boot the image."""

from __future__ import annotations

import json

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step


@step(
    verb="NPU",
    packages=("numpy", "pydantic", "pydantic-core", "pyelftools", "pyyaml"),
    distributable=True,
)
class RunNpuJob(Step):
    """Run the NPU's job of an image in the NPU model, on the inputs of the host program.

    The command stream, the weights and the places of tensors are those in the linked image. No
    instruction of the image is executed.

    Attributes:
        axf: the linked image.
        platform: the platform.yaml, whose memories the NPU reaches.
        npu: the board's NPU, such as ``ethos-u85-256``.
        system_config: Vela's, whose memories cycles are estimated with; empty: ideal ones.
        program: the use case's host program, which computes the inputs.
        samples: the samples' names, in their order.
        result: output tensors and counts of each sample, JSON.
    """

    axf: Input
    platform: Input
    npu: str
    system_config: str = ""
    program: Input
    samples: tuple[str, ...]
    result: Output

    def run(self) -> None:
        """Run every sample and write the result."""
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.verify.host_program import quantised_inputs
        from ethosmith.verify.image_model import ImageBytes
        from ethosmith.verify.npu_job import ImageJob, run_samples
        from ethosmith.verify.verdict import ON_HOST

        accelerator = parse_accelerator(self.npu, self.system_config)
        job = ImageJob(ImageBytes(self.axf), load_platform(self.platform), accelerator)
        inputs = [
            (name, quantised_inputs(self.program, index, job.inputs))
            for index, name in enumerate(self.samples)
        ]
        found = {
            "simulator": {"name": ON_HOST, "version": ""},
            "accelerator": accelerator.name,
            "uart": "",
            "samples": run_samples(job, inputs),
        }
        write_text(self.result, json.dumps(found, indent=2, sort_keys=True) + "\n")

    @property
    def title(self) -> str:
        """The image."""
        return self.axf.as_posix()
