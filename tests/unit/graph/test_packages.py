# SPDX-License-Identifier: Apache-2.0
"""Versions of installed distributions: with what they require, and never from before an upgrade."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph import packages
from ethosmith.graph.packages import InstalledPackages


def _install(folder: Path, name: str, version: str, *needs: str) -> Path:
    metadata = folder / f"{name}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    needed = "".join(f"Requires-Dist: {one}\n" for one in needs)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}")
    return metadata


def test_what_is_remembered_ends_with_the_next_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, memory = tmp_path / "site-packages", tmp_path / "packages.json"
    place.mkdir()
    monkeypatch.setattr(sys, "path", [str(place)])

    def versions() -> dict[str, str]:
        # A build is a process.
        packages._distribution.cache_clear()
        installed = InstalledPackages(memory)
        try:
            return installed.versions(["first_one"])
        finally:
            installed.save()

    with pytest.raises(EthosmithError, match="'first_one' is not installed"):
        versions()
    _install(place, "First.One", "1.0", "second>=1", "missing; extra == 'gpu'", "no; os_name == ''")
    old = _install(place, "second", "1.5", "absent")
    assert versions() == {"first-one": "1.0", "second": "1.5"}
    memory.write_text(memory.read_text().replace('"1.5"', '"remembered"'))
    assert versions() == {"first-one": "1.0", "second": "remembered"}
    old.unlink()
    old.parent.rmdir()
    _install(place, "second", "1.6")
    assert versions() == {"first-one": "1.0", "second": "1.6"}
