# SPDX-License-Identifier: Apache-2.0
"""Where an operator is, in the user's source or in the network."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models import vela
from ethosmith.pytorch.partition import places_of_refused
from ethosmith.pytorch.places import NOWHERE, first_line, place_of
from ethosmith.steps.compile_with_vela import CompileWithVela

_WRAPPED = {"": ("", "ethosmith.pytorch.export._channels_last.<locals>.ChannelsLast")}


class _Node:
    """What is read of a node of torch.fx."""

    target = ""

    def __init__(self, stack: dict[str, tuple[str, Any]], trace: str = "", *before: _Node) -> None:
        self.meta = {"nn_module_stack": stack, "stack_trace": trace}
        self.all_input_nodes = list(before)


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        ({"a": ("", "net.Net"), "b": ("3", "torch.nn.modules.activation.Softmax")}, "3 (Softmax)"),
        (
            {**_WRAPPED, "b": ("network", "net.Net"), "c": ("network.head.2", "torch.nn.GELU")},
            "head.2 (GELU)",
        ),
        ({**_WRAPPED, "b": ("network", "net.Net")}, "the network (Net)"),
        ({"a": ("block", Fraction)}, "block (Fraction)"),
        ({"a": ("", "net.Net")}, NOWHERE),
        ({}, NOWHERE),
    ],
)
def test_a_module_stands_for_a_line_that_is_not_known(
    stack: dict[str, tuple[str, Any]], place: str
) -> None:
    assert place_of(_Node(stack)) == place


def test_a_line_before_the_operator_comes_first() -> None:
    before = _Node({}, 'File "net.py", line 7')
    assert place_of(_Node({"a": ("1", "torch.nn.GELU")}, "", before)) == "net.py:7"


def test_of_an_error_in_a_pass_its_cause_is_named() -> None:
    said = "An error occurred when running the 'DecomposeLstmPass' pass after the following passes:"
    error = RuntimeError(f"{said} ['A', 'B']")
    error.__cause__ = AttributeError("no shape\nand more")
    assert first_line(error) == "no shape (in ExecuTorch's DecomposeLstmPass)"
    assert first_line(RuntimeError(said)) == said


def test_the_convolutions_are_named_where_vela_refuses_one() -> None:
    lines = {"aten.conv2d.default": 7, "aten.relu.default": 8, "aten.conv_transpose2d.input": 9}
    nodes = []
    for target, line in lines.items():
        nodes.append(_Node({}, f'File "net.py", line {line}'))
        nodes[-1].target = target
    program = SimpleNamespace(graph=SimpleNamespace(nodes=nodes))
    said = "Non-passthrough operation (Conv2D) could not run on NPU"
    assert places_of_refused(said, program) == " at net.py:7 or net.py:9"
    assert places_of_refused("something else", program) == ""


def test_they_are_named_without_executorch_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = "Vela refuses net.tosa: Non-passthrough operation (Conv2D) could not run on NPU"

    def refuse(*_: object) -> str:
        raise EthosmithError(refusal)

    monkeypatch.setattr(vela, "call_vela", refuse)
    network, described = tmp_path / "net.tosa", tmp_path / "net.json"
    network.write_bytes(b"")
    described.write_text(json.dumps({"convolutions": ["net.py:7"]}), "utf-8")
    step = CompileWithVela(
        network=network,
        described=described,
        network_name="net",
        accelerator_config="ethos-u55-128",
        system_config="any",
        memory_mode="any",
        summary=tmp_path / "summary.csv",
        per_layer=tmp_path / "layers.csv",
        operators=tmp_path / "operators.json",
    )
    with pytest.raises(EthosmithError) as caught:
        step.run()
    assert str(caught.value) == f"{refusal} (a convolution at net.py:7)"
