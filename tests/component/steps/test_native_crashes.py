# SPDX-License-Identifier: Apache-2.0
"""A network that ends a compiler's process ends a step in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import flatbuffers

from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.table import all_cases
from tests.support.project_copy import ROOT


def _without_options(path: Path) -> None:
    """Write a convolution without strides, of which Vela's compiler takes that they are there."""
    from ai_edge_litert import schema_py_generated as schema

    case = next(case for case in all_cases() if case.operator == "conv_2d")
    content = tflite_bytes(case.network())
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for operator in model.subgraphs[0].operators:
        operator.builtinOptions = None
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def test_a_network_that_crashes_vela_is_named_in_one_line(tmp_path: Path) -> None:
    network = tmp_path / "odd.tflite"
    _without_options(network)
    specification = {
        "network": str(network),
        "network_name": "odd",
        "accelerator_config": "ethos-u55-128",
        "system_config": "Ethos_U55_High_End_Embedded",
        "memory_mode": "Shared_Sram",
        **{name: str(tmp_path / name) for name in ("summary", "per_layer", "operators", "raw")},
    }
    done = subprocess.run(
        [sys.executable, "-m", "ethosmith", "step", "compile-with-vela", json.dumps(specification)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"error: {network}: Vela crashes on it; is the file damaged? (SIGSEGV)"
    )
    assert list(tmp_path.iterdir()) == [network]
