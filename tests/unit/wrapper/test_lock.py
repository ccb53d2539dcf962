# SPDX-License-Identifier: Apache-2.0
"""requirements.lock meets pyproject.toml, pins every package by hash, and names no server."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.project_copy import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def pins() -> list[tuple[Requirement, int]]:
    """Return each pinned requirement and how many hashes it has."""
    logical = LOCK.replace("\\\n", " ").splitlines()
    return [
        (Requirement(line.partition(" --hash=")[0]), line.count("--hash=sha256:"))
        for line in logical
        if line and not line.startswith("#")
    ]


def declared() -> list[Requirement]:
    """Return what this repository's projects declare, except one another."""
    files = [ROOT / "pyproject.toml", *(ROOT / "distributions").glob("*/pyproject.toml")]
    projects = [tomllib.loads(file.read_text(encoding="utf-8"))["project"] for file in files]
    found = []
    for project in projects:
        groups = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
        found += [Requirement(text) for texts in groups for text in texts]
    ours = {project["name"] for project in projects}
    return [item for item in found if canonicalize_name(item.name) not in ours]


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
@pytest.mark.parametrize(
    "system", [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")], ids="-".join
)
def test_every_declared_dependency_is_pinned_once(python: str, system: tuple[str, str]) -> None:
    machine = {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": system[0],
        "platform_machine": system[1],
        "platform_python_implementation": "CPython",
    }
    active = [pin for pin, _ in pins() if pin.marker is None or pin.marker.evaluate(dict(machine))]
    names = [canonicalize_name(pin.name) for pin in active]
    assert sorted(set(names)) == sorted(names)
    versions = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in active}
    for wanted in declared():
        if wanted.marker is None or wanted.marker.evaluate(dict(machine)):
            name = canonicalize_name(wanted.name)
            assert name in versions, f"{name} is not locked: run tools/lock"
            assert wanted.specifier.contains(versions[name], prereleases=True), (
                f"{name} {versions[name]} does not meet {wanted}: run tools/lock"
            )


def test_every_pin_is_exact_and_has_a_hash() -> None:
    assert len(pins()) > len(declared())
    for pin, hashes in pins():
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin
        assert hashes > 0, pin


def test_lock_names_no_server() -> None:
    assert not re.search(r"https?:|file:|--index|--find-links", LOCK)
