# SPDX-License-Identifier: Apache-2.0
"""Fuzz Python's readers, guided by coverage, with atheris (pip install atheris).

    python -m tests.fuzz.readers wav -max_total_time=60

Whatever follows the target's name goes to libFuzzer. Everything but an `EthosmithError` is a crash.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ethosmith"]):
    from ethosmith.core.errors import EthosmithError
    from ethosmith.descriptors.usecase_checks import load_usecase
    from ethosmith.graph.own_files import labels_of_file
    from ethosmith.images.elf import read_image, read_symbols
    from ethosmith.images.link_map import read_link_map
    from ethosmith.lib.sample_formats import SampleForm, read_sample
    from ethosmith.lib.sound import SoundSpec
    from ethosmith.models.executorch_file import read_executorch
    from ethosmith.report.vela_figures import read_layers
    from ethosmith.verify.manifests import read_manifest

_FORM = SampleForm(SoundSpec(16000, 1, None, 30.0))
READERS: Mapping[str, Callable[[Path], object]] = {
    "wav": lambda path: read_sample(path, "wav", _FORM),
    "csv": lambda path: read_sample(path, "csv", _FORM),
    "list": lambda path: read_sample(path, "pcm16-python-list", _FORM),
    "npy": lambda path: read_sample(path, "npy", _FORM),
    "labels": lambda path: labels_of_file(path, path),
    "elf": lambda path: read_symbols(read_image(path)),
    "map": lambda path: read_link_map(path, [".text", ".bss"]),
    "layers": read_layers,
    "manifest": read_manifest,
    "pte": read_executorch,
    "usecase": lambda path: load_usecase(path, (), ()),
}


def main() -> None:
    """Fuzz the reader that is named."""
    if len(sys.argv) < 2 or sys.argv[1] not in READERS:
        sys.exit(f"name one of {', '.join(READERS)}")
    read = READERS[sys.argv[1]]
    with tempfile.NamedTemporaryFile(prefix="fuzzed") as file:
        path = Path(file.name)

        def one(data: bytes) -> None:
            path.write_bytes(data)
            with contextlib.suppress(EthosmithError):
                read(path)

        atheris.Setup([sys.argv[0], "-rss_limit_mb=1000", *sys.argv[2:]], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
