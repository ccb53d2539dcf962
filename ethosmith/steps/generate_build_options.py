# SPDX-License-Identifier: Apache-2.0
"""build_options.c: how the image was built, as the board prints it."""

from __future__ import annotations

from collections.abc import Mapping

from ethosmith.core.files import write_text
from ethosmith.lib.c_text import notice, string
from ethosmith.steps.step import Output, Step, step


@step(verb="GENERATE")
class GenerateBuildOptions(Step):
    """Generate build_options.c: how the image was built, as the board prints it at its start.

    Attributes:
        options: name and value of each option.
        output: the C source.
    """

    options: Mapping[str, str]
    output: Output

    def run(self) -> None:
        """Write the C source."""
        text = " ".join(f"{name}={value}" for name, value in self.options.items())
        # Not by identity.h, which declares it weak.
        body = f"extern const char build_options[];\nconst char build_options[] = {string(text)};\n"
        write_text(self.output, f"{notice('the command line')}{body}")
