# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of an int8 network: of a .tflite, or of the JSON that goes with a .tosa."""

from __future__ import annotations

from pathlib import Path

from ethosmith.core.files import parsing, read_json
from ethosmith.models.int8_check import check_int8
from ethosmith.models.tensor_spec import NetworkSpec

# Of a file with what `NetworkSpec.as_json` returns.
SPEC_SUFFIX = ".json"


def network_spec_of(path: Path) -> NetworkSpec:
    """Return the inputs and outputs of the int8 network at ``path``.

    Args:
        path: an int8 .tflite, or a file with a `NetworkSpec` as JSON.

    Raises:
        EthosmithError: as `check_int8`, or the JSON is not of that form.
    """
    if path.suffix != SPEC_SUFFIX:
        return check_int8(path)
    data = read_json(path)
    with parsing(path, "description of a network"):
        return NetworkSpec.of_json(data)
