# SPDX-License-Identifier: Apache-2.0
"""Compile the firmware for the board and run programs on the open board."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.steps.generate_linker_script import linker_script
from ethosmith.steps.generate_platform_header import platform_header
from open_board.cli import main
from tests.support.firmware.compile import FIRMWARE
from tests.support.project_copy import ROOT

_LAYERS = ("runtime", "npu", "hal", "support")
_FLAGS = (
    *("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard", "--specs=nano.specs"),
    *("-std=c11", "-O2", "-ffunction-sections", "-Wall", "-Wextra", "-Werror"),
)
_LINK = (
    *("-nostartfiles", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments"),
    "-Wl,--build-id=sha1",
)
IDENTITY = "identity: "


@dataclass(frozen=True)
class Firmware:
    """Layers of the firmware, compiled into ``folder`` for the platform fvp."""

    folder: Path
    objects: tuple[Path, ...]

    def image(self, folder: Path, sources: Sequence[Path], defines: Sequence[str] = ()) -> Path:
        """Link the layers with a program's own sources."""
        own = [_compiled(source, self.folder, folder, defines) for source in sources]
        return self.image_of(folder, own)

    def compiled(self, source: Path, defines: Sequence[str] = ()) -> Path:
        """Compile a source beside the layers."""
        return _compiled(source, self.folder, self.folder, defines)

    def only(self, *layers: str) -> Firmware:
        """Return these layers alone."""
        names = {f"{file.name}.o" for layer in layers for file in (FIRMWARE / layer).glob("*.c")}
        return replace(self, objects=tuple(file for file in self.objects if file.name in names))

    def image_of(
        self, folder: Path, own: Sequence[Path], changed: Mapping[str, str] | None = None
    ) -> Path:
        """Link the layers with objects; ``changed`` holds other text for files of firmware/."""
        objects = {file.name: file for file in self.objects}
        for name, text in (changed or {}).items():
            source = folder / Path(name).name
            source.write_text(text, encoding="utf-8")
            replaced = _compiled(source, self.folder, folder, ())
            objects[replaced.name] = replaced
        axf = folder / "program.axf"
        command = ["arm-none-eabi-gcc", *_FLAGS, *_LINK, "-T", str(self.folder / "memory.ld")]
        linked = map(str, [*objects.values(), *own])
        subprocess.run([*command, "-o", str(axf), *linked], check=True, timeout=60)
        return axf


def compile_firmware(
    folder: Path,
    layers: Sequence[str] = _LAYERS,
    platform: Platform | None = None,
    system_config: str = "",
) -> Firmware:
    """Compile all sources of the layers, for the platform fvp if no other is given."""
    platform = platform or load_platform(ROOT / "platforms" / "fvp" / "platform.yaml")
    header = platform_header(platform, "Shared_Sram", "ethos-u55-128", system_config)
    (folder / "platform.h").write_text(header, encoding="utf-8")
    script = linker_script(platform, "Shared_Sram")
    (folder / "memory.ld").write_text(script, encoding="utf-8")
    for layer in layers:
        for file in sorted((FIRMWARE / layer).glob("*.c")):
            _compiled(file, folder, folder, ())
    return compiled_in(folder)


def compiled_in(folder: Path) -> Firmware:
    """Return what `compile_firmware` has put into a folder, as long as nothing else is there."""
    return Firmware(folder, tuple(sorted(folder.glob("*.o"))))


def _compiled(source: Path, platform: Path, folder: Path, defines: Sequence[str]) -> Path:
    target = folder / f"{source.name}.o"
    include = [f"-I{platform}", *(f"-I{FIRMWARE / layer}" for layer in _LAYERS)]
    command = ["arm-none-eabi-gcc", *_FLAGS, *defines, *include, "-c", str(source)]
    subprocess.run([*command, "-o", str(target)], check=True, timeout=60)
    return target


def run_on_board(axf: Path, *options: str) -> tuple[int, list[str]]:
    """Return the exit code and the UART's lines without that of its identity."""
    code, lines = boot(axf, *options)
    return code, [line for line in lines if not line.startswith(IDENTITY)]


def boot(axf: Path, *options: str) -> tuple[int, list[str]]:
    """Return the exit code and the UART's lines; the board is a strict one.

    pytest shows what it writes to its standard error where a test fails.
    """
    board = ["--simulator", "open", "--strict", "-a", str(axf), "--timelimit", "20"]
    said = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(said):
        code = main([*board, *options])
    said.seek(0)
    return code, said.read().splitlines()
