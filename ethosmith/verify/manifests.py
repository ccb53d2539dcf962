# SPDX-License-Identifier: Apache-2.0
"""Read manifests of images, and tell why two of one image are not the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import parsing, read_json, sha256_of

_ARGUMENT = re.compile(r"[a-z][a-z0-9_]*=[^\0]*\Z", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What a manifest may ask for. Programs are named by nobody but the user.
_BUILDS = frozenset(
    (
        *("usecase", "target", "npu", "memory_mode", "system_config", "runtime", "build_type"),
        *("toolchain", "model", "labels", "samples", "runs"),
    )
)
# Of arguments that put folders of sources in the place of repositories.
FOLDER_SUFFIX = "_dir"
_PARTS = ("arguments", "outputs", "made", "inputs", "tools")
# An ExecuTorch program stands in the place of an image where no runner is there for the board.
_IMAGES = (".axf", ".pte")
# The runtimes whose image is somebody else's.
_READY_IMAGES = ("prebuilt", "executorch")
# Given anew to every build from a manifest.
_OURS = ("cache=", "launcher=")

# Of NAME_manifest.json.
SCHEMA_VERSION = 1


class Manifest(NamedTuple):
    """What an image is recorded to be made of.

    Attributes:
        path: of the file.
        data: its content; see docs/outputs.md.
    """

    path: Path
    data: Mapping[str, Any]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words behind ``scons`` that make the image."""
        return tuple(word for word in self.data["arguments"] if not word.startswith(_OURS))

    @property
    def image(self) -> Path:
        """The image's path in the project that it was built in."""
        return Path(next(name for name in self.data["outputs"] if name.endswith(_IMAGES)))

    @property
    def files(self) -> dict[str, Any]:
        """What has to come out the same: the image, and the network if the image has none."""
        ready = self.data.get("configuration", {}).get("runtime") in _READY_IMAGES
        return {**self.data["outputs"], **(self.data["made"] if ready else {})}

    @property
    def place(self) -> Path:
        """The manifest's own path in the project that it was built in."""
        return self.image.with_name(f"{self.image.stem}_manifest.json")


def read_manifest(path: Path) -> Manifest:
    """Read NAME_manifest.json.

    Raises:
        EthosmithError: it is none, or of another version.
        OSError: it cannot be read.
    """
    data = read_json(path)
    with parsing(path, "image manifest"):
        if data["schema"] != SCHEMA_VERSION:
            raise EthosmithError(
                f"{path}: its schema is {data['schema']!r}, this Ethosmith reads {SCHEMA_VERSION}"
            )
        _check_form(data)
    for word in data["arguments"]:
        _check_argument(path, word)
    return Manifest(path, data)


def _check_form(data: Mapping[str, Any]) -> None:
    """Raise ValueError unless all that is read later has its type.

    The names are paths in a project and never lead out of it.
    """
    for part in _PARTS[1:4]:
        for name, file in data[part].items():
            if not _SHA256.fullmatch(file["sha256"]):
                raise ValueError(f"{part}: no SHA-256")
            if part == "outputs" and not _is_plain(name):
                raise ValueError("outputs: a name that leads elsewhere")
    texts = (data["usecase"], data.get("revision") or "", data.get("code_sha256") or "")
    tools = data["tools"].items()
    if not all(isinstance(text, str) and text.isprintable() for pair in tools for text in pair):
        raise ValueError("tools: no names and versions")
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError("usecase: no name")
    if not isinstance(data.get("configuration", {}), dict) or not any(
        map(_is_image, data["outputs"])
    ):
        raise ValueError("outputs: no image")
    if not (isinstance(data["arguments"], list) and all(map(_ARGUMENT.match, data["arguments"]))):
        raise ValueError("arguments: no NAME=VALUE")
    image = Path(next(filter(_is_image, data["outputs"])))
    if not all(Path(name).is_relative_to(image.parent) for name in data["outputs"]):
        raise ValueError("outputs: in several folders")


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return name.isprintable() and not any(part in {"", ".", ".."} for part in parts)


def _check_argument(path: Path, word: str) -> None:
    """Refuse words that choose a program, or anything else than what is built."""
    name = word.partition("=")[0]
    if name not in _BUILDS and not name.endswith(FOLDER_SUFFIX) and not word.startswith(_OURS):
        raise EthosmithError(
            f"{path}: holds {ascii(word)[1:80]}: a manifest names what is built, not the programs"
            f" that build it; take it out, or give {name}= yourself"
        )


def _is_image(name: str) -> bool:
    return name.endswith(".axf")


def differing_outputs(recorded: Manifest, rebuilt: Manifest) -> list[str]:
    """Return the files that are not the same, sorted."""
    return sorted(_differing(recorded.files, rebuilt.files))


def changed_since(recorded: Manifest) -> list[str]:
    """Return the files beside the manifest that are not those that it records."""
    folder, found = recorded.path.parent, []
    for name, file in recorded.data["outputs"].items():
        beside = folder / Path(name).relative_to(recorded.image.parent)
        if beside.is_file() and sha256_of(beside) != file["sha256"]:
            found.append(str(beside))
    return found


def reasons(recorded: Manifest, rebuilt: Manifest) -> Iterator[str]:
    """Yield why the outputs differ, what explains most first."""
    was, now = recorded.data, rebuilt.data
    for name in sorted(_differing(was["tools"], now["tools"])):
        there, here = (tools.get(name, "none") for tools in (was["tools"], now["tools"]))
        yield f"tool {name}: {there}, here {here}"
    for name in sorted(_differing(was["inputs"], now["inputs"])):
        yield f"input {name}: {_change(was['inputs'], now['inputs'], name)}"
    for part, what in (("packages", "a package"), ("repositories", "a git repository")):
        if was.get(part) != now.get(part):
            yield f"{what} is another: see {part} in both manifests"
    if was.get("code_sha256") != now.get("code_sha256"):
        yield "Ethosmith's own code is another"
    if was.get("revision") != now.get("revision"):
        yield f"commit {was.get('revision') or 'unknown'}, here {now.get('revision') or 'unknown'}"
    for name in (name for name in was["made"] if name in _differing(was["made"], now["made"])):
        yield f"made on the way: {name} has other bytes"


def _change(was: Mapping[str, Any], now: Mapping[str, Any], name: str) -> str:
    if name not in now:
        return "is no input here"
    return "has other bytes" if name in was else "was no input"


def _differing(was: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    return {name for name in {*was, *now} if was.get(name) != now.get(name)}
