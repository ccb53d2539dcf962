# SPDX-License-Identifier: Apache-2.0
"""Gather the figures of images that were built and run, to set them side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json
from ethosmith.images.regions import flash_and_ram
from ethosmith.report.vela_figures import Estimate, read_estimate

_EXECUTORCH, _PTE = "executorch", ".pte"
# Where what is compiled here lies.
_COMPILED = "build/vela/"
_MANIFEST = "_manifest.json"
# Of npu=, in manifests.
NO_NPU = "none"
# The variables that stand for files of a use case.
_OWN_FILES = ("model", "labels", "samples", "runs")


@dataclass(frozen=True)
class Figures:
    """One image and its last run.

    Attributes:
        usecase: or variant of one.
        usecase_name: of the use case itself.
        own_files: what was given in place of the use case's own: ``model=my.tflite``.
        revision: the commit of the project; empty: without git.
        target: the platform's folder.
        accelerator_config: such as ``ethos-u55-128``; ``none``: it runs on the CPU alone.
        memory_mode: of Vela.
        runtime: what executes the network.
        estimate: Vela's, for one inference; None on the CPU alone, and of a ready .pte.
        npu_cycles: the most that one inference took in the last run.
        cpu_instructions: the most of one inference; None where they were not counted.
        beats: the most data beats of one inference, by port and direction.
        answers: sample and answer; none is known to be wrong, and some may not be judged.
        simulator: what it ran on.
        remark: what to know about the figures; mostly empty.
        used_bytes: of the image, by memory region.
        flash_bytes: of the image, that are there before it starts: code, constants, the network,
            samples, labels, first values.
        ram_bytes: of the image, that are written: variables, stack, scratch memory or arena.
        stem: path of the image without its suffix.
    """

    usecase: str
    usecase_name: str
    own_files: tuple[str, ...]
    revision: str
    target: str
    accelerator_config: str
    memory_mode: str
    runtime: str
    estimate: Estimate | None
    npu_cycles: int
    cpu_instructions: int | None
    beats: dict[str, int]
    answers: tuple[tuple[str, str], ...]
    simulator: str
    remark: str
    used_bytes: dict[str, int]
    flash_bytes: int
    ram_bytes: int
    stem: Path

    @property
    def on_npu(self) -> bool:
        """It is an image for an NPU, whose cycles and beats are counted."""
        return self.accelerator_config != NO_NPU

    @property
    def npu(self) -> str:
        """The NPU for people."""
        return "CPU alone" if self.accelerator_config == NO_NPU else self.accelerator_config


def built_figures(build: Path, usecases: Collection[str] | None = None) -> list[Figures]:
    """Return the figures of all images below ``build`` that ran and were right.

    Args:
        build: the folder build/.
        usecases: those that the project has, whose images are wanted; None: all.

    Raises:
        EthosmithError: files of an image are damaged, or another version's.
    """
    manifests = sorted(build.glob(f"*/*/*{_MANIFEST}"))
    found = (_figures(Path(str(path).removesuffix(_MANIFEST))) for path in manifests)
    known = [figures for figures in found if figures is not None]
    wanted = [f for f in known if usecases is None or f.usecase_name in usecases]
    return sorted(wanted, key=_order)


def _order(figures: Figures) -> tuple[str, str, str, str, int, str, str]:
    family, _, macs = figures.accelerator_config.rpartition("-")
    size = int(macs) if family else 0
    return (
        *(figures.usecase_name, figures.usecase, figures.target, family, size),
        *(figures.memory_mode, figures.runtime),
    )


def figures_of(stems: Iterable[Path]) -> list[Figures]:
    """Return the figures of the images at ``stems`` that ran, in that order."""
    found = (_figures(stem) for stem in stems)
    return [figures for figures in found if figures is not None]


def _figures(stem: Path) -> Figures | None:
    verified = Path(f"{stem}_verified.json")
    if not verified.is_file():
        return None
    try:
        return _read(stem, verified)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise EthosmithError(
            f"{stem}: was left by another version of Ethosmith ({error!r}); build it again, or"
            f" remove {stem.parent}"
        ) from None


def _read(stem: Path, verified: Path) -> Figures | None:
    manifest, run = _json(Path(f"{stem}{_MANIFEST}")), _json(verified)
    configuration = manifest["configuration"]
    if not manifest["sizes"]:
        # A program for a runner that is not there: it has no memory on a board.
        return None
    on_the_cpu = configuration["accelerator_config"] == NO_NPU
    summary = _summary(manifest)
    # Nobody estimated a ready ExecuTorch program.
    estimated = not on_the_cpu and configuration["runtime"] != _EXECUTORCH
    if not run["samples"] or (summary is None and estimated) or run.get("fast"):
        return None
    simulator = run["simulator"]
    counts = [count for sample in run["samples"] for count in inferences_of(sample)]
    most = {key: max(count[key] for count in counts) for key in counts[0]}
    flash_bytes, ram_bytes = flash_and_ram(manifest["sizes"])
    return Figures(
        usecase=manifest["usecase"],
        usecase_name=manifest["descriptor"]["name"],
        own_files=tuple(_own_files(manifest["arguments"])),
        revision=manifest["revision"] or "",
        target=stem.parent.parent.name,
        accelerator_config=configuration["accelerator_config"],
        memory_mode="" if on_the_cpu else configuration["memory_mode"],
        runtime=configuration["runtime"],
        estimate=read_estimate(summary) if summary else None,
        npu_cycles=most["npu_cycles"],
        cpu_instructions=most.get("cpu_instructions"),
        beats={key: value for key, value in most.items() if key.startswith("axi")},
        answers=tuple((sample["name"], sample["answer"]) for sample in run["samples"]),
        simulator=f"{simulator['name']} {simulator['version']}".strip(),
        remark=manifest.get("prebuilt_image", {}).get("remark", ""),
        used_bytes={region["region"]: region["used_bytes"] for region in manifest["sizes"]},
        flash_bytes=flash_bytes,
        ram_bytes=ram_bytes,
        stem=stem,
    )


def _own_files(arguments: Iterable[str]) -> Iterator[str]:
    """Yield the variables that name the user's own files, without their folders."""
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in _OWN_FILES:
            yield f"{name}={Path(value).name}"


def inferences_of(sample: Mapping[str, Any]) -> list[dict[str, int]]:
    """Return the counts of each inference of a sample in NAME_verified.json."""
    # A sample of several windows has its own counts summed, and each window's as well.
    return sample["windows"] or [sample["counts"]]


def _summary(manifest: dict[str, Any]) -> Path | None:
    """Return Vela's summary, which lies beside its output that the manifest names."""
    for name in manifest["made"]:
        stem, end, suffix = name.rpartition("_vela")
        if end and suffix in (".npz", ".tflite"):
            path = Path(f"{stem}_summary.csv")
            return path if path.is_file() else None
        # A ready one comes from anywhere.
        if name.startswith(_COMPILED) and name.endswith(_PTE):
            path = Path(f"{name.removesuffix(_PTE)}_summary.csv")
            return path if path.is_file() else None
    return None


def _json(path: Path) -> Any:
    return read_json(path)
