# SPDX-License-Identifier: Apache-2.0
"""Outputs that the NPU writes in pieces are put together, or said not to be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ethosmith.core.terminal import Look
from ethosmith.models.command_map import Command, CommandMap, Operator
from ethosmith.report.layers import MeasuredLayers, layers_text, short_name, verdict_of
from ethosmith.verify.layers import RecordedJob, compare_outputs, layer_costs

_WANTED = np.arange(6 * 5 * 8, dtype=np.int8).reshape(1, 6, 5, 8)
_FOUND = CommandMap(
    (Operator(0, "Conv2D", "a/conv/Relu;a/conv/convolution", 7),),
    (tuple(Command(offset, 0, 0) for offset in range(0, 400, 100)),),
)


def _job(*pieces: Any) -> RecordedJob:
    job = RecordedJob()
    for offset, piece in zip(range(0, 400, 100), pieces, strict=False):
        job.outputs[offset] = (piece.shape, piece.tobytes())
    return job


_IMAGE = _WANTED[0]
_ROWS_THEN_DEPTH = (_IMAGE[:2, :, :3], _IMAGE[:2, :, 3:], _IMAGE[2:, :, :3], _IMAGE[2:, :, 3:])
_DEPTH_THEN_ROWS = (_IMAGE[:2, :, :3], _IMAGE[2:, :, :3], _IMAGE[:2, :, 3:], _IMAGE[2:, :, 3:])


@pytest.mark.parametrize(
    "pieces",
    [(_IMAGE,), (_IMAGE[:4], _IMAGE[4:]), _ROWS_THEN_DEPTH, _DEPTH_THEN_ROWS],
    ids=["whole", "rows", "rows, then depth", "depth, then rows"],
)
def test_pieces_make_the_output(pieces: Any) -> None:
    assert compare_outputs(_FOUND, [_job(*pieces)], {7: _WANTED}) == [{"output": "equal"}]
    wrong = [piece.copy() for piece in pieces]
    wrong[-1][-1, -1, -1] += 1
    (found,) = compare_outputs(_FOUND, [_job(*wrong)], {7: _WANTED})
    assert found["output"] == "differs"
    assert found["difference"] == "1 of 240 elements; first at [0, 5, 4, 7]: -16, reference -17"


@pytest.mark.parametrize(
    ("pieces", "reference"),
    [((), {7: _WANTED}), ((_IMAGE[:4],), {7: _WANTED}), ((_IMAGE,), {})],
    ids=["nothing written", "a part", "no such tensor"],
)
def test_what_cannot_be_compared_is_not_called_equal(pieces: Any, reference: Any) -> None:
    (found,) = compare_outputs(_FOUND, [_job(*pieces)], reference)
    assert found["output"] == "not compared"
    assert found["reason"]


def test_a_transfer_counts_for_the_layer_that_waits_for_it() -> None:
    found = CommandMap(
        (Operator(0, "Conv2D", "a", 1, 10), Operator(1, "Add", "b", 2, 20)),
        ((Command(100, 0, 0), Command(200, 1, 1)),),
    )
    costs: dict[int, tuple[int, ...]] = {
        50: (1, 2, 0, 0, 0),
        100: (10, 0, 0, 0, 0),
        150: (5, 0, 0, 3, 0),
        200: (7, 0, 1, 0, 4),
    }
    job = RecordedJob(costs, (0, 9, 0, 0, 0))
    document = layer_costs(found, [job], beat_bytes=16)
    first, second = document["layers"]
    assert (first["cycles"], first["axi0_rd_bytes"]) == (11, 32)
    assert (second["cycles"], second["axi1_rd_bytes"], second["axi1_wr_bytes"]) == (12, 48, 64)
    assert document["commands"]["axi0_rd_bytes"] == 144
    assert document["total"]["cycles"] == 23


def test_the_table_names_the_first_layer_that_differs() -> None:
    job = _job(*(_IMAGE[:4], _IMAGE[4:] + 1))
    job.costs = {0: (1234, 1, 0, 0, 2)}
    data: dict[str, Any] = {"sample": "yes", "oracle": "LiteRT's reference kernels"}
    data |= layer_costs(_FOUND, [job], 8)
    outputs = compare_outputs(_FOUND, [job], {7: _WANTED})
    data["layers"] = [{**a, **b} for a, b in zip(data["layers"], outputs, strict=True)]
    assert verdict_of(data) == (
        "First output that differs from LiteRT's reference kernels: layer 1, a/conv: 80 of 240"
        " elements; first at [0, 4, 0, 0]: -95, reference -96. 0 equal, 1 differ, 0 not compared."
    )
    text = layers_text(
        [MeasuredLayers("kws", "ethos-u55-128", data)], Look(live=False, colour=False)
    )
    row = next(line for line in text.splitlines() if "Conv2D" in line)
    assert row.split() == ["1", "Conv2D", "1,234", "0", "8", "16", "DIFFERS", "a/conv"]


def test_of_joined_names_the_layers_own_is_shown() -> None:
    joined = "m/activation_1/Relu;m/bn/batchnorm/add_1;m/conv_2/BiasAdd;m/conv_2/convolution;m/x"
    assert short_name(joined, "Conv2D") == "m/conv_2"
    assert short_name("m/pool/AvgPool", "AvgPool") == "m/pool/AvgPool"
