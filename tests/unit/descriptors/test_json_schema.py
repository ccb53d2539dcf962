# SPDX-License-Identifier: Apache-2.0
"""schemas/*.json say what the code says, and find in an editor what the build would refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.reference import DESCRIPTORS, schema_files, schema_line, schema_name
from ethosmith.descriptors.usecase import UseCase
from ethosmith.descriptors.yaml_source import read_yaml
from tests.support.project_copy import ROOT

_SCHEMAS = ROOT / "schemas"
_BAD = ROOT / "tests/unit/descriptors/bad_usecases"
_SHIPPED = [
    (path, model)
    for place, model in DESCRIPTORS
    for path in sorted(ROOT.glob(place.replace("NAME", "*")))
]

# Only the build finds these: they are about other files, about several keys at once, or beyond
# what JSON Schema compares.
_BEYOND_SCHEMAS = {
    "expected_time_backwards",
    "expected_time_of_no_label",
    "accuracy_auc_without_classes",
    "accuracy_limit_of_other_metrics",
    "accuracy_script_missing",
    "accuracy_unknown_label",
    "accuracy_without_set",
    "budget_for_unknown_npu",
    "budget_of_nothing",
    "label_twice",
    "mix_of_a_mix",
    "mix_of_no_sample",
    "optimise_epochs_without_script",
    "optimise_order",
    "optimise_script_missing",
    "optimise_script_without_epochs",
    "optimise_stage_of_two",
    "package_without_member",
    "parameter_beyond_32_bits",
    "parameter_beyond_floats",
    "parameter_infinite",
    "path_of_no_file",
    "representative_range",
    "sample_expects_no_label",
    "sample_expects_twice",
    "sample_of_two_origins",
    "sample_twice",
    "samples_empty",
    "samples_missing",
    "sound_range",
    "sound_rate_twice",
    "sound_without_form",
    "source_file_missing",
    "source_of_no_kind",
    "source_of_two_kinds",
    "unknown_library",
    "unknown_package",
    "url_without_sha256",
}


def _schema(name: str) -> Any:
    return json.loads((_SCHEMAS / name).read_text("utf-8"))


def _faults(path: Path, schema: Any) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(read_yaml(path).data)
    return [error.message for error in found]


def test_the_schemas_are_current() -> None:
    made = dict(schema_files())
    kept = {path.name: path.read_text("utf-8") for path in _SCHEMAS.iterdir()}
    assert kept == made, "run python -m ethosmith schemas"


@pytest.mark.parametrize(("path", "model"), _SHIPPED, ids=lambda value: getattr(value, "stem", ""))
def test_a_shipped_descriptor_names_its_schema_and_fits_it(path: Path, model: Any) -> None:
    assert path.read_text("utf-8").startswith(schema_line(model, path, _SCHEMAS))
    assert _faults(path, _schema(schema_name(model))) == []


def test_the_schema_finds_every_fault_that_lies_in_one_value() -> None:
    schema = _schema(schema_name(UseCase))
    unseen = set()
    for path in sorted(_BAD.glob("*.yaml")):
        try:
            if not _faults(path, schema):
                unseen.add(path.stem)
        except EthosmithError:
            # No YAML of our subset: the editor's parser is not ours to test.
            continue
    assert unseen == _BEYOND_SCHEMAS


def test_an_editor_can_tell_what_every_key_means() -> None:
    for name, text in schema_files():
        schema = json.loads(text)
        for part in (schema, *schema.get("$defs", {}).values()):
            assert part["additionalProperties"] is False, name
            for key, value in part["properties"].items():
                assert value["description"], f"{name}: {key}"
