# SPDX-License-Identifier: Apache-2.0
"""Networks that are sound flatbuffers and say what cannot be: sizes, indices, types, options."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np

from ethosmith.core.errors import EthosmithError
from tests.support.campaigns.ending import ending_of
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.table import all_cases

_NUMBERS = (-(2**31), -129, -1, 0, 1, 2, 3, 7, 127, 255, 4096, 65536, 2**24, 2**31 - 1)
_REALS = (0.0, -1.0, 1e-38, 1e38, float("inf"), float("nan"))
_COUNTS = (1, 1, 1, 2, 4)


def prepare(folder: Path) -> list[bytes]:
    """Return a network of each operator of the corpus."""
    del folder
    cases = {case.operator: case for case in all_cases()}
    return [tflite_bytes(case.network()) for case in cases.values()]


def attack(good: Sequence[bytes], random_: random.Random, folder: Path) -> str:
    """Read a spoilt network by all that a build reads it with."""
    path = folder / "hostile.tflite"
    path.write_bytes(_spoilt(random_.choice(good), random_))
    return " ".join(ending_of(reader, path) for reader in _readers(folder))


def _readers(folder: Path) -> list[Any]:
    from ethosmith.models.arena import arena_size
    from ethosmith.models.int8_check import check_int8
    from ethosmith.models.tflite_rewrite import given_spec

    return [check_int8, given_spec, arena_size, lambda path: _compile(path, folder)]


def _compile(network: Path, folder: Path) -> None:
    from ethosmith.steps.compile_with_vela import CompileWithVela

    outputs = (folder / name for name in ("hostile.s", "hostile.l", "hostile.o", "hostile.npz"))
    summary, layers, operators, raw = outputs
    step = CompileWithVela(
        network=network,
        network_name="hostile",
        accelerator_config="ethos-u55-128",
        system_config="Ethos_U55_High_End_Embedded",
        memory_mode="Shared_Sram",
        tflite=None,
        summary=summary,
        per_layer=layers,
        operators=operators,
        raw=raw,
    )
    try:
        step.run()
    except EthosmithError as error:
        # What Vela leaves to the CPU is a table.
        first, _, table = str(error).partition("\n")
        if table and "cannot run on the NPU" not in first:
            raise
        raise EthosmithError(f"{network}: {first}") from None


def _spoilt(content: bytes, random_: random.Random) -> bytes:
    """Return a network of which a few values are others; as it was if it cannot be written."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for _ in range(random_.choice(_COUNTS)):
        owner, name = random_.choice(_places(model))
        _spoil(owner, name, random_)
    builder = flatbuffers.Builder(len(content))
    try:
        builder.Finish(model.Pack(builder), b"TFL3")
    except Exception:  # noqa: BLE001 whatever the writer has against a value
        return content
    return bytes(builder.Output())


def _places(model: Any) -> list[tuple[Any, Any]]:
    """Return every object and list of a model, with each of its fields."""
    found: list[tuple[Any, Any]] = []
    waiting = [model]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | np.ndarray):
            # A weight more or less is no attack: a few of many stand for all.
            found += [(node, index) for index in range(min(len(node), 8))]
            waiting += node if isinstance(node, list) else []
        elif hasattr(node, "__dict__"):
            for name, value in vars(node).items():
                if isinstance(value, np.ndarray):
                    setattr(node, name, value.copy())  # of bytes that cannot be written to
                found.append((node, name))
            waiting += vars(node).values()
    return found


def _spoil(owner: Any, name: Any, random_: random.Random) -> None:
    value = owner[name] if isinstance(owner, list | np.ndarray) else getattr(owner, name)
    other = _other(value, random_)
    if isinstance(owner, np.ndarray):
        owner[name] = np.asarray(other).astype(owner.dtype) if np.isscalar(other) else 0
    elif isinstance(owner, list):
        owner[name] = other
    else:
        setattr(owner, name, other)


def _other(value: Any, random_: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | np.integer):
        return random_.choice((*_NUMBERS, int(value) + 1, int(value) - 1, 2 * int(value)))
    if isinstance(value, float | np.floating):
        return random_.choice((*_REALS, -float(value), 1000 * float(value)))
    if isinstance(value, bytes):
        return random_.choice((b"", b"\xff\x1b[2J\n", value * 500, b"a/../../b"))
    if isinstance(value, list | np.ndarray):
        return random_.choice((None, value[:-1], value[::-1], value[:1], [*value, *value[:1]]))
    return None
