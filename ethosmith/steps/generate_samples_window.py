# SPDX-License-Identifier: Apache-2.0
"""samples_window.c and live_window.c: an image takes samples from outside, not its own."""

from __future__ import annotations

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step


@step(verb="GENERATE", packages=("pydantic", "pydantic-core", "pyyaml"))
class GenerateSamplesWindow(Step):
    """Generate the C with which an image takes its samples from the simulator or the live page.

    Attributes:
        usecase: its name, as the device prints it.
        platform: the platform.yaml.
        source: the descriptor, as the file names it.
        live: samples come one after another while the program runs, not all before its start.
        output: the C source.
    """

    usecase: str
    platform: Input
    source: str
    live: bool = False
    output: Output

    def run(self) -> None:
        """Place the window and write the C source."""
        from ethosmith.accuracy.samples_window import live_source, window_of, window_source
        from ethosmith.descriptors.platform import load_platform

        window = window_of(load_platform(self.platform))
        text = live_source if self.live else window_source
        write_text(self.output, text(self.usecase, window, self.source))
