# SPDX-License-Identifier: Apache-2.0
"""List what is in an image and under which licences, as CycloneDX 1.6 (ECMA-424)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

_IMAGE = "image"
# What GCC's own archives and newlib's are called, and the licence that their sources state.
_RUNTIME_ARCHIVES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "libgcc": ("libgcc", {"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"}),
    "libstdc++": ("libstdc++", {"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"}),
    "libsupc++": ("libstdc++", {"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"}),
    "libc": ("newlib", {"license": {"name": "newlib (BSD and similar, COPYING.NEWLIB)"}}),
    "libm": ("newlib", {"license": {"name": "newlib (BSD and similar, COPYING.NEWLIB)"}}),
    "libnosys": ("newlib", {"license": {"name": "newlib (BSD and similar, COPYING.NEWLIB)"}}),
}


def bill_of_materials(manifest: Mapping[str, Any], archives: Iterable[str]) -> dict[str, Any]:
    """Return the CycloneDX document of an image.

    Args:
        manifest: of the step write-manifest.
        archives: file names of the archives that the linker took something from.
    """
    axf, state = next(iter(manifest["outputs"].items()))
    used = set(archives)
    runtime = _runtime(used)
    libraries = [item for item in manifest["libraries"] if f"lib{item['name']}.a" in used]
    parts = [
        *(_library(library) for library in libraries),
        *(_package(package) for package in manifest["packages"]),
        *(_repository(repository) for repository in manifest["repositories"]),
        _model(manifest),
        *runtime,
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, state['sha256'])}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "firmware",
                "bom-ref": _IMAGE,
                "name": PurePosixPath(axf).name,
                "hashes": [{"alg": "SHA-256", "content": state["sha256"]}],
            }
        },
        "components": parts,
        "dependencies": _dependencies(manifest, parts),
    }


def _library(library: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": f"library:{library['name']}",
        "name": library["name"],
        "description": library["title"],
        "licenses": [{"expression": library["licence"]}],
    }


def _package(package: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": f"package:{package['name']}",
        "name": package["name"],
        "version": package["version"],
        "description": package["title"],
        "hashes": [{"alg": "SHA-256", "content": package["sha256"]}],
        "licenses": [{"expression": package["licence"]}],
        "purl": f"pkg:pypi/{package['name']}@{package['version']}",
    }


def _repository(repository: Mapping[str, Any]) -> dict[str, Any]:
    """Return a git repository: at its pinned commit, or a folder in its place and its commit."""
    part: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"repository:{repository['name']}",
        "name": repository["name"],
        "description": repository["title"],
        "licenses": [{"expression": repository["licence"]}],
    }
    is_changed = repository.get("dirty", False)
    commit = repository.get("commit")
    if commit is not None:
        part["version"] = f"{commit}-dirty" if is_changed else commit
    if "folder" in repository:
        # Whoever has only this document cannot fetch it.
        part["properties"] = [{"name": "ethosmith:folder", "value": repository["folder"]}]
        return part
    return {
        **part,
        "purl": _git_purl(repository["name"], repository["git"], str(commit)),
        "externalReferences": [{"type": "vcs", "url": repository["git"]}],
    }


def _git_purl(name: str, git: str, commit: str) -> str:
    path = git.removeprefix("https://github.com/").removesuffix(".git")
    if path.count("/") == 1:
        return f"pkg:github/{path.lower()}@{commit}"
    return f"pkg:generic/{name}@{commit}?vcs_url=git%2B{quote(git, safe='')}%40{commit}"


# What a network is known by; of PyTorch's, whatever of it there is.
_INTEGER = (f"_int{bits}.{end}" for bits in (8, 16) for end in ("tflite", "tosa", "pt2"))
_NETWORKS = (*_INTEGER, ".pte")


def _model(manifest: Mapping[str, Any]) -> dict[str, Any]:
    network = next(state for path, state in manifest["made"].items() if path.endswith(_NETWORKS))
    part: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": manifest["model"]["name"],
        "hashes": [{"alg": "SHA-256", "content": network["sha256"]}],
    }
    licence = _licence_of(manifest, manifest["model"]["source"].get("package"))
    return {**part, "licenses": [{"expression": licence}]} if licence else part


def _licence_of(manifest: Mapping[str, Any], package: str | None) -> str | None:
    found = (item["licence"] for item in manifest["packages"] if item["name"] == package)
    return next(found, None)


def _runtime(archives: Iterable[str]) -> list[dict[str, Any]]:
    """Return the compiler's own libraries that the linker took something from."""
    found: dict[str, dict[str, Any]] = {}
    for archive in sorted(archives):
        known = _RUNTIME_ARCHIVES.get(archive.removesuffix(".a").removesuffix("_nano"))
        if known is not None:
            name, licence = known
            found[name] = {
                "type": "library",
                "bom-ref": f"toolchain:{name}",
                "name": name,
                "licenses": [licence],
            }
    return list(found.values())


def _dependencies(
    manifest: Mapping[str, Any], parts: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    known = {str(part["bom-ref"]) for part in parts}
    libraries = {f"library:{item['name']}": item for item in manifest["libraries"]}
    rows: dict[str, list[str]] = {_IMAGE: sorted(known)}
    for ref in sorted(known):
        needed: list[str] = []
        if ref in libraries:
            needed += [f"library:{name}" for name in libraries[ref]["requires"]]
            needed += [f"package:{name}" for name in libraries[ref]["packages"]]
            needed += [f"repository:{name}" for name in libraries[ref]["repositories"]]
        elif ref == "model":
            needed += [f"package:{manifest['model']['source'].get('package', '')}"]
        rows[ref] = [name for name in needed if name in known]
    return [{"ref": ref, "dependsOn": needed} for ref, needed in rows.items()]
