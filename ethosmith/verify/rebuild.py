# SPDX-License-Identifier: Apache-2.0
"""Build images again from their manifests, in a copy of the project, and compare every file.

Nothing comes from a cache: not from the build cache, nor from a compiler launcher's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import run_step
from ethosmith.verify.manifests import (
    FOLDER_SUFFIX,
    Manifest,
    changed_since,
    differing_outputs,
    read_manifest,
    reasons,
)

_BUILD = "build"
_OWN_FILES = ("model=", "labels=", "samples=")
_USECASE = "usecase="
_MAX_REASONS = 8


def groups(manifests: Iterable[Manifest]) -> list[tuple[list[str], list[Manifest]]]:
    """Return what one call of scons can make: its arguments, and the images.

    Use cases that differ in nothing else go together.
    """
    found: dict[tuple[str, ...], list[Manifest]] = {}
    for manifest in manifests:
        shared = tuple(word for word in manifest.arguments if not word.startswith(_USECASE))
        own = any(word.startswith(_OWN_FILES) for word in shared)
        found.setdefault(manifest.arguments if own else shared, []).append(manifest)
    return [(_with_usecases(shared, images), images) for shared, images in found.items()]


def _with_usecases(shared: Sequence[str], images: Sequence[Manifest]) -> list[str]:
    words = (word for image in images for word in image.arguments if word.startswith(_USECASE))
    names = dict.fromkeys(word.removeprefix(_USECASE) for word in words)
    rest = [word for word in shared if not word.startswith(_USECASE)]
    return [f"{_USECASE}{','.join(names)}", *rest]


def check_folders(manifests: Iterable[Manifest], folders: Sequence[str]) -> None:
    """Check that the user, too, names each folder of sources that a manifest builds from.

    Raises:
        EthosmithError: only the manifest names it. What is in it is compiled, and its own build
            may run programs.
    """
    for manifest in manifests:
        for word in manifest.arguments:
            if word.partition("=")[0].endswith(FOLDER_SUFFIX) and word not in folders:
                raise EthosmithError(
                    f"{manifest.path}: builds from a folder that may run programs; if you trust"
                    f" it, say so: verify {ascii(word)[1:-1]}"
                )


def copy_project(project: Path, scratch: Path) -> None:
    """Copy what a build can be made from: all but ``build`` and what is hidden or compiled."""

    def left_out(folder: str, names: list[str]) -> list[str]:
        top = Path(folder) == project
        return [
            name
            for name in names
            if name.startswith(".") or name == "__pycache__" or (top and name == _BUILD)
        ]

    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(project, scratch, ignore=left_out, symlinks=True)


def build(scratch: Path, arguments: Sequence[str], extra: Sequence[str]) -> None:
    """Build images in ``scratch``.

    Raises:
        EthosmithError: the build failed.
    """
    words = [*arguments, "cache=none", "launcher=none", *extra, "images"]
    environment = {name: value for name, value in os.environ.items() if name != "SCONSFLAGS"}
    command = [sys.executable, "-m", "SCons", "-Q", *words]
    # Among the open descriptors is the lock of the build that asks.
    code = subprocess.call(command, cwd=scratch, env=environment, close_fds=False)
    if code:
        raise EthosmithError(f"building again failed: scons {' '.join(words)}")


def verdict(recorded: Manifest, scratch: Path) -> tuple[bool, str]:
    """Return whether the image came out the same, and a text of one or more lines about it."""
    rebuilt = read_manifest(scratch / recorded.place)
    name = f"{recorded.data['usecase']}  {recorded.path.parent / recorded.image.name}"
    changed = changed_since(recorded)
    if changed:
        return False, f"changed: {name}: {', '.join(changed)} is not what the manifest records\n"
    files = differing_outputs(recorded, rebuilt)
    if not files:
        return True, f"verified: {name}: identical, {len(recorded.files)} files\n"
    lines = [f"differs: {name}: {', '.join(Path(file).name for file in files)}"]
    lines += [f"  {reason}" for reason in islice(reasons(recorded, rebuilt), _MAX_REASONS)]
    if len(lines) == 1:
        lines.append(
            "  nothing that is recorded differs; perhaps the compiler ran on another machine"
            " (launcher=distcc)"
        )
    return False, "\n".join([*lines, f"  built again: {scratch / recorded.image}", ""])


def main(argv: Sequence[str]) -> None:
    """Command line of ``scons verify``."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.verify.rebuild")
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, action="append", required=True)
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for the copy")
    parser.add_argument("--folder", action="append", default=[], help="NAME_dir=FOLDER")
    parser.add_argument("extra", nargs="*", help="further words for scons")
    given = parser.parse_args(argv)
    manifests = [read_manifest(path) for path in given.manifest]
    check_folders(manifests, given.folder)
    scratch = given.scratch.absolute()
    copy_project(given.project.absolute(), scratch)
    for arguments, _ in groups(manifests):
        build(scratch, arguments, given.extra)
    verdicts = [verdict(manifest, scratch) for manifest in manifests]
    sys.stdout.write("\n" + "".join(text for _, text in verdicts))
    sys.stdout.flush()
    wrong = sum(1 for same, _ in verdicts if not same)
    if wrong:
        raise EthosmithError(f"{wrong} of {len(verdicts)} images did not come out as recorded")
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run_step(main))
