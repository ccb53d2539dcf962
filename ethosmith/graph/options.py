# SPDX-License-Identifier: Apache-2.0
"""The command line: its targets, and its variables with help, defaults and allowed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError, did_you_mean, unknown_name
from ethosmith.graph.environment import NAMES as LAUNCHERS
from ethosmith.graph.runtimes import RUNTIMES

WHAT, OWN, HOW = GROUPS = ("What is built", "Your own files", "How")


class Option(NamedTuple):
    """One ``name=value`` of the command line; no ``allowed``: checked where it is used.

    The value of one that ``is_path`` is relative to the folder that it was typed in. ``help`` has
    room in half of a line; ``detail`` is what the documentation says, where that is more.
    """

    name: str
    help: str
    default: str
    allowed: tuple[str, ...] = ()
    group: str = HOW
    is_path: bool = False
    detail: str = ""


class Target(NamedTuple):
    """One word of the command line that is not a file; as `Option`."""

    name: str
    help: str
    detail: str = ""


TARGETS = (
    Target("run", "once more", "run again even if nothing changed"),
    Target("images", "build without a run", "the files to flash, without a run"),
    Target("test", "all use cases, all tests", "every use case, and all tests"),
    Target("size", "how full each memory is"),
    Target("report", "pages for the browser", "pages of all that ran, and an index"),
    Target(
        "layers",
        "cycles of each layer",
        "cycles and bytes of each layer, and whose output differs first",
    ),
    Target("stages", "what optimise: bought", "what each stage of optimise: bought"),
    Target("sweep", "NPUs and memory modes", "compare NPUs and memory modes"),
    Target(
        "diff",
        "what changed since",
        "compare figures with the build before, baseline= or revision=",
    ),
    Target("debug", "attach gdb", "boot one image on the open board, with gdb attached"),
    Target("vscode", "write .vscode/", "write launch, tasks and settings of Visual Studio Code"),
    Target("watch", "run at every change", "build and run again whenever a file changes"),
    Target("accuracy", "float, int8, device", "compare float, int8 and device on a labelled set"),
    Target("list", "what variables take", "list the allowed values"),
    Target("doctor", "what is installed", "what is installed, what is missing, what to type"),
    Target("new", "create a use case", "create the folder of a use case"),
    Target("train", "retrain the network"),
    Target("deps", "fetch every download now"),
    Target("newest", "contracts of newest git", "check the newest git revisions' contracts"),
    Target("upstream_tests", "TFLM's own networks", "compare TFLM's own networks with golden data"),
    Target(
        "compile_commands",
        "for clangd, no build",
        "write compile_commands.json for clangd, without a build",
    ),
    Target("why", "why FILE would be made", "with a file: why it was, or would be made"),
    Target("cache", "how full its cache is", "how full the build cache is"),
    Target("verify", "rebuild, compare files", "rebuild from the manifest, and compare every file"),
    Target("flash", "copy the image to card="),
    Target("pte", "", "a PyTorch network as an ExecuTorch program, no run"),
    Target("model_image", "a model; pte: PyTorch's", "a model for the model partition, no image"),
    Target("verify_board", "board on port=", "compare what a board on port= prints with the host"),
    Target("monitor", "output of port=", "show what a board on port= prints"),
    Target("live", "microphone, camera", "a page: microphone, camera and files to the open board"),
    Target("docs", "write build/site", "the documentation, in build/site"),
)

# Targets that build no use case, and so need none.
WITHOUT_USECASES = frozenset(
    (
        *("cache", "compile_commands", "deps", "docs", "doctor", "list", "monitor", "new"),
        *("newest", "upstream_tests", "why"),
    )
)
# Those that answer with a JSON document where format=json, or with notes for GitHub.
JSON_TARGETS = ("list", "size", "layers", "sweep", "diff", "doctor")
_FORMATS = {"json": JSON_TARGETS, "github": ("diff",)}
# What may be beside them: it only adds to what they show.
_BESIDE = frozenset({"accuracy", "images", "run"})

_RUNTIMES = ", ".join(runtime.name for runtime in RUNTIMES)

OPTIONS = (
    Option("usecase", "or NAME,NAME", "all", (), WHAT, detail="one, several with commas, or all"),
    Option(
        "target",
        "or mps3, sse320",
        "fvp",
        (),
        WHAT,
        detail="platform: fvp, mps3, or one of platforms/",
    ),
    Option(
        *("npu", "ethos-u55-64, none", "", (), WHAT),
        detail="accelerator config, several with commas: ethos-u55-128, ...; none: the CPU",
    ),
    Option(
        *("memory_mode", "Sram_Only, ...", "", (), WHAT),
        detail="Vela's memory mode, several with commas: Shared_Sram, ...",
    ),
    Option("system_config", "name of Vela's", "", (), WHAT, detail="Vela's; or the platform's"),
    Option("build_type", "or debug (-Og)", "release", ("release", "debug"), WHAT),
    Option(
        "runtime",
        "or tflm, executorch",
        "direct",
        (),
        WHAT,
        detail=f"several with commas: {_RUNTIMES}",
    ),
    Option("toolchain", "or clang", "gcc", (), WHAT, detail="gcc, clang, or one of toolchains/"),
    Option(
        *("model", ".tflite, .h5, .keras, ...", "", (), OWN, True),
        detail=".h5, .keras, SavedModel, .tflite, .pt2, .onnx, .pte or net.py:build",
    ),
    Option("labels", "text: one label a line", "", (), OWN, True),
    Option(
        *("samples", "pictures, WAV, CSV, .npy", "", (), OWN, True),
        detail="a folder of pictures, WAV, CSV, .npy",
    ),
    Option("runs", "number of random inputs", "", (), OWN, detail="number of seeded random inputs"),
    Option(
        *("evaluation", "for accuracy: labelled", "", (), OWN, True),
        detail="for accuracy, live and train: a folder of labelled files",
    ),
    Option(
        *("template", "for new: image, ...", "", (), OWN),
        detail="for new: image, audio, vector, pytorch",
    ),
    Option("like", "for new: a use case", "", (), OWN, detail="for new: the use case to copy"),
    Option(
        *("simulator", "or fvp, fvp_fast, open", "auto", ("auto", "fvp", "fvp_fast", "open")),
        detail="fvp, open; auto: the FVP if it is installed; fvp_fast: an FVP without cycles",
    ),
    Option(
        *("strict", "1: as on a board", "0", ("0", "1")),
        detail="1: the open board refuses what a board would not forgive",
    ),
    Option(
        "toolchain_path",
        "compiler's folder",
        "",
        is_path=True,
        detail="the compiler, if not on PATH",
    ),
    Option("time_limit_s", "for a run", "60", detail="of a simulation, in seconds; 600 on an FVP"),
    Option("manifest", "for verify", "", is_path=True, detail="for verify: NAME_manifest.json"),
    Option(
        "baseline",
        "of diff: a file",
        "",
        is_path=True,
        detail="for diff: what `diff format=json` printed",
    ),
    Option(
        "revision",
        "of diff: a commit",
        "",
        detail="for diff: a commit, branch or tag that was built here",
    ),
    Option(
        *("board", "or ek-ra8p1, ...", "", (), WHAT),
        detail="one of boards/: check the fit on it, and export= for it",
    ),
    Option(
        *("export", "a folder for sources", "", (), WHAT, True),
        detail="a folder: the use case as a C library for other builds",
    ),
    Option(
        *("verify_log", "a board's output", "", (), HOW, True),
        detail="a captured serial log: compare it with the expected answers",
    ),
    Option(
        "port",
        "a board's serial port",
        "",
        detail="for verify_board, monitor: /dev/ttyACM0; for live: of the page",
    ),
    Option(
        *("budget", "of sweep: cycles:200k", ""),
        detail="for sweep: cycles:200k,flash:512KiB,sram:128KiB,accuracy:0.9, any of them",
    ),
    Option("card", "mount, for flash", "", is_path=True, detail="for flash: its mount point"),
    Option("offline", "1: no network", "0", ("0", "1")),
    Option("launcher", "or ccache, none", "auto", LAUNCHERS, detail="ccache, distcc, icecc; none"),
    Option(
        *("cache", "folder, https://..", ""),
        is_path=True,
        detail="build cache: a folder, https://HOST/PATH, none",
    ),
    Option(
        *("steps", "local:2, tls://...", ""),
        detail="run heavy steps on a Dask cluster: local:N, tls://HOST:PORT, tcp://127.0.0.1:PORT",
    ),
    Option("cache_limit_gib", "its size", "5", detail="how large it may grow"),
    Option(
        "format",
        "or json",
        "text",
        ("text", "json", "github"),
        detail=f"json: {', '.join(JSON_TARGETS)}; github: diff",
    ),
    Option("verbose", "1: show commands", "0", ("0", "1"), detail="1: every command as it runs"),
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


def check_format(form: str, targets: Sequence[str]) -> None:
    """Check ``format=``: a document is the answer of one target.

    Raises:
        EthosmithError: there is no such target, or another beside it.
    """
    allowed = _FORMATS.get(form, ())
    answering = [name for name in targets if name not in _BESIDE]
    if allowed and (len(answering) != 1 or answering[0] not in allowed):
        found = " ".join(targets) or "none"
        raise EthosmithError(
            f"format={form} needs one of the targets {', '.join(allowed)}; found: {found}"
        )


def split_builder(model: str) -> tuple[str, str]:
    """Return the file of ``model=FILE.py:BUILDER`` and the builder; empty if none is named."""
    file, colon, builder = model.rpartition(":")
    if colon and file.lower().endswith(".py") and builder.isidentifier():
        return file, builder
    return model, ""


def words(value: str) -> list[str]:
    """Split ``a,b``; each word once, in the order given."""
    return list(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
