# SPDX-License-Identifier: Apache-2.0
"""Write NAME_manifest.json, enough to build an image again, and NAME_bom.cdx.json: what is in it.

Neither holds a time or the name of a machine, nor a path that the user did not give: the same
inputs give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, sha256_of, write_text
from ethosmith.steps.step import Input, Inputs, OptionalInput, Output, Step, step
from ethosmith.verify.manifests import SCHEMA_VERSION


@step(verb="MANIFEST")
class WriteManifest(Step):
    """Write an image's manifest, enough to build it again, and its bill of materials.

    Attributes:
        plan: what is known of the image beforehand, of `ethosmith.graph.provenance`.
        files: the project's files that it is made from.
        shown: the name of each in the manifest.
        made: files between those and the image, such as the int8 network.
        image_files: the image's own files.
        map: the linker's, if the image was linked here.
        usage: of the step measure-size.
        manifest: NAME_manifest.json.
        bom: NAME_bom.cdx.json, CycloneDX.
    """

    plan: Mapping[str, Any]
    files: Inputs
    shown: tuple[str, ...]
    made: Inputs
    image_files: Inputs
    map: OptionalInput = None
    usage: Input
    manifest: Output
    bom: Output

    def run(self) -> None:
        """Hash all files and write both."""
        from ethosmith.images.link_map import archives_of
        from ethosmith.report.bill_of_materials import bill_of_materials

        if len(self.shown) != len(self.files):
            raise EthosmithError(f"{len(self.shown)} names for {len(self.files)} files")
        inputs = zip(self.shown, self.files, strict=True)
        regions = read_json(self.usage)["regions"]
        data = manifest(self.plan, inputs, self.made, self.image_files, regions)
        archives = archives_of(self.map) if self.map else []
        for path, content in (
            (self.manifest, data),
            (self.bom, bill_of_materials(data, archives)),
        ):
            write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def manifest(
    plan: Mapping[str, Any],
    inputs: Iterable[tuple[str, Path]],
    made: Iterable[Path],
    outputs: Iterable[Path],
    regions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the manifest as plain data.

    Args:
        plan: of `ethosmith.graph.provenance.plan_of`.
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


# Of the step measure-size, for each memory region.
_SIZES = ("region", "address", "size_bytes", "used_bytes", "classes")


def _file(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_of(path), "size_bytes": path.stat().st_size}
