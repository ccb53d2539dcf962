# SPDX-License-Identifier: Apache-2.0
"""Each layer's cost adds up to the job's, and the first output that differs is the altered layer's.

The network is compiled by Vela and run on the NPU model; the reference is LiteRT.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json
from ethosmith.models.command_map import CommandMap
from ethosmith.models.int8_check import interpreter_of
from ethosmith.steps.compile_with_vela import CompileWithVela
from ethosmith.steps.map_commands import MapCommands
from ethosmith.verify.layers import JobRecorder, compare_outputs, layer_costs
from ethosmith.verify.reference import reference_network
from ethosu_model.harness import HostRunner, RawModel
from tests.support.networks.dense import dense_network

_LAYERS = (24, 40, 16, 32, 4)
_CONFIGURATIONS = {
    "ethos-u55-128": ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
    "ethos-u65-256": ("Ethos_U65_High_End", "Dedicated_Sram"),
}


def _map(network: Path, folder: Path, npu: str) -> tuple[CommandMap, Path]:
    system_config, memory_mode = _CONFIGURATIONS[npu]
    how: dict[str, Any] = {
        "network": network,
        "network_name": "net",
        "accelerator_config": npu,
        "system_config": system_config,
        "memory_mode": memory_mode,
    }
    made: dict[str, Any] = {
        name: folder / name for name in ("tflite", "summary", "per_layer", "operators")
    }
    CompileWithVela(**how, **made, raw=folder / "net.npz").run()
    step = MapCommands(**how, compiled=folder / "net.npz", output=folder / "map.json")
    step.run()
    return CommandMap.of_data(read_json(step.output)), folder / "net.npz"


def _reference(content: bytes, values: np.ndarray[Any, Any]) -> dict[int, Any]:
    interpreter = interpreter_of(reference_network(content), "net", keeps_tensors=True)
    (detail,) = interpreter.get_input_details()
    interpreter.set_tensor(detail["index"], values.reshape(detail["shape"]))
    interpreter.invoke()
    found = {}
    for one in interpreter.get_tensor_details():
        try:
            found[int(one["index"])] = np.array(interpreter.get_tensor(one["index"]))
        except ValueError:
            continue
    return found


@pytest.mark.parametrize("npu", _CONFIGURATIONS)
def test_costs_add_up_and_the_altered_layer_is_found(npu: str, tmp_path: Path) -> None:
    content = dense_network(_LAYERS, seed=5)
    network = tmp_path / "net.tflite"
    network.write_bytes(content)
    found, raw = _map(network, tmp_path, npu)
    recorder = JobRecorder()
    accelerator = parse_accelerator(npu, _CONFIGURATIONS[npu][0])
    runner = HostRunner(RawModel.load(raw), accelerator, trace=recorder)
    values = np.random.default_rng(1).integers(-128, 128, (1, _LAYERS[0])).astype(np.int8)
    recorder.begin_job()
    runner.run([values])

    costs, totals = layer_costs(found, recorder.jobs, accelerator.axi_bytes), runner.device.totals
    kinds = [layer["kind"] for layer in costs["layers"]]
    assert kinds == ["FullyConnected"] * (len(_LAYERS) - 1)
    assert all(layer["cycles"] > 0 and layer["vela_cycles"] > 0 for layer in costs["layers"])
    parts = [*costs["layers"], costs["commands"], costs["others"]]
    assert sum(part["cycles"] for part in parts) == totals.cycles
    for port, beats in (
        ("axi0_rd_bytes", totals.axi0_read_beats),
        ("axi0_wr_bytes", totals.axi0_written_beats),
        ("axi1_rd_bytes", totals.axi1_read_beats),
        ("axi1_wr_bytes", totals.axi1_written_beats),
    ):
        assert sum(part[port] for part in parts) == beats * accelerator.axi_bytes

    same = compare_outputs(found, recorder.jobs, _reference(content, values))
    assert [one["output"] for one in same] == ["equal"] * 4
    third = _with_third_layer_altered(content)
    other = compare_outputs(found, recorder.jobs, _reference(third, values))
    assert [one["output"] for one in other[:3]] == ["equal", "equal", "differs"]
    assert "of 32 elements; first at [0, " in other[2]["difference"]


def _with_third_layer_altered(content: bytes) -> bytes:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    weights = graph.tensors[graph.operators[2].inputs[1]]
    data = np.array(model.buffers[weights.buffer].data).astype(np.uint8)
    model.buffers[weights.buffer].data = data[::-1].copy()
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_an_image_of_another_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for path, layers in ((tmp_path / "net.tflite", _LAYERS), (tmp_path / "other/n.tflite", (8, 4))):
        path.write_bytes(dense_network(layers, seed=5))
    _, raw = _map(tmp_path / "net.tflite", tmp_path, "ethos-u55-128")
    other, _ = _map(tmp_path / "other/n.tflite", tmp_path / "other", "ethos-u55-128")
    recorder = JobRecorder()
    runner = HostRunner(RawModel.load(raw), parse_accelerator("ethos-u55-128"), trace=recorder)
    recorder.begin_job()
    runner.run([np.zeros((1, _LAYERS[0]), np.int8)])
    with pytest.raises(EthosmithError, match="it holds another network"):
        layer_costs(other, recorder.jobs, 8)
