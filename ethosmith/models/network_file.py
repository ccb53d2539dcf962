# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of an int8 network: of a .tflite, or of the JSON that goes with a .tosa."""

from __future__ import annotations

import json
from pathlib import Path

from ethosmith.core.errors import EthosmithError
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
    try:
        return NetworkSpec.of_json(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise EthosmithError(f"{path}: does not describe a network: {error}") from None
