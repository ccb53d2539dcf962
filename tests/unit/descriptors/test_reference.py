# SPDX-License-Identifier: Apache-2.0
"""The reference of the descriptors is what the schemas say."""

from __future__ import annotations

from ethosmith.descriptors.reference import reference
from tests.support.project_copy import ROOT

_DOCUMENT = ROOT / "docs" / "reference.md"


def test_reference_is_current() -> None:
    assert _DOCUMENT.read_text("utf-8") == reference(), "run python -m ethosmith schemas"
