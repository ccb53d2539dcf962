# SPDX-License-Identifier: Apache-2.0
"""labels.c: the class names, in the order of the network's output."""

from __future__ import annotations

from collections.abc import Sequence

from ethosmith.core.files import write_text
from ethosmith.lib.c_text import notice, string
from ethosmith.steps.step import Output, Step, step


@step(verb="GENERATE")
class GenerateLabels(Step):
    """Generate labels.c: the class names, in the order of the network's output.

    Attributes:
        labels: the names.
        source: the descriptor, as the file names it.
        output: the C source.
    """

    labels: tuple[str, ...]
    source: str
    output: Output

    def run(self) -> None:
        """Write the C source."""
        write_text(self.output, labels_source(self.labels, self.source))


def labels_source(labels: Sequence[str], source: str) -> str:
    """Return the C source that defines ``labels`` and ``label_count`` of runtime/labels.h.

    Each text is an array of its own, so that the section holds texts and pointers both.
    """
    placed = "__attribute__((section(LABELS_SECTION)))"
    texts = "".join(
        f"static const char label_{index}[] {placed} = {string(label)};\n"
        for index, label in enumerate(labels)
    )
    names = "\n".join(f"    label_{index}," for index in range(len(labels))) or "    0,"
    count = len(labels)
    return (
        f'{notice(source)}#include "labels.h"\n\n{texts}\n'
        f"const char *const labels[] {placed} = {{\n{names}\n}};\n\n"
        f"const uint32_t label_count = {count};\n"
    )
