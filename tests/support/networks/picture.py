# SPDX-License-Identifier: Apache-2.0
"""A small int8 network over pictures, for commands that name a network of the reader's."""

from __future__ import annotations

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from tests.support.networks.dense import dense_network


def picture_network(height: int, width: int, labels: int) -> bytes:
    """One fully connected layer from RGB to ``labels`` values, weights drawn."""
    flat = dense_network((height * width * 3, labels), seed=2)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(flat, 0))
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = [1, height, width, 3]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
