# SPDX-License-Identifier: Apache-2.0
"""What the NPU computes exactly is not refused, and equals an interpreter of this machine.

Each network goes the way of a build: taken as a .tflite, compiled by Vela, run on the NPU model
over a sequence of steps, and compared with the oracle that the build would ask.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.models.calibration import from_files
from ethosmith.models.compiled import read_compiled
from ethosmith.models.int8_check import check_int8
from ethosmith.models.quantise import quantise
from ethosmith.models.vela import cpu_operators
from ethosmith.steps.compile_with_vela import CompileWithVela
from ethosmith.steps.compute_expected import ComputeExpected
from ethosmith.verify.host_network import HostNetwork
from ethosmith.verify.oracles import oracle_of
from ethosu_model.config import AcceleratorConfig
from ethosu_model.harness import HostRunner, RawModel
from tests.support.networks.gates import NAMES, network_named

_STEPS = 20
_NPU = "ethos-u55-128"


def _compiled(folder: Path, network: Path) -> Path:
    step = CompileWithVela(
        network=network,
        network_name="net",
        accelerator_config=_NPU,
        system_config="Ethos_U55_High_End_Embedded",
        memory_mode="Shared_Sram",
        tflite=folder / "vela.tflite",
        summary=folder / "summary.csv",
        per_layer=folder / "per-layer.csv",
        operators=folder / "operators.json",
        raw=folder / "vela.npz",
    )
    step.run()
    return folder / "vela.npz"


@pytest.mark.parametrize("name", NAMES)
def test_every_step_equals_the_oracle(name: str, tmp_path: Path) -> None:
    if "LSTM" in name:
        pytest.importorskip("tflite_micro")
    given, taken = tmp_path / "given.tflite", tmp_path / "taken.tflite"
    given.write_bytes(network_named(name))
    quantise(given, taken, lambda shapes: from_files([], shapes))
    host = HostNetwork.int8(taken, "never")
    raw = _compiled(tmp_path, taken)
    compiled = read_compiled(raw, host.specs)
    model = RawModel.load(raw)
    runner = HostRunner(model, AcceleratorConfig.parse(_NPU))
    runner.set_variables([variable.zero_point for variable in compiled.variables])
    random = np.random.default_rng(3)
    seen = set()
    for _ in range(_STEPS):
        (spec,) = host.specs.inputs
        limits = np.iinfo(spec.dtype)
        values = random.integers(limits.min, limits.max + 1, spec.shape).astype(spec.dtype)
        (expected,) = host.run(values.tobytes())
        (got,) = runner.run([values])
        assert got.tobytes() == expected
        seen |= set(got.ravel().tolist())
    assert len(seen) > 20, "the outputs should cover their range, else little was compared"


def test_the_converted_elu_is_the_given_one(tmp_path: Path) -> None:
    """For every int8 value: what folding may not change."""
    content = network_named(NAMES[0])
    given, taken = tmp_path / "given.tflite", tmp_path / "taken.tflite"
    given.write_bytes(content)
    notes = quantise(given, taken, lambda shapes: from_files([], shapes))
    assert notes == ("ELU in int8 instead of float",)
    one, other = oracle_of(content, "given"), oracle_of(taken.read_bytes(), "taken")
    (spec,) = check_int8(taken).inputs
    random = np.random.default_rng(1)
    for _ in range(_STEPS):
        values = random.integers(-128, 128, spec.shape, np.int8)
        assert np.array_equal(one.run([values])[0], other.run([values])[0])


def test_a_network_that_no_interpreter_has_is_run_and_not_compared(tmp_path: Path) -> None:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(network_named(NAMES[0]), 0)
    code = model.operatorCodes[0]
    code.builtinCode, code.deprecatedBuiltinCode, code.customCode = 32, 32, b"of nobody"
    for operator in model.subgraphs[0].operators:
        if operator.opcodeIndex == 0:
            operator.builtinOptionsType, operator.builtinOptions = 0, None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    network = tmp_path / "net.tflite"
    network.write_bytes(bytes(builder.Output()))
    step = ComputeExpected(
        network=network, program=tmp_path, samples=("one",), output=tmp_path / "expected.json"
    )
    step.run()
    found = json.loads(step.output.read_text())
    assert (found["oracle"], found["samples"]) == ("", [{"name": "one"}])
    assert "nothing on this machine runs it: LiteRT: " in found["not_compared"]


def test_a_state_that_is_not_reset_is_another_answer() -> None:
    pytest.importorskip("tflite_micro")
    oracle = oracle_of(network_named("LSTM with drawn zero points"), "lstm")
    values = np.random.default_rng(0).integers(-128, 128, (1, 3, 6), np.int8)
    first, second = oracle.run([values])[0], oracle.run([values])[0]
    oracle.reset()
    assert np.array_equal(oracle.run([values])[0], first)
    assert not np.array_equal(first, second)


def test_a_file_that_vela_has_compiled_is_recognised(tmp_path: Path) -> None:
    given = tmp_path / "given.tflite"
    given.write_bytes(network_named("quantized_dimension out of range"))
    taken = tmp_path / "taken.tflite"
    quantise(given, taken, lambda shapes: from_files([], shapes))
    _compiled(tmp_path, taken)
    with pytest.raises(EthosmithError, match="Vela has compiled this network already; give the"):
        quantise(tmp_path / "vela.tflite", taken, lambda shapes: from_files([], shapes))


def test_an_input_that_the_npu_never_reads_lies_apart(tmp_path: Path) -> None:
    given = tmp_path / "given.tflite"
    given.write_bytes(network_named("int8 with uint8 inputs and outputs"))
    taken = tmp_path / "taken.tflite"
    quantise(given, taken, lambda shapes: from_files([], shapes))
    raw, spec = _compiled(tmp_path, taken), check_int8(taken)
    with np.load(raw) as arrays:
        kept = {name: arrays[name] for name in arrays.files if "quantization" not in name}
    # As Vela writes an input that is not needed: no address, as a rounded double.
    kept["input_offset"] = np.array([2.0**64])
    np.savez(raw, allow_pickle=False, **kept)
    compiled = read_compiled(raw, spec)
    scratch = int(kept["scratch_size"])
    (tensor,) = compiled.inputs
    assert tensor.region == compiled.scratch.region
    assert tensor.offset >= scratch
    assert compiled.scratch.size_bytes == tensor.offset + tensor.size_bytes


def test_a_reason_is_found_where_vela_renamed_the_output(tmp_path: Path) -> None:
    given = tmp_path / "given.tflite"
    given.write_bytes(network_named(NAMES[0]))
    said = "Warning (supported operators) operator: ELU, ofm: 'other'\nReason: it is float\n"
    found = {one.kind: one.reason for one in cpu_operators(given, said)}
    assert found["ELU"] == "it is float"
    assert found["QUANTIZE"] == "no reason given"
