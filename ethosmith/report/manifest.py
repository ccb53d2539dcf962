# SPDX-License-Identifier: Apache-2.0
"""Write NAME_manifest.json, enough to build an image again, and NAME_bom.cdx.json, what is in it.

Neither holds a time or the name of a machine, nor a path that the user did not give: the same
inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.files import sha256_of, write_text
from ethosmith.core.program import run_step
from ethosmith.images.link_map import archives_of
from ethosmith.report.bill_of_materials import bill_of_materials
from ethosmith.verify.manifests import SCHEMA_VERSION


def manifest(
    plan: Mapping[str, Any],
    inputs: Iterable[tuple[str, Path]],
    made: Iterable[Path],
    outputs: Iterable[Path],
    regions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the manifest as plain data.

    Args:
        plan: of `ethosmith.graph.ingredients.plan_of`.
        inputs: files of the project: the name to show, and the place.
        made: files between the inputs and the image, such as the int8 network.
        outputs: files of the image.
        regions: of NAME_size.json.

    Raises:
        OSError: a file is missing.
    """
    return {
        "schema": SCHEMA_VERSION,
        **plan,
        "inputs": {name: _file(path) for name, path in sorted(inputs)},
        "made": {path.as_posix(): _file(path) for path in made},
        "outputs": {path.as_posix(): _file(path) for path in outputs},
        "sizes": [{key: region[key] for key in _SIZES} for region in regions],
    }


# Of `ethosmith.images.size`: for each memory region.
_SIZES = ("region", "address", "size_bytes", "used_bytes", "classes")


def _file(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_of(path), "size_bytes": path.stat().st_size}


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.report.manifest")
    parser.add_argument("--plan-json", required=True, help="of ethosmith.graph.ingredients")
    parser.add_argument("--input", action="append", default=[], help="NAME=PATH")
    parser.add_argument("--made", type=Path, action="append", default=[])
    parser.add_argument("--image-file", type=Path, action="append", default=[])
    parser.add_argument("--map", type=Path, help="of the linker, if the image was linked here")
    parser.add_argument("--usage", type=Path, required=True, help="NAME_size.json")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--bom", type=Path, required=True, help="CycloneDX")
    given = parser.parse_args(argv)
    inputs = [(name, Path(path)) for name, _, path in (text.partition("=") for text in given.input)]
    regions = json.loads(given.usage.read_text("utf-8"))["regions"]
    data = manifest(json.loads(given.plan_json), inputs, given.made, given.image_file, regions)
    write_text(given.output, _text(data))
    archives = archives_of(given.map) if given.map else []
    write_text(given.bom, _text(bill_of_materials(data, archives)))


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(run_step(main))
