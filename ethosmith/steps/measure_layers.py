# SPDX-License-Identifier: Apache-2.0
"""Run the first inference of an image on the open board, and account for each of its layers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes, read_json, write_text
from ethosmith.core.program import without_missing
from ethosmith.steps.step import Input, OptionalInput, Output, Step, Unsigned, step

if TYPE_CHECKING:
    from ethosmith.models.command_map import CommandMap
    from ethosmith.verify.layers import RecordedJob


@step(
    verb="LAYERS",
    packages=("ai-edge-litert", "capstone", "flatbuffers", "numpy", "pyelftools", "tflite-micro"),
    cacheable=False,
    distributable=True,
)
class MeasureLayers(Step):
    """Run the first inference of an image, and compare each layer's output with LiteRT's.

    Attributes:
        axf: the linked image.
        map: of the step map-commands.
        npu: the board's NPU, such as ``ethos-u55-128``.
        system_config: Vela's, whose memories cycles are estimated with.
        board: which board the open board is, such as ``sse310``.
        tools: name and version of the simulator.
        network: the int8 .tflite; none: there is nothing to compare with.
        program: the use case's host program, which computes the inputs.
        sample: the name of the image's first sample.
        time_limit_s: seconds until the run has failed; 0: none.
        output: cycles, bytes by port, Vela's estimate and the comparison by layer, JSON.
    """

    axf: Input
    map: Input
    npu: str
    system_config: str = ""
    board: str | None = None
    tools: tuple[str, ...] = ()
    network: OptionalInput = None
    program: OptionalInput = None
    sample: str
    time_limit_s: Unsigned[float] = 60.0
    output: Output

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions it computes with; one of them does not exist for every machine."""
        return without_missing(self.traits.packages)

    def run(self) -> None:
        """Run and write the account.

        Raises:
            EthosmithError: the run fails, or the image holds another network.
        """
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.models.command_map import CommandMap
        from ethosmith.verify.layer_run import first_inference
        from ethosmith.verify.layers import layer_costs

        found = CommandMap.of_data(read_json(self.map))
        accelerator = parse_accelerator(self.npu, self.system_config)
        jobs = first_inference(
            self.axf,
            accelerator,
            len(found.streams),
            board=self.board,
            time_limit_s=self.time_limit_s,
        )
        costs = layer_costs(found, jobs, accelerator.axi_bytes)
        document = {"schema": 1, "sample": self.sample, **costs, **self._compared(found, jobs)}
        layers = [
            {**cost, **one}
            for cost, one in zip(costs["layers"], document.pop("outputs"), strict=True)
        ]
        write_text(self.output, json.dumps({**document, "layers": layers}, indent=2) + "\n")

    def _compared(self, found: CommandMap, jobs: list[RecordedJob]) -> dict[str, Any]:
        from ethosmith.verify.layer_run import reference_tensors
        from ethosmith.verify.layers import compare_outputs, not_compared

        if self.network is None or self.program is None:
            reason = "no reference on this machine keeps the outputs of its layers"
            return {"oracle": "", "outputs": not_compared(found, reason)}
        content = read_bytes(self.network, limit_bytes=MAX_MODEL_BYTES)
        try:
            oracle, tensors = reference_tensors(content, self.network, self.program)
        except EthosmithError as error:
            return {"oracle": "", "outputs": not_compared(found, str(error))}
        return {"oracle": oracle, "outputs": compare_outputs(found, jobs, tensors)}

    def lacking(self) -> str:
        """Return which simulator of ``tools`` is missing here, or has another version."""
        from ethosmith.verify.simulator import missing_tools

        return missing_tools(self.tools)

    @property
    def title(self) -> str:
        """The image."""
        return self.axf.as_posix()
