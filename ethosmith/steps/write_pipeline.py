# SPDX-License-Identifier: Apache-2.0
"""Write how an image is made, for its report."""

import json
from collections.abc import Mapping
from typing import Any

from ethosmith.core.files import write_text
from ethosmith.steps.step import Output, Step, step


@step(verb="PIPELINE")
class WritePipeline(Step):
    """Write the steps on the way to an image, as the report draws them.

    Attributes:
        steps: each with verb, name, command, inputs, outputs, and the indices of the steps that
            it needs, which come before it.
        output: the JSON file.
    """

    steps: tuple[Mapping[str, Any], ...]
    output: Output

    def run(self) -> None:
        """Write the file."""
        write_text(self.output, json.dumps(self.steps, indent=1) + "\n")
