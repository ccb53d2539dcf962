# SPDX-License-Identifier: Apache-2.0
"""samples.c: the inputs that are baked into the image."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.codegen.c_text import byte_array, notice, string
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_text
from ethosmith.core.program import run_step

# 16 bytes suit every element type and Helium's loads.
_ALIGNMENT = "16"
_MAX_FILE_NAME = 100


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


def _baked(text: str, files: Mapping[str, str]) -> BakedSample:
    name, separator, path = text.partition("=")
    if not separator:
        raise EthosmithError(f"--sample {text}: write NAME=FILE")
    return BakedSample(name, Path(path).read_bytes(), files.get(name, ""))


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.codegen.samples")
    parser.add_argument("--usecase", required=True, help="its name")
    parser.add_argument("--sample", action="append", default=[], help="NAME=FILE")
    parser.add_argument(
        "--files-json", default="{}", help="of each sample's name, the file that it was read from"
    )
    parser.add_argument("--source", required=True, help="the descriptor, as the file names it")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    files = json.loads(given.files_json)
    samples = [_baked(text, files) for text in given.sample]
    write_text(given.output, samples_source(given.usecase, samples, given.source))


if __name__ == "__main__":
    sys.exit(run_step(main))
