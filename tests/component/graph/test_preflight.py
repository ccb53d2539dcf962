# SPDX-License-Identifier: Apache-2.0
"""What cannot work is told before anything is made, in the words of the step that would tell it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph import preflight
from ethosmith.graph.model_check import Question, problem_of
from ethosmith.models.input_shape import keras_configuration
from ethosmith.models.tflite_rewrite import given_spec
from tests.support.fake_build import fake_build
from tests.support.project_copy import ROOT

_VELA = {
    "accelerator_config": "ethos-u55-128",
    "system_config": "Ethos_U55_High_End_Embedded",
    "memory_mode": "Shared_Sram",
}
_PLATFORM = ROOT / "platforms/fvp/platform.yaml"


def _question(model: Path, **more: Any) -> Question:
    plain = Question(str(model), None, None, "u.yaml", 0, None, str(_PLATFORM))
    return replace(plain, **more)


def test_a_tflite_s_labels_and_input_are_compared_with_the_use_case_s(networks: Path) -> None:
    model = networks / "float_io.tflite"
    outputs = _outputs(model)
    assert problem_of(_question(model, label_count=outputs)) == ""
    assert problem_of(_question(model, label_count=outputs + 1)).startswith(
        f"{model}: its output has {outputs} values for {outputs + 1} labels;"
    )
    assert problem_of(_question(model, pattern=[3, 3, 7])).endswith(
        "u.yaml fills one input of 3 x 3 x 7"
    )


@pytest.mark.parametrize("name", ["small.h5", "small.keras"])
def test_a_keras_file_s_labels_and_input_are_those_that_it_names_itself(
    networks: Path, name: str
) -> None:
    shape, outputs = keras_configuration(networks / name)
    assert shape is not None
    assert outputs is not None
    model = networks / name
    assert problem_of(_question(model, label_count=outputs, pattern=shape[1:])) == ""
    said = problem_of(_question(model, label_count=outputs + 1))
    assert said.startswith(f"{model}: its output has {outputs} values for")


def _outputs(model: Path) -> int:
    return given_spec(model).outputs[0].element_count


def test_operators_that_the_npu_has_not_are_told_with_their_place(networks: Path) -> None:
    model = networks / "reversed_int8.tflite"
    said = problem_of(_question(model, vela=_VELA))
    assert said.startswith(f"{model}: 1 operators cannot run on the NPU")
    assert "Unsupported reverse mask" in said


def test_feature_maps_that_do_not_fit_their_region_are_told(networks: Path, tmp_path: Path) -> None:
    small = tmp_path / "platform.yaml"
    model = networks / "float_io.tflite"
    small.write_text(_with_small_ddr(_PLATFORM.read_text()))
    said = problem_of(_question(model, vela=_VELA, platform=str(small)))
    assert said.startswith(f"{model}: region DDR: needs ")
    assert problem_of(_question(model, vela=_VELA)) == ""


def test_a_board_that_is_too_small_is_told_with_its_name(networks: Path, tmp_path: Path) -> None:
    model = networks / "float_io.tflite"
    own = ROOT / "boards/alif-e7-hp.yaml"
    assert problem_of(_question(model, vela=_VELA, board=str(own))) == ""
    small = tmp_path / "small.yaml"
    text = own.read_text("utf-8").replace("size_kib: 5632", "size_kib: 1")
    small.write_text(text.replace("name: alif-e7-hp", "name: small"), "utf-8")
    said = problem_of(_question(model, vela=_VELA, board=str(small)))
    assert said.startswith(f"{model} on board=small: region MRAM: needs ")


def _with_small_ddr(text: str) -> str:
    text = re.sub(r"^model_partition:.*\n", "", text, flags=re.MULTILINE)
    found = re.search(r"name: DDR\s.*?size_kib: (\d+)", text, re.DOTALL)
    assert found is not None
    return f"{text[: found.start(1)]}1{text[found.end(1) :]}"


def test_what_has_to_be_fetched_or_is_damaged_is_left_to_the_build(tmp_path: Path) -> None:
    damaged = tmp_path / "net.h5"
    damaged.write_bytes(b"no HDF5")
    assert problem_of(_question(damaged, label_count=3)) == ""
    source = {"package": "none", "version": "1", "artefact": "none.whl", "sha256": "0" * 64}
    assert problem_of(_question(Path("net.h5"), source=source)) == ""


def test_another_vela_than_the_driver_s_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    build, _ = fake_build({"usecase": "kws"})
    monkeypatch.setattr(build.packages, "versions", lambda names: dict.fromkeys(names, "6.0.0"))
    with pytest.raises(EthosmithError, match=r"ethos-u-vela 6\.0\.0 is installed; the driver"):
        preflight.check_vela(build)


def test_a_card_of_another_board_is_refused_before_the_build(tmp_path: Path) -> None:
    build, _ = fake_build({"usecase": "kws", "target": "mps3"})
    with pytest.raises(EthosmithError, match="not this board's card"):
        preflight.check_card(build, tmp_path)


def test_a_question_is_plain_data() -> None:
    question = _question(Path("net.tflite"), vela=_VELA)
    assert Question(**json.loads(question.text)) == question
