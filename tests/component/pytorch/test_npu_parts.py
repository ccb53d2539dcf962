# SPDX-License-Identifier: Apache-2.0
"""The NPU's parts of a program in the NPU model, beside LiteRT's reference kernels."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.npu_parts import NpuParts
from ethosu_model.harness import RawModel, RawTensor
from tests.support.npu_corpus.check import Reference
from tests.support.npu_corpus.draw import INT8, Draw
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.pointwise import unary
from tests.support.npu_corpus.targets import compile_for, target_named

_TARGET = target_named("ethos-u65-256/Dedicated_Sram")
_SHAPE = (1, 16, 16, 1)


def _packed(tensors: tuple[RawTensor, ...]) -> bytes:
    rows = [
        struct.pack("<9i", *[1] * (6 - len(t.shape)), *t.shape, t.dtype.itemsize, t.offset, 1)
        for t in tensors
    ]
    return struct.pack("<i", len(rows)) + b"".join(rows)


def _payload(model: RawModel) -> bytes:
    """Return a part as ExecuTorch packs what Vela made."""
    text = b""
    for name, data in {
        "vela_bin_stream": b"",
        "cmd_data": model.payload,
        "weight_data": model.weights,
        "scratch_size": struct.pack("<I", model.scratch_bytes),
        "inputs": _packed(model.inputs),
        "outputs": _packed(model.outputs),
        "vela_end_stream": b"",
    }.items():
        text += struct.pack("<16sIB11x", name.encode(), len(data), 0) + data
        text += bytes(-len(data) % 16)
    return text


def _parts(*payloads: bytes) -> NpuParts:
    return NpuParts(
        Path("net.pte"),
        payloads,
        _TARGET.config,
        scratch_fast_bytes=1 << 20,
        axi1_regions=(0, 1),
        stream_port=2,
    )


def test_two_parts_run_in_turn_and_are_counted_together() -> None:
    networks = [
        tflite_bytes(unary(Draw(seed), builtin="ABS", dtype=INT8, ifm=_SHAPE, reach=4.0))
        for seed in range(2)
    ]
    parts = _parts(*(_payload(compile_for(_TARGET, network)) for network in networks))
    values = np.arange(-128, 128).astype(np.int8).reshape(_SHAPE)
    counts = []
    for _ in range(2):
        for network in networks:
            (made,) = parts(b"", [values])
            (expected,) = Reference(network).run([values])
            assert made.tobytes() == expected.tobytes()
        counts.append(parts.counts_of_inference())
    assert counts[0] == counts[1]
    assert counts[0]["npu_cycles"] > 0
    # Scratch memory lies behind AXI1 on this system.
    assert counts[0]["axi1_rd"] > 0


def test_a_graph_with_more_or_fewer_parts_is_refused() -> None:
    payload = _payload(
        compile_for(
            _TARGET,
            tflite_bytes(unary(Draw(0), builtin="ABS", dtype=INT8, ifm=_SHAPE, reach=4.0)),
        )
    )
    parts, values = _parts(payload), np.zeros(_SHAPE, np.int8)
    with pytest.raises(EthosmithError, match=r"net\.pte: 0 of its 1 parts"):
        parts.counts_of_inference()
    parts(b"", [values])
    with pytest.raises(EthosmithError, match=r"net\.pte: has 1 parts for the NPU, and its graph"):
        parts(b"", [values])
    with pytest.raises(EthosmithError, match=r"net\.pte: a part for the NPU is damaged"):
        _parts(payload[:100])
