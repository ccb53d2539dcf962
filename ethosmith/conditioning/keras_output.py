# SPDX-License-Identifier: Apache-2.0
"""Write a Keras network to a .keras file whose bytes follow from the network alone."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from ethosmith.core.files import writing_beside

_METADATA = "metadata.json"
_SAVED_AT = "date_saved"
# The first day that a zip archive can name.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


def write_keras(model: Any, output: Path) -> None:
    """Write ``model`` to ``output``, whole or not at all, and without the time of writing."""
    with tempfile.TemporaryDirectory(prefix="keras-") as folder, writing_beside(output) as beside:
        saved = Path(folder) / "network.keras"
        model.save(saved)
        with zipfile.ZipFile(saved) as given, zipfile.ZipFile(beside, "w") as made:
            for name in sorted(given.namelist()):
                content = given.read(name)
                if name == _METADATA:
                    content = _without_date(content)
                member = zipfile.ZipInfo(name, _NO_DATE)
                member.external_attr = 0o644 << 16
                # Weights hardly shrink, and another zlib would give other bytes.
                made.writestr(member, content, zipfile.ZIP_STORED)


def _without_date(content: bytes) -> bytes:
    metadata = json.loads(content)
    metadata.pop(_SAVED_AT, None)
    return json.dumps(metadata, sort_keys=True).encode()
