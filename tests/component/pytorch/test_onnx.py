# SPDX-License-Identifier: Apache-2.0
"""ONNX files become PyTorch networks, or end in one line: ``-m slow``.

Skipped without the PyTorch environment: ``python -m ethosmith environment pytorch``. What is taken
was compared with ONNX Runtime by the code under test itself, which is tested with a converter that
makes weights larger by a thousandth.
"""

from __future__ import annotations

import json

import pytest

from tests.support import needs

pytestmark = pytest.mark.slow

_REFUSED = {
    "operators": "its operators are of opset 99, and ONNX ",
    "format": "its format is version 99, and ONNX ",
    "foreign": "node 'n1': Fancy is an operator of com.acme, not of ONNX; export the network with",
    "unknown": "not a usable ONNX file: No Op registered for NotAnOperator",
    "boxes": "PyTorch cannot run it: an operator of boxes or pictures, which needs torchvision",
    "sizes": "input 'x' is N x 1 x H x 10; every size but the batch has to be fixed",
    "outside": "the weights 'w' are in another file; save them inside",
    "inside": "the weights '' are in another file; save them inside",
    "absurd": "not a usable ONNX file: TensorProto (tensor name: w) raw_data size",
    "cut": "not an ONNX file: Error parsing message",
    "empty": "not an ONNX file: it has no version, or no operators",
    "text": "not an ONNX file: Error parsing message",
}


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = needs.made_by_pytorch("onnx_files", tmp_path_factory.mktemp("onnx"))
    said: dict[str, str] = json.loads((folder / "found.json").read_text("utf-8"))
    return {name: text.replace(f"{folder}/", "") for name, text in said.items()}


def test_sizes_that_tensors_say_are_constants_of_the_network(found: dict[str, str]) -> None:
    assert found["sound"].split() == [
        *("aten.permute.default", "aten.pad.default", "aten.conv2d.default"),
        *("aten.hardswish.default", "aten.slice.Tensor", "aten.reshape.default"),
        "aten.mean.dim",
    ]


def test_what_exporters_write_has_an_integer_form(found: dict[str, str]) -> None:
    assert found["for the npu"].split() == [
        *("aten.permute.default", "aten.conv2d.default", "aten.batch_norm.default"),
        *("aten.max_pool2d.default", "aten.mul.Tensor", "aten.mean.dim"),
    ]
    assert found["left for the cpu"] == ""


@pytest.mark.parametrize("name", _REFUSED)
def test_what_is_not_taken_ends_in_one_line(name: str, found: dict[str, str]) -> None:
    assert found[name].startswith(f"{name}.onnx: {_REFUSED[name]}")
    assert "\n" not in found[name]


def test_what_is_converted_to_another_network_is_refused(found: dict[str, str]) -> None:
    said = found["converted wrongly"]
    what = (
        "sound.onnx: onnx2pytorch makes another network of it (node 'a': Conv (auto_pad=SAME_LOWER"
    )
    assert said.startswith(what)
    assert "): output 0 differs by " in said
    assert "ONNX Runtime's" in said


def test_open_sizes_are_those_of_the_use_case_or_told_with_the_command_that_fixes_them(
    found: dict[str, str],
) -> None:
    assert found["sizes of the use case"].startswith("aten.permute.default aten.conv2d.default")
    assert found["sizes"].endswith(
        " -m onnxruntime.tools.make_dynamic_shape_fixed --input_name x --input_shape 1,1,SIZE2,10"
        " sizes.onnx sizes_fixed.onnx"
    )


def test_every_operator_is_what_onnx_runtime_computes_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = needs.made_by_pytorch("onnx_operators", tmp_path_factory.mktemp("operators"))
    said: dict[str, str] = json.loads((folder / "found.json").read_text("utf-8"))
    expected = {name: name.startswith("no ") for name in said}
    assert {name: text != "taken" for name, text in said.items()} == expected
    assert len(said) > 600


def test_every_file_is_judged(found: dict[str, str]) -> None:
    assert found.keys() == {
        *("sound", "for the npu", "left for the cpu"),
        *("converted wrongly", "sizes of the use case"),
        *_REFUSED,
    }
