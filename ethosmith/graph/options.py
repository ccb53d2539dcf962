# SPDX-License-Identifier: Apache-2.0
"""The variables of the command line: names, help, defaults and allowed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ethosmith.descriptors.nearest import did_you_mean, unknown_name
from ethosmith.errors import EthosmithError
from ethosmith.graph.runtimes import RUNTIMES


@dataclass(frozen=True)
class Option:
    """One ``name=value`` of the command line; no ``allowed``: checked where it is used."""

    name: str
    help: str
    default: str
    allowed: tuple[str, ...] = ()


_RUNTIMES = ", ".join(runtime.name for runtime in RUNTIMES)

OPTIONS = (
    Option("usecase", "one, several with commas, or all", "all"),
    Option("target", "platform: fvp, mps3, or one of platforms/", "fvp"),
    Option("npu", "several with commas: ethos-u55-128, ...; none: the CPU alone", ""),
    Option("memory_mode", "Vela's memory mode, several with commas: Shared_Sram, ...", ""),
    Option("system_config", "Vela's system config", ""),
    Option("runtime", f"several with commas: {_RUNTIMES}", "direct"),
    Option("simulator", "auto takes the FVP if one is there", "auto", ("auto", "fvp", "open")),
    Option("model", "a .h5, .keras, SavedModel or .tflite instead of the use case's", ""),
    Option("labels", "a text file with one label a line, for another model", ""),
    Option("samples", "a folder of images or WAV files instead of the use case's samples", ""),
    Option("toolchain", "compiler: gcc, clang, or one of toolchains/", "gcc"),
    Option("toolchain_path", "the compiler's folder, if it is not on the PATH", ""),
    Option("template", "for new: image, audio or vector", ""),
    Option("like", "for new: the use case to copy", ""),
    Option("build_type", "release or debug (-Og)", "release", ("release", "debug")),
    Option("time_limit_s", "simulator's time limit in seconds", "60"),
    Option("card", "where the MPS3 card is mounted, for flash", ""),
    Option("offline", "1: only the download cache, no network", "0", ("0", "1")),
    Option("cache", "folder of the build cache, or none", ""),
    Option("cache_limit_gib", "what was not used for longest goes first", "5"),
    Option("verbose", "1: show every command", "0", ("0", "1")),
)


def check_options(given: Mapping[str, str]) -> dict[str, str]:
    """Return every option's value, defaults filled in.

    Raises:
        EthosmithError: an unknown option or a value that is not allowed.
    """
    known = {option.name: option for option in OPTIONS}
    for name in given:
        if name not in known:
            raise EthosmithError(
                f"unknown variable '{name}='{did_you_mean(name, known)} (see scons -h)"
            )
    values = {option.name: given.get(option.name, option.default) for option in OPTIONS}
    for option in OPTIONS:
        if option.allowed and values[option.name] not in option.allowed:
            raise EthosmithError(
                unknown_name(f"value of {option.name}=", values[option.name], option.allowed)
            )
    return values


def words(value: str) -> list[str]:
    """Split ``a,b``; each word once, in the order given."""
    return list(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))


def help_text(
    usecases: tuple[str, ...], platforms: tuple[str, ...], repositories: tuple[str, ...]
) -> str:
    """Return what ``scons -h`` prints: one screen."""
    rows = [f"  {option.name + '=' + option.default:<22}{option.help}" for option in OPTIONS]
    return "\n".join(
        [
            "scons usecase=NAME target=NAME    build, run on the board simulator, check the answer",
            "scons test                        every use case and all unit tests",
            "",
            "Targets:",
            "  run    boot again, even if nothing changed     size   memory of each image",
            "  images the files to flash, without a run       list   use cases and platforms",
            "  deps   fetch every download now                flash  copy the image to card=",
            "  report pages of all that ran, and an index     sweep  compare NPUs, memory modes",
            "  -c     remove what was built                   train  make the network anew",
            "  cache  how much is in the build cache",
            "",
            "Variables:",
            *rows,
            f"  {'NAME_dir=':<22}a folder in place of a git repository:",
            f"  {'':<22}{', '.join(repositories)}",
            "",
            f"Use cases: {', '.join(usecases)}.  Platforms: {', '.join(platforms)}.",
            "Set ETHOSMITH_CACHE to share downloads; FVP_PATH to the folder of Arm's FVP.",
            "",
        ]
    )
