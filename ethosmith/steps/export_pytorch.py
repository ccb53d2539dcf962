# SPDX-License-Identifier: Apache-2.0
"""Export a PyTorch network as one graph with fixed shapes, and check that the use case fits it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ethosmith.core.files import write_bytes, write_text
from ethosmith.steps.step import Inputs, OptionalInput, OptionalOutput, Output, Step, Unsigned, step


@step(
    verb="EXPORT",
    packages=("numpy", "onnx", "onnx2pytorch", "onnxruntime", "torch"),
    owns_terminal=True,
    isolated=True,
    environment="pytorch",
)
class ExportPytorch(Step):
    """Export a PyTorch network as one graph with fixed shapes and a batch of 1.

    Attributes:
        model: a .pt2 of torch.export, a .onnx, or a Python file that builds the network.
        model_files: that file, and the modules beside it that it imports.
        builder: the function of the Python file that returns a torch.nn.Module.
        weights: a state_dict for it; none: as it was built.
        layout: ``nchw``: channels second inside, last for the application; ``nhwc``: as it is.
        pattern: the sizes that the pre-processing can fill, without the batch; none: any.
        activations: ``int8`` or ``int16``: of the network once it is quantised.
        usecase: the descriptor, for messages.
        exported: the graph, .pt2.
        shape: JSON, the one input's sizes with a batch of 1; none: it may have several inputs.
        form: JSON, ``shape`` and ``dtype`` of every input of the integer network.
        offline: do not install the PyTorch environment.
    """

    model: Path
    model_files: Inputs
    builder: str = "build"
    weights: OptionalInput = None
    layout: str = "nchw"
    pattern: Any = None
    activations: str = "int8"
    usecase: str
    exported: Output
    shape: OptionalOutput = None
    form: Output
    offline: Unsigned[bool] = False

    def run(self) -> None:
        """Export the network, check it and write it."""
        from ethosmith.pytorch.archive import archived
        from ethosmith.pytorch.export import check_shapes, exported_program
        from ethosmith.pytorch.source import ModelSource, input_shapes

        source = ModelSource(self.model, self.builder, self.weights)
        program = exported_program(source, self.layout, self.pattern)
        shapes = input_shapes(program)
        if self.pattern is not None:
            check_shapes(source, self.layout, shapes, self.pattern, self.usecase)
        write_bytes(self.exported, archived(program))
        if self.shape is not None:
            write_text(self.shape, json.dumps(shapes[0]) + "\n")
        inputs = [{"shape": shape, "dtype": self.activations} for shape in shapes]
        write_text(self.form, json.dumps(inputs) + "\n")

    def crashed(self, signal: str) -> str:
        """Return what is wrong with the model."""
        return f"{self.model}: PyTorch crashed while it read or exported it ({signal})"
