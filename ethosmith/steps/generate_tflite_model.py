# SPDX-License-Identifier: Apache-2.0
"""model.c for an interpreter: the network as a .tflite, and the interpreter's arena."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes, read_json, write_text
from ethosmith.lib.c_text import byte_array, notice
from ethosmith.lib.model_image import tflite_hash
from ethosmith.lib.model_source import (
    NO_NPU,
    ModelIdentity,
    hash_text,
    model_definition,
    scratch_array,
    tensor_table,
)
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec
from ethosmith.models.tflite_file import TfliteFile, read_tflite
from ethosmith.steps.step import Input, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.models.compiled import PlacedTensor

# The interpreter plans them: what runtime/tensor.h has for the NPU's own plan means nothing.
_NO_REGION, _NO_OFFSET = 0, 0


@step(verb="GENERATE", packages=("ai-edge-litert", "numpy"))
class GenerateTfliteModel(Step):
    """Generate model.c for an interpreter: the network as a .tflite, and the arena.

    Attributes:
        compiled: the .tflite that the device runs.
        network: the int8 .tflite that it was made from, for names and quantisation.
        arena: of the step plan-arena.
        model_name: as the device prints it.
        accelerator_config: the NPU that it was compiled for, or ``none``.
        memory_mode: Vela's name of where the model lies.
        reset_state: the descriptor's ``model.reset_state``.
        source: the network, as the file names it.
        output: the C source.
    """

    compiled: Input
    network: Input
    arena: Input
    model_name: str
    accelerator_config: str
    memory_mode: str
    reset_state: str = "sample"
    source: str
    output: Output

    def run(self) -> None:
        """Check that both networks are one, and write the C source."""
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.models.int8_check import check_int8

        network = check_int8(self.network)
        check_ends(self.compiled, read_tflite(self.compiled), network)
        arena = read_json(self.arena)
        config = self.accelerator_config
        accelerator = None if config == NO_NPU else parse_accelerator(config)
        identity = ModelIdentity(self.model_name, accelerator, self.memory_mode, self.reset_state)
        memory = Memory(arena["arena_bytes"], arena["fast_scratch_bytes"])
        content = read_bytes(self.compiled, limit_bytes=MAX_MODEL_BYTES)
        text = tflite_model_source(content, network, memory, identity, self.source)
        write_text(self.output, text)


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
        scratch_array("scratch", memory.arena_bytes),
        scratch_array("scratch_fast", memory.fast_scratch_bytes),
        tensor_table("inputs", _placed(network.inputs)),
        tensor_table("outputs", _placed(network.outputs)),
        hash_text(tflite_hash(content)),
        model_definition(identity, fields, len(network.inputs), len(network.outputs)),
    ]
    return "\n".join(part for part in parts if part)


def _placed(specs: Sequence[TensorSpec]) -> list[PlacedTensor]:
    from ethosmith.models.compiled import PlacedTensor

    return [PlacedTensor(spec, _NO_REGION, _NO_OFFSET, spec.size_bytes) for spec in specs]


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
