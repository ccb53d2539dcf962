# SPDX-License-Identifier: Apache-2.0
"""samples.c: the inputs that are baked into the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, write_text
from ethosmith.lib.c_text import byte_array, notice, string
from ethosmith.steps.step import Inputs, Output, Step, step

# 16 bytes suit every element type and Helium's loads.
_ALIGNMENT = "16"
_MAX_FILE_NAME = 100


@step(verb="GENERATE")
class GenerateSamples(Step):
    """Generate samples.c: the inputs that are baked into the image.

    Attributes:
        usecase: its name, as the device prints it.
        names: the samples' names.
        files: the bytes of each, as the application's pre-processing takes them.
        originals: the names of the files that they were read from, for messages; empty: from none.
        source: the descriptor, as the file names it.
        output: the C source.
    """

    usecase: str
    names: tuple[str, ...]
    files: Inputs
    originals: tuple[str, ...]
    source: str
    output: Output

    def run(self) -> None:
        """Write the C source."""
        if not len(self.names) == len(self.files) == len(self.originals):
            raise EthosmithError(
                f"{len(self.names)} names and {len(self.originals)} originals for"
                f" {len(self.files)} samples"
            )
        samples = [
            BakedSample(name, read_bytes(file), original)
            for name, file, original in zip(self.names, self.files, self.originals, strict=True)
        ]
        write_text(self.output, samples_source(self.usecase, samples, self.source))


@dataclass(frozen=True)
class BakedSample:
    """One sample of the image.

    Attributes:
        name: what the device prints.
        data: its bytes, as the application's pre-processing takes them.
        file: the name of the file that they were read from, for messages; empty: from none.
    """

    name: str
    data: bytes
    file: str = ""


def samples_source(usecase: str, samples: Sequence[BakedSample], source: str) -> str:
    """Return the C source that defines what runtime/sample.h declares.

    Args:
        usecase: the use case's name, as the device prints it.
        samples: in the order in which the device runs them.
        source: the descriptor, as the file names it.
    """
    arrays = "\n".join(
        byte_array(f"sample_{index}", sample.data, section="SAMPLE_SECTION", alignment=_ALIGNMENT)
        for index, sample in enumerate(samples)
    )
    entries = "\n".join(
        f"    {{{string(sample.name)}, sample_{index}, {len(sample.data)}, {_file(sample)}}},"
        for index, sample in enumerate(samples)
    )
    return (
        f'{notice(source)}#include "sample.h"\n\n{arrays}\n'
        f"const struct sample samples[] = {{\n{entries or '    {0, 0, 0, 0},'}\n}};\n\n"
        f"const uint32_t sample_count = {len(samples)};\n\n"
        f"const char usecase_name[] = {string(usecase)};\n"
    )


def _file(sample: BakedSample) -> str:
    # On a terminal, so without control characters.
    shown = "".join(c if c.isprintable() else "?" for c in sample.file)
    return string(shown[:_MAX_FILE_NAME]) if shown else "0"
