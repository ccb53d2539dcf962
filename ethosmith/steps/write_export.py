# SPDX-License-Identifier: Apache-2.0
"""A use case as sources for other builds: CMake, Zephyr, PlatformIO, csolution."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import UNFINISHED_PREFIX, read_bytes, write_text
from ethosmith.lib.c_text import notice
from ethosmith.steps.step import Input, Inputs, Step, step

_MARK = "ethosmith-export.json"
_MAX_EXPECTED_BYTES = 1 << 28
# Template, and the file that it becomes.
_TEXTS = (
    ("write_export.CMakeLists.txt.j2", "CMakeLists.txt"),
    ("write_export.README.md.j2", "README.md"),
    ("write_export.main.c.j2", "example/main.c"),
    ("write_export.self_test.c.j2", "self_test/self_test.c"),
    ("write_export.self_test.h.j2", "self_test/self_test.h"),
    ("write_export.module.yml.j2", "zephyr/module.yml"),
    ("write_export.zephyr.txt.j2", "zephyr/CMakeLists.txt"),
    ("write_export.Kconfig.j2", "zephyr/Kconfig"),
    ("write_export.library.json.j2", "library.json"),
    ("write_export.clayer.yml.j2", "{name}.clayer.yml"),
)


@step(verb="EXPORT", packages=("jinja2",), cacheable=False)
class WriteExport(Step):
    """Write a use case as a self-contained C and C++ library with a self-test.

    Attributes:
        usecase: its name.
        heading: its title.
        built_for: npu, memory_mode, platform and the addresses that the export begins with.
        parts: of each library and of the application: name, heading, licence, sources and headers
            as pairs of a path and its place in the export, include_dirs, flags, defines,
            requires, and source_flags by place.
        files: all that ``parts`` names.
        samples: the C source that holds the samples.
        expected: the answers and output tensors of the samples.
        folder: where it goes; an earlier export there is replaced.
    """

    usecase: str
    heading: str
    built_for: Mapping[str, str]
    parts: tuple[Mapping[str, Any], ...]
    files: Inputs
    samples: Input
    expected: Input
    folder: Path

    def run(self) -> None:
        """Write everything beside the folder, and put it in place as a whole.

        Raises:
            EthosmithError: the folder holds something else, or cannot be written.
        """
        _check_folder(self.folder)
        parent = self.folder.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(
                prefix=f"{UNFINISHED_PREFIX}{self.folder.name}.", dir=parent
            ) as beside:
                new = Path(beside) / "new"
                self._write(new)
                if self.folder.exists():
                    self.folder.rename(Path(beside) / "old")
                new.rename(self.folder)
        except OSError as error:
            raise EthosmithError(f"export={self.folder}: {error.strerror}") from None

    @property
    def title(self) -> str:
        """The folder."""
        return self.folder.as_posix()

    def _write(self, new: Path) -> None:
        from ethosmith.lib.templates import text_of

        for part in self.parts:
            for source, place in (*part["sources"], *part["headers"]):
                target = new / place
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        expected = _expected_source(_samples(self.expected))
        write_text(new / "self_test/expected.c", expected)
        shutil.copyfile(self.samples, new / "self_test/samples.c")
        values = {
            "name": self.usecase,
            "target": re.sub(r"\W", "_", self.usecase),
            "heading": self.heading,
            "built_for": self.built_for,
            "parts": self.parts,
            "include_dirs": sorted({d for part in self.parts for d in part["include_dirs"]}),
            "all_sources": [place for part in self.parts for _, place in part["sources"]],
        }
        for template, name in _TEXTS:
            text = text_of(Path(__file__).with_name(template), values)
            write_text(new / name.format(name=self.usecase), text)
        write_text(new / _MARK, json.dumps({"usecase": self.usecase, **self.built_for}) + "\n")


def _check_folder(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise EthosmithError(f"export={folder}: not a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise EthosmithError(
            f"export={folder}: is not empty and not an earlier export; name a new folder"
        )


def _samples(expected: Path) -> list[Mapping[str, Any]]:
    data = json.loads(read_bytes(expected, limit_bytes=_MAX_EXPECTED_BYTES))
    samples: list[Mapping[str, Any]] = data["samples"]
    return samples


def _expected_source(samples: Sequence[Mapping[str, Any]]) -> str:
    """Return the C source of every output tensor of every sample, window after window."""
    lines = [notice("the use case's expected answers").rstrip(), '#include "self_test.h"', ""]
    rows = []
    for index, sample in enumerate(samples):
        data = bytes.fromhex("".join(sample["tensors"]))
        lines.append(f"static const uint8_t expected_{index}[] = {{")
        for start in range(0, len(data), 16):
            row = ", ".join(f"0x{byte:02x}" for byte in data[start : start + 16])
            lines.append(f"    {row},")
        lines.append("};")
        rows.append(f"    {{expected_{index}, sizeof expected_{index}}},")
    lines += ["", "const struct expected_output expected_outputs[] = {", *rows, "};"]
    return "\n".join(lines) + "\n"
