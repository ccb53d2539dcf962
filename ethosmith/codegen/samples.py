# SPDX-License-Identifier: Apache-2.0
"""samples.c: the inputs that are baked into the image."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.codegen.c_text import byte_array, notice, string
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_text
from ethosmith.core.program import run_step

# 16 bytes suit every element type and Helium's loads.
_ALIGNMENT = "16"


def samples_source(usecase: str, samples: Sequence[tuple[str, bytes]], source: str) -> str:
    """Return the C source that defines what runtime/sample.h declares.

    Args:
        usecase: the use case's name, as the device prints it.
        samples: name and bytes of each, as the application's pre-processing takes them.
        source: the descriptor, as the file names it.
    """
    arrays = "\n".join(
        byte_array(f"sample_{index}", data, section="SAMPLE_SECTION", alignment=_ALIGNMENT)
        for index, (_, data) in enumerate(samples)
    )
    entries = "\n".join(
        f"    {{{string(name)}, sample_{index}, {len(data)}}},"
        for index, (name, data) in enumerate(samples)
    )
    return (
        f'{notice(source)}#include "sample.h"\n\n{arrays}\n'
        f"const struct sample samples[] = {{\n{entries or '    {0, 0, 0},'}\n}};\n\n"
        f"const uint32_t sample_count = {len(samples)};\n\n"
        f"const char usecase_name[] = {string(usecase)};\n"
    )


def _named_file(text: str) -> tuple[str, bytes]:
    name, separator, path = text.partition("=")
    if not separator:
        raise EthosmithError(f"--sample {text}: write NAME=FILE")
    return name, Path(path).read_bytes()


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.codegen.samples")
    parser.add_argument("--usecase", required=True, help="its name")
    parser.add_argument("--sample", action="append", default=[], help="NAME=FILE")
    parser.add_argument("--source", required=True, help="the descriptor, as the file names it")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    samples = [_named_file(text) for text in given.sample]
    write_text(given.output, samples_source(given.usecase, samples, given.source))


if __name__ == "__main__":
    sys.exit(run_step(main))
