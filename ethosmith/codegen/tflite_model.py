# SPDX-License-Identifier: Apache-2.0
"""model.c for an interpreter: the network as a .tflite, and the interpreter's arena."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from ethosmith.codegen.c_text import byte_array, notice
from ethosmith.codegen.model import (
    NO_NPU,
    ModelIdentity,
    model_definition,
    tensor_table,
    work_area,
)
from ethosmith.core.accelerators import parse_accelerator
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_text
from ethosmith.core.program import run_step
from ethosmith.models.compiled import PlacedTensor
from ethosmith.models.int8_check import NetworkSpec, TensorSpec, check_int8
from ethosmith.models.tflite_file import TfliteFile, read_tflite

# The interpreter plans them: what runtime/tensor.h has for the NPU's own plan means nothing.
_NO_REGION, _NO_OFFSET = 0, 0


@dataclass(frozen=True)
class Memory:
    """What the network needs beside itself, in bytes; see `ethosmith.models.arena`."""

    arena_bytes: int
    fast_scratch_bytes: int


def tflite_model_source(
    content: bytes, network: NetworkSpec, memory: Memory, identity: ModelIdentity, source: str
) -> str:
    """Return the C source that defines ``model`` of runtime/model.h.

    Args:
        content: the .tflite that the device runs.
        network: names and quantisation of the inputs and outputs.
        memory: the interpreter's.
        identity: names of the network and of the NPU it was compiled for, if any.
        source: the network, as the file names it.
    """
    section, alignment = "MODEL_SECTION_WEIGHTS", "MODEL_ALIGNMENT_BYTES"
    fields: dict[str, str | int] = {
        "tflite": "tflite",
        "scratch": "scratch",
        "scratch_bytes": memory.arena_bytes,
        "scratch_fast": "scratch_fast" if memory.fast_scratch_bytes else "0",
        "scratch_fast_bytes": memory.fast_scratch_bytes,
    }
    parts = [
        f'{notice(source)}#include "model.h"\n',
        byte_array("tflite", content, section=section, alignment=alignment),
        work_area("scratch", memory.arena_bytes),
        work_area("scratch_fast", memory.fast_scratch_bytes),
        tensor_table("inputs", _placed(network.inputs)),
        tensor_table("outputs", _placed(network.outputs)),
        model_definition(identity, fields, len(network.inputs), len(network.outputs)),
    ]
    return "\n".join(part for part in parts if part)


def _placed(specs: Sequence[TensorSpec]) -> list[PlacedTensor]:
    return [PlacedTensor(spec, _NO_REGION, _NO_OFFSET, _size_bytes(spec)) for spec in specs]


def _size_bytes(spec: TensorSpec) -> int:
    return spec.element_count * np.dtype(spec.dtype).itemsize


def check_ends(path: Path, compiled: TfliteFile, network: NetworkSpec) -> None:
    """Raise an `EthosmithError` if ``compiled`` is not made from ``network``."""
    for kind, indices, specs in (
        ("inputs", compiled.inputs, network.inputs),
        ("outputs", compiled.outputs, network.outputs),
    ):
        have = [prod(compiled.tensors[index].shape) for index in indices]
        want = [spec.element_count for spec in specs]
        if have != want:
            raise EthosmithError(
                f"{path}: its {kind} have {have} elements, the int8 network's {want};"
                " is it another network?"
            )


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.codegen.tflite_model")
    parser.add_argument("--compiled", type=Path, required=True, help="what the device runs")
    parser.add_argument("--network", type=Path, required=True, help="the int8 .tflite")
    parser.add_argument("--arena", type=Path, required=True, help="of ethosmith.models.arena")
    parser.add_argument("--name", required=True)
    parser.add_argument("--accelerator-config", required=True, help=f"or {NO_NPU}")
    parser.add_argument("--memory-mode", required=True)
    parser.add_argument("--source", required=True, help="the network, as the file names it")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    network = check_int8(given.network)
    check_ends(given.compiled, read_tflite(given.compiled), network)
    arena = json.loads(given.arena.read_text("utf-8"))
    config = given.accelerator_config
    identity = ModelIdentity(
        given.name,
        None if config == NO_NPU else parse_accelerator(config),
        given.memory_mode,
    )
    memory = Memory(arena["arena_bytes"], arena["fast_scratch_bytes"])
    content = given.compiled.read_bytes()
    text = tflite_model_source(content, network, memory, identity, given.source)
    write_text(given.output, text)


if __name__ == "__main__":
    sys.exit(run_step(main))
