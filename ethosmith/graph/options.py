# SPDX-License-Identifier: Apache-2.0
"""The command line: its targets, and its variables with help, defaults and allowed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ethosmith.core.errors import EthosmithError
from ethosmith.core.nearest import did_you_mean, unknown_name
from ethosmith.graph.launcher import NAMES as LAUNCHERS
from ethosmith.graph.runtimes import RUNTIMES

WHAT, OWN, HOW = GROUPS = ("What is built", "Your own files", "How")


@dataclass(frozen=True)
class Option:
    """One ``name=value`` of the command line; no ``allowed``: checked where it is used."""

    name: str
    help: str
    default: str
    allowed: tuple[str, ...] = ()
    group: str = HOW


@dataclass(frozen=True)
class Target:
    """One word of the command line that is no file."""

    name: str
    help: str


TARGETS = (
    Target("run", "run again even if nothing changed"),
    Target("images", "the files to flash, without a run"),
    Target("test", "every use case, and all tests"),
    Target("size", "how full each memory is"),
    Target("report", "pages of all that ran, and an index"),
    Target("sweep", "compare NPUs and memory modes"),
    Target("accuracy", "float, int8 and device on a set"),
    Target("list", "list the allowed values"),
    Target("new", "create the folder of a use case"),
    Target("train", "retrain the network"),
    Target("deps", "fetch every download now"),
    Target("compile_commands", "for clangd, without a build"),
    Target("why", "with a file: why it was, or would be made"),
    Target("cache", "how full the build cache is"),
    Target("verify", "rebuild, and compare every file"),
    Target("flash", "copy the image to card="),
    Target("docs", "the documentation, in build/site"),
)

_RUNTIMES = ", ".join(runtime.name for runtime in RUNTIMES)

OPTIONS = (
    Option("usecase", "one, several with commas, or all", "all", group=WHAT),
    Option("target", "platform: fvp, mps3, or one of platforms/", "fvp", group=WHAT),
    Option(
        "npu",
        "accelerator config, several with commas: ethos-u55-128, ...; none: the CPU",
        "",
        group=WHAT,
    ),
    Option(
        "memory_mode", "Vela's memory mode, several with commas: Shared_Sram, ...", "", group=WHAT
    ),
    Option("system_config", "Vela's; or the platform's", "", group=WHAT),
    Option("build_type", "release or debug (-Og)", "release", ("release", "debug"), group=WHAT),
    Option("runtime", f"several with commas: {_RUNTIMES}", "direct", group=WHAT),
    Option("simulator", "fvp, open; auto: installed", "auto", ("auto", "fvp", "open")),
    Option("model", ".h5, .keras, SavedModel or .tflite in place of the use case's", "", group=OWN),
    Option("labels", "a text file, one label a line", "", group=OWN),
    Option("samples", "a folder of pictures, WAV, CSV, .npy", "", group=OWN),
    Option("runs", "number of seeded random inputs", "", group=OWN),
    Option("evaluation", "for accuracy: labelled files", "", group=OWN),
    Option("toolchain", "compiler: gcc, clang, or one of toolchains/", "gcc", group=WHAT),
    Option("toolchain_path", "the compiler, if not on PATH", ""),
    Option("template", "for new: image, audio or vector", "", group=OWN),
    Option("like", "for new: the use case to copy", "", group=OWN),
    Option("time_limit_s", "of a simulation, in seconds", "60"),
    Option("manifest", "for verify: NAME_manifest.json", ""),
    Option("card", "for flash: its mount point", ""),
    Option("offline", "1: no network", "0", ("0", "1")),
    Option("launcher", "ccache, distcc, icecc; none", "auto", LAUNCHERS),
    Option("cache", "build cache's folder; none", ""),
    Option("cache_limit_gib", "how large it may grow", "5"),
    Option("verbose", "1: every command as it runs", "0", ("0", "1")),
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
