# SPDX-License-Identifier: Apache-2.0
"""live_window.c: where the open board's host hands samples over to an image."""

from __future__ import annotations

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step


@step(verb="GENERATE", packages=("pydantic", "pydantic-core", "pyyaml"))
class GenerateLiveWindow(Step):
    """Generate live_window.c, with which an image takes one sample after another from the host.

    Attributes:
        usecase: its name, as the device prints it.
        platform: the platform.yaml.
        source: the descriptor, as the file names it.
        output: the C source.
    """

    usecase: str
    platform: Input
    source: str
    output: Output

    def run(self) -> None:
        """Place the window and write the C source."""
        from ethosmith.accuracy.samples_window import window_of
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.live.window import live_source

        window = window_of(load_platform(self.platform))
        write_text(self.output, live_source(self.usecase, window, self.source))
