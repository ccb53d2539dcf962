# SPDX-License-Identifier: Apache-2.0
"""Compilers for the two machines of a build: the device (Cortex-M) and the host.

Commands are run as argument lists, without a shell, and write no absolute path into
what they make.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.launcher import Launcher
from ethosmith.installation import DESCRIPTOR_ROOT
from ethosmith.report.progress import AnnouncedSteps
from ethosmith.toolchains.installed import InstalledToolchain

# The host runs the same pre- and post-processing and has to get the same bits: no fused
# multiply-add on either machine.
_COMMON = ["-ffp-contract=off", "-fno-common", "-ffunction-sections", "-fdata-sections"]
_STRICT = ["-Wall", "-Wextra", "-Werror"]
_HOST_OPTIMISE = ["-O2", "-g"]
_CXX = ["-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]


def device_toolchain(env: Any) -> None:
    """Set up ``env`` to compile for the board, by the session's toolchain."""
    toolchain: InstalledToolchain = env["SESSION"].installed_toolchain
    libraries = toolchain.libraries
    _compilers(
        env,
        toolchain.c.name,
        toolchain.cxx.name,
        toolchain.archiver.name,
        [*toolchain.flags, *_COMMON, *toolchain.compile_flags, *_STRICT],
    )
    env.Append(
        CXXFLAGS=[*toolchain.cxx_flags, *_system(libraries.cxx_include_dirs)],
        CCFLAGS=_system(libraries.include_dirs),
    )
    env.Replace(
        ENV={**env["ENV"], "PATH": toolchain.search_path},
        LINKFLAGS=[
            *toolchain.flags,
            *toolchain.link_flags,
            "-Wl,--gc-sections",
            "-Wl,--fatal-warnings",
        ],
        # Its version is in the signature; where it is installed is not.
        SYSTEM_LIBRARIES=["$(", *map(str, libraries.archives), "$)"],
        MACHINE="device",
        TOOLCHAIN=toolchain,
        TOOLCHAIN_VERSION=toolchain.signature,
    )


def _system(folders: Iterable[Path]) -> list[str]:
    words = [word for folder in folders for word in ("-isystem", str(folder))]
    return ["$(", *words, "$)"] if words else []


def host_toolchain(env: Any) -> None:
    """Set up ``env`` to compile for this computer."""
    launcher = env["SESSION"].launcher
    if env["VERBOSE"] and launcher.program:
        env["SHOWN"].progress.line(f"Compilers are started through {launcher.program}.")
    _compilers(env, "cc", "c++", "ar", [*_HOST_OPTIMISE, *_COMMON, *_STRICT])
    version = program_version(find_program("cc"))
    env.Replace(LINKFLAGS=[], MACHINE="host", TOOLCHAIN_VERSION=f"cc {version}")
    if sys.platform == "darwin":
        # Apple's ar knows no D; this variable does the same.
        env.Replace(ARFLAGS=["rcs"], ENV={**env["ENV"], "ZERO_AR_DATE": "1"})


def _compilers(env: Any, c: str, cxx: str, archiver: str, flags: Sequence[str]) -> None:
    # The prefix maps are the only absolute paths; they change no byte of the output, so they stay
    # out of the signature: `$(` and `$)`.
    places = {str(DESCRIPTOR_ROOT): "ethosmith", env.Dir("#").abspath: "."}
    maps = [f"-ffile-prefix-map={place}={name}" for place, name in places.items()]
    env.Replace(
        SPAWN=partial(_spawn, env["SHOWN"], env["SESSION"].launcher),
        CC=c,
        CXX=cxx,
        LINK=cxx,
        AR=archiver,
        # D: no time stamps and no user ids in the archive.
        ARFLAGS=["rcsD"],
        RANLIBCOM="",
        CCFLAGS=[*flags, "$(", *maps, "$)"],
        CFLAGS=["-std=c11"],
        CXXFLAGS=["-std=c++17", *_CXX],
        CCCOM="$CC -c -o $TARGET $CFLAGS $CCFLAGS $_CCCOMCOM $SOURCES",
        CXXCOM="$CXX -c -o $TARGET $CXXFLAGS $CCFLAGS $_CCCOMCOM $SOURCES",
    )
    if not env["VERBOSE"]:
        env.Replace(
            CCCOMSTR="CC        $TARGET",
            CXXCOMSTR="CXX       $TARGET",
            ARCOMSTR="AR        $TARGET",
            LINKCOMSTR="LINK      $TARGET",
        )


def _spawn(
    shown: AnnouncedSteps,
    launcher: Launcher,
    shell: str,
    escape: Any,
    command: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
) -> int:
    """Run one command for SCons, its arguments as they are."""
    del shell, escape, command
    try:
        words = [_unquoted(word) for word in arguments]
        return shown.run(launcher.command(words), environment)
    except OSError as error:
        sys.stderr.write(f"error: {arguments[0]}: {error.strerror}\n")
        return 127


def _unquoted(word: str) -> str:
    # SCons puts quotes around a word with a space, for the shell that is not there.
    quoted = len(word) > 1 and word[0] == word[-1] == '"'
    return word[1:-1] if quoted and any(c in word for c in " \t") else word


def exists(env: Any) -> bool:
    """Say that the tool can be used; `generate` names a missing compiler and how to get it."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `DeviceToolchain` and `HostToolchain`."""
    for tool in ("cc", "c++", "as", "ar", "link"):
        env.Tool(tool)
    env.Replace(
        ESCAPE=str,
        OBJSUFFIX=".o",
        LIBPREFIX="lib",
        LIBSUFFIX=".a",
        PROGSUFFIX="",
    )
    env.AddMethod(device_toolchain, "DeviceToolchain")
    env.AddMethod(host_toolchain, "HostToolchain")
