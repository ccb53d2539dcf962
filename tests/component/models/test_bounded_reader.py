# SPDX-License-Identifier: Apache-2.0
"""Sizes that a damaged network states cost no memory, and its numbers end in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import flatbuffers
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.keras_file import bounded_reader
from ethosmith.models.tflite_file import read_tflite
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.table import all_cases

_UNKNOWN = 105


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's data")
def test_memory_beyond_the_bound_is_refused_while_a_network_is_read(tmp_path: Path) -> None:
    network = tmp_path / "network.h5"
    network.write_bytes(b"damaged")
    with bounded_reader(network):
        assert len(bytes(200 << 20)) == 200 << 20
        with pytest.raises(MemoryError):
            bytes(8 << 30)
    assert len(bytes(1 << 30)) == 1 << 30


def _network_with(field: str, value: int) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    content = tflite_bytes(next(iter(all_cases())).network())
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    if field == "type":
        # Not of an input or output: those are checked on their own.
        index = next(
            i for i in range(len(graph.tensors)) if i not in {*graph.inputs, *graph.outputs}
        )
        graph.tensors[index].type = value
    else:
        model.operatorCodes[0].builtinCode = value
        model.operatorCodes[0].deprecatedBuiltinCode = value
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("field", ["type", "operator"])
def test_unknown_numbers_end_in_one_line(field: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.tflite"
    path.write_bytes(_network_with(field, _UNKNOWN if field == "type" else -128))
    with pytest.raises(EthosmithError, match=r"odd\.tflite: not a valid TFLite model: "):
        read_tflite(path)
