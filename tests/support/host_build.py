# SPDX-License-Identifier: Apache-2.0
"""Compile a use case's host program with samples of the test's own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.descriptors.load import load
from ethosmith.descriptors.usecase import UseCase
from ethosmith.steps.generate_labels import labels_source
from ethosmith.steps.generate_parameters import parameters_header
from ethosmith.steps.generate_samples import BakedSample, samples_source
from tests.support.project_copy import ROOT

_FIRMWARE = ROOT / "firmware"
_FLAGS = (
    *("-O1", "-g", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
)
_INCLUDE = ("runtime", "support", "vision", "frontend", "spectrum")
_SOURCES = ("host/host_main.c", "support/*.c", "vision/*.c", "spectrum/*.c")


def descriptor(name: str) -> UseCase:
    return load(UseCase, ROOT / "usecases" / name / "usecase.yaml")


@dataclass(frozen=True)
class HostProgram:
    """A compiled host program; memory errors and undefined behaviour end it."""

    path: Path

    def preprocess(self, index: int, shape: Sequence[int]) -> npt.NDArray[np.float32]:
        text = "x".join(map(str, shape))
        out = self.call("preprocess", str(index), "float32", "1", "0", text)
        return np.frombuffer(out.stdout, "<f4").reshape(shape)

    def postprocess(self, output: npt.NDArray[Any], scale: float = 1, zero_point: int = 0) -> str:
        shape = "x".join(map(str, output.shape))
        tensor = [output.dtype.name, repr(scale), str(zero_point), shape]
        return self.call("postprocess", *tensor, given=output.tobytes()).stdout.decode()

    def call(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        ran = self.refused(*arguments, given=given)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran

    def refused(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [str(self.path), *arguments]
        return subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)


def compile_shared(folder: Path) -> None:
    """Compile in ``folder`` what every use case's host program is linked with."""
    shared = [path for pattern in _SOURCES for path in sorted(_FIRMWARE.glob(pattern))]
    shared.append(_FIRMWARE / "frontend" / "portable_math.c")
    for source in shared:
        _compile(source, folder / f"{source.parent.name}-{source.name}.o", [])


def host_program(
    folder: Path,
    usecase: UseCase,
    samples: Sequence[bytes],
    *,
    labels: Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    objects: Sequence[Path],
) -> HostProgram:
    """Compile in ``folder`` and link with ``objects``, those of `compile_shared` among them.

    ``parameters`` replace single ones of the descriptor.
    """
    folder.mkdir(parents=True, exist_ok=True)
    named = [BakedSample(f"sample{index}", data) for index, data in enumerate(samples)]
    values = {**usecase.c_parameters, **(parameters or {})}
    generated = {
        "samples.c": samples_source(usecase.name, named, "test"),
        "labels.c": labels_source(usecase.labels if labels is None else labels, "test"),
        "application_parameters.h": parameters_header(values, "test"),
    }
    for name, text in generated.items():
        (folder / name).write_text(text, "utf-8")
    own = [ROOT / "usecases" / usecase.name / source for source in usecase.sources]
    linked = [str(path) for path in objects]
    for index, source in enumerate([folder / "samples.c", folder / "labels.c", *own]):
        linked.append(f"{folder / str(index)}.o")
        _compile(source, Path(linked[-1]), [f"-I{folder}"])
    program = folder / "program"
    link = ["c++", "-fsanitize=address,undefined", "-o", str(program), *linked, "-lm"]
    subprocess.run(link, check=True, timeout=60)
    return HostProgram(program)


def _compile(source: Path, target: Path, flags: Sequence[str]) -> None:
    compiler = ["c++", "-std=c++17"] if source.suffix == ".cc" else ["cc", "-std=c11"]
    include = [f"-I{_FIRMWARE / name}" for name in _INCLUDE]
    command = [*compiler, *_FLAGS, *flags, *include, "-c", str(source), "-o", str(target)]
    subprocess.run(command, check=True, timeout=60)
