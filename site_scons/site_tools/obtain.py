# SPDX-License-Identifier: Apache-2.0
"""Obtain a pinned file, or the sources of a package: `ethosmith.obtain`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ethosmith.descriptors.origin import Origin, Package

_MODULE = "ethosmith.obtain"


def obtained_file(env: Any, origin: Origin, folder: Path, target: str) -> Any:
    """Return the node of the file that ``origin`` names.

    A local file is its own node; anything else is fetched to ``target``.
    """
    if origin.path:
        return env.Entry(str(env["PROJECT"].relative(folder / origin.path)))
    source = env["PROJECT"].source_of(origin)
    nodes = env.Step(
        _MODULE,
        target=target,
        source=[],
        options=["--source-json", json.dumps(source, sort_keys=True), "--output", target],
        unsigned_options=_offline(env),
        say=f"OBTAIN    {origin.file_name}",
        owns_terminal=True,
    )
    env.Alias("deps", nodes)
    return nodes[0]


def obtained_members(env: Any, package: Package, members: Sequence[str], folder: str) -> list[Any]:
    """Return the nodes of ``members`` of a package, extracted below ``folder``."""
    nodes: list[Any] = env["DECLARED"].once(
        folder, lambda: _extracted(env, package, members, folder)
    )
    return nodes


def _extracted(env: Any, package: Package, members: Sequence[str], folder: str) -> list[Any]:
    prefix = f"{package.root}/" if package.root else ""
    nodes = env.Step(
        _MODULE,
        target=[f"{folder}/{member}" for member in members],
        source=[],
        options=[
            *("--source-json", json.dumps(package.source(None), sort_keys=True)),
            *("--members-json", json.dumps([prefix + member for member in members])),
            *("--strip-prefix", package.root or ""),
            *("--output-dir", folder),
        ],
        unsigned_options=_offline(env),
        say=f"OBTAIN    {package.name} {package.version}",
        owns_terminal=True,
    )
    env.Alias("deps", nodes)
    return list(nodes)


def _offline(env: Any) -> list[str]:
    return ["--offline"] if env["OFFLINE"] else []


def exists(env: Any) -> bool:
    """Say that the tool can be used: pip and the standard library do the work."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `ObtainedFile` and `ObtainedMembers`."""
    env.AddMethod(obtained_file, "ObtainedFile")
    env.AddMethod(obtained_members, "ObtainedMembers")
