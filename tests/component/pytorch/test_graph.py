# SPDX-License-Identifier: Apache-2.0
"""What a PyTorch network is made from, before anything of PyTorch is installed."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TypeVar

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.environment import tools
from ethosmith.environment.locked import PYTHON_VARIABLE, PYTORCH, LockedEnvironment
from ethosmith.graph import evaluation, images, models, runs
from ethosmith.graph.build import Build
from ethosmith.graph.pytorch import Int8Network
from ethosmith.steps.answer_pytorch import AnswerPytorch
from ethosmith.steps.compile_executorch import CompileExecutorch
from ethosmith.steps.compile_with_vela import CompileWithVela
from ethosmith.steps.export_pytorch import ExportPytorch
from ethosmith.steps.lower_pytorch import LowerPytorch
from ethosmith.steps.quantise_pytorch import QuantisePytorch
from ethosmith.steps.read_executorch import ReadExecutorch
from ethosmith.steps.run_executorch_on_host import RunExecutorchOnHost
from ethosmith.steps.step import Step
from tests.support.fake_build import RecordingEngine, fake_build

StepT = TypeVar("StepT", bound=Step)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Return a Python file with two modules beside it, one of which imports the other."""
    path = tmp_path / "net.py"
    path.write_text("import torch\nfrom blocks import Block\ndef build(): ...\n", "utf-8")
    (tmp_path / "blocks.py").write_text("def f():\n    import sizes\n", "utf-8")
    (tmp_path / "sizes.py").touch()
    (tmp_path / "unrelated.py").touch()
    return path


def _declared(model: str, **more: str) -> tuple[Build, RecordingEngine]:
    build, engine = fake_build({"usecase": "kws", "model": model, **more})
    (usecase,) = build.session.usecases
    float_model = models.float_model(build, usecase)
    models.input_shape(build, usecase, float_model)
    int8 = models.quantised_network(build, usecase, float_model, [Path("yes.f32")])
    for configuration in build.session.configurations:
        models.compiled_network(build, usecase, configuration, int8)
    return build, engine


def _step(engine: RecordingEngine, kind: type[StepT]) -> StepT:
    (found,) = (step for step in engine.steps if isinstance(step, kind))
    return found


def test_the_whole_path_is_declared(network: Path) -> None:
    _, engine = _declared(f"{network}:other")
    export = _step(engine, ExportPytorch)
    assert (export.builder, export.layout, export.pattern) == ("other", "nchw", [50, 10, 1])
    assert [path.name for path in export.model_files] == ["net.py", "blocks.py", "sizes.py"]
    assert export.weights is None
    quantise = _step(engine, QuantisePytorch)
    assert quantise.representative == (Path("yes.f32"),)
    lower, vela = _step(engine, LowerPytorch), _step(engine, CompileWithVela)
    assert (lower.quantised, lower.label_count) == (quantise.quantised, 12)
    assert (vela.network, vela.tflite) == (lower.tosa, None)


def _with_int16(usecase: str, **more: str) -> RecordingEngine:
    build, engine = fake_build({"usecase": usecase, **more})
    (found,) = build.session.usecases
    quantise = found.descriptor.quantise.replace(activations="int16")
    found = found._replace(descriptor=found.descriptor.replace(quantise=quantise))
    models.quantised_network(build, found, models.float_model(build, found), [Path("a.f32")])
    return engine


def test_int16_activations_are_for_pytorch_networks() -> None:
    engine = _with_int16("ad_pytorch")
    made = _step(engine, QuantisePytorch)
    assert (made.activations, _step(engine, ExportPytorch).activations) == ("int16", "int16")
    assert made.quantised.name == "autoencoder_int16.pt2"
    with pytest.raises(EthosmithError) as caught:
        _with_int16("ad")
    assert "usecases/ad/usecase.yaml:" in str(caught.value)
    assert "is for PyTorch networks, and the model is network.keras: remove it" in str(caught.value)


def test_a_state_dict_beside_the_file_is_an_input(network: Path) -> None:
    network.with_suffix(".pt").touch()
    _, engine = _declared(str(network))
    assert network.with_suffix(".pt") in _step(engine, ExportPytorch).inputs


def test_the_whole_lock_counts_and_nothing_of_this_environment(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, engine = _declared(str(network))
    export = _step(engine, ExportPytorch)
    facts = build.facts_of(export)
    assert facts.packages["pytorch:torch"] == "2.13.0"
    assert {name.partition(":")[0] for name in facts.packages} == {"pytorch"}
    other = tmp_path / "pytorch.lock"
    other.write_text("sympy==1.15.0 \\\n    --hash=sha256:00\ntorch==2.13.0 \\\n", "utf-8")
    monkeypatch.setattr(LockedEnvironment, "lock", other)
    assert build.facts_of(export).signature != facts.signature


@pytest.mark.parametrize("runtime", ["tflm"])
def test_runtimes_of_tflite_networks_are_refused(network: Path, runtime: str) -> None:
    with pytest.raises(EthosmithError, match="this one comes from PyTorch: leave runtime= out"):
        _declared(str(network), runtime=runtime)


@pytest.mark.parametrize("suffix", [".pt", ".PTH"])
def test_files_that_are_no_network_are_refused_with_what_to_give(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"net{suffix}"
    path.touch()
    with pytest.raises(EthosmithError, match=rf"net{suffix}: .*; see docs/pytorch\.md"):
        _declared(str(path))


_EXECUTORCH = {"usecase": "inference_runner", "runtime": "executorch"}


def test_executorch_takes_the_int8_graph_and_needs_no_tosa(network: Path) -> None:
    _, engine = _declared(str(network), **_EXECUTORCH)
    quantise, compiled = _step(engine, QuantisePytorch), _step(engine, CompileExecutorch)
    lower = _step(engine, LowerPytorch)
    assert lower.tosa is None
    assert compiled.quantised == quantise.quantised
    assert compiled.accelerator_config == "ethos-u55-128"
    assert not any(isinstance(step, CompileWithVela) for step in engine.steps)


@pytest.mark.parametrize(
    ("target", "npu", "axi1_regions"),
    [("fvp", "ethos-u65-256", (0, 1)), ("sse320", "ethos-u85-256", (0, 1))],
)
def test_without_a_runner_the_program_runs_on_the_host(
    target: str, npu: str, axi1_regions: tuple[int, ...], network: Path
) -> None:
    given = {**_EXECUTORCH, "target": target, "npu": npu}
    build, engine = _declared(str(network), **given)
    (configuration,) = build.session.configurations
    (usecase,) = build.session.usecases
    assert configuration.prebuilt_image is None
    program, lower = _step(engine, CompileExecutorch).program, _step(engine, LowerPytorch)
    image = images.prebuilt_image(build, usecase, configuration, program)
    assert image.axf == program
    compiled = models.CompiledNetwork(program)
    int8 = Int8Network(lower.network, quantised=lower.quantised)
    runs.prebuilt_run(build, usecase, configuration, image, compiled, int8, Path("host"))
    ran = _step(engine, RunExecutorchOnHost)
    assert (ran.program, ran.quantised, ran.npu) == (program, lower.quantised, npu)
    assert ran.axi1_regions == axi1_regions
    assert f"no image of runtime=executorch for {npu[:9]}" in ran.not_booted
    build.session.targets = ("run",)
    with pytest.raises(
        EthosmithError, match=r"run: platform .* has no image of runtime=executorch"
    ):
        runs.prebuilt_run(build, usecase, configuration, image, compiled, int8, Path("host"))


@pytest.mark.parametrize("npu", ["ethos-u55-64", "ethos-u65-512"])
def test_the_target_pte_makes_a_program_whatever_the_runtime(npu: str, network: Path) -> None:
    given = {"usecase": "kws", "model": str(network), "npu": npu}
    build, engine = fake_build(given, ["pte"])
    (usecase,) = build.session.usecases
    float_model = models.float_model(build, usecase)
    int8 = models.quantised_network(build, usecase, float_model, [Path("yes.f32")])
    for configuration in build.session.configurations:
        models.compiled_network(build, usecase, configuration, int8)
    made = _step(engine, CompileExecutorch)
    assert (made.accelerator_config, made.program.suffix) == (npu, ".pte")


def test_beside_direct_the_network_has_to_be_in_one_piece(network: Path) -> None:
    _, engine = _declared(str(network), **{**_EXECUTORCH, "runtime": "executorch,direct"})
    assert _step(engine, LowerPytorch).tosa == _step(engine, CompileWithVela).network


def test_another_runtime_quantises_nothing_again_and_overwrites_nothing(network: Path) -> None:
    engines = [
        _declared(str(network), runtime=name, usecase="inference_runner")[1]
        for name in ("direct", "executorch")
    ]
    direct, executorch = (_step(engine, QuantisePytorch) for engine in engines)
    assert direct == executorch
    outputs = [
        {path for step in engine.steps for path in step.outputs} - set(direct.outputs)
        for engine in engines
    ]
    exported = set(_step(engines[0], ExportPytorch).outputs)
    assert outputs[0] & outputs[1] <= exported


def test_a_ready_program_is_taken_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "net.pte"
    path.touch()
    _, engine = _declared(str(path), **_EXECUTORCH)
    assert _step(engine, ReadExecutorch).program == path
    assert not any(isinstance(step, QuantisePytorch) for step in engine.steps)


@pytest.mark.parametrize("runtime", ["direct", "prebuilt", "tflm"])
def test_a_ready_program_runs_on_executorch_alone(runtime: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pte"
    path.touch()
    with pytest.raises(EthosmithError, match=r"an ExecuTorch program; give runtime=executorch, or"):
        _declared(str(path), **{**_EXECUTORCH, "runtime": runtime})


def test_executorch_refuses_a_tflite_network() -> None:
    with pytest.raises(EthosmithError, match="runtime=executorch executes PyTorch networks"):
        _declared("", **_EXECUTORCH)


def test_float_and_int8_network_answer_an_evaluation_set(network: Path) -> None:
    given = {"usecase": "kws", "model": str(network)}
    build, engine = fake_build(given, ["accuracy"])
    (usecase,) = build.session.usecases
    float_model = models.float_model(build, usecase)
    int8 = models.quantised_network(build, usecase, float_model, [Path("yes.f32")])
    evaluated = evaluation.evaluation(build, usecase, float_model, int8, Path("host"))
    assert evaluated is not None
    floating, integer = (step for step in engine.steps if isinstance(step, AnswerPytorch))
    assert floating.exported == _step(engine, ExportPytorch).exported
    assert (integer.exported, integer.tosa) == (None, int8.tosa)
    assert evaluated.float_answers == (floating.output,)
    assert evaluated.int8_answers == (integer.output,)


def test_all_use_cases_need_no_pytorch() -> None:
    build, _ = fake_build({"usecase": "all"})
    selected = [usecase.name for usecase in build.session.usecases]
    assert "ad" in selected
    assert "ad_pytorch" not in selected
    (named,) = fake_build({"usecase": "ad_pytorch"})[0].session.usecases
    assert named.descriptor.on_request


def test_lock_pins_cpu_builds_by_hash_and_names_no_server() -> None:
    text = LockedEnvironment(PYTORCH).lock.read_text("utf-8")
    assert "://" not in text
    assert "nvidia" not in text
    assert "triton" not in text
    pins = text.replace("\\\n", " ").splitlines()
    assert all("--hash=sha256:" in pin for pin in pins if pin and not pin.startswith("#"))


def _fake_python(folder: Path, *, pip_works: bool, said: str) -> Path:
    """Return a program that makes an environment whose pip installs nothing."""
    inside = f"#!/bin/sh\nexit {0 if pip_works else 1}\n"
    program = folder / "python"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = -Ic ]; then echo "{said}"; exit; fi\n'
        'for folder; do :; done\nmkdir -p "$folder/bin"\n'
        f'printf {shlex.quote(inside)} >"$folder/bin/python"\n'
        'chmod 755 "$folder/bin/python"\n',
        "utf-8",
    )
    program.chmod(0o755)
    return program


def _environment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    pip_works: bool,
    said: str = "cpython 3.13;Linux aarch64",
) -> LockedEnvironment:
    monkeypatch.setenv("ETHOSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(PYTHON_VARIABLE, str(_fake_python(tmp_path, pip_works=pip_works, said=said)))
    return LockedEnvironment(PYTORCH)


def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = _environment(tmp_path, monkeypatch, pip_works=True).python()
    assert os.access(python, os.X_OK)
    monkeypatch.setattr(tools, "call", lambda command: pytest.fail(str(command)))
    assert LockedEnvironment(PYTORCH).python() == python


def test_one_that_cannot_be_made_says_what_to_do_and_is_not_taken_for_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = _environment(tmp_path, monkeypatch, pip_works=False)
    for _ in range(2):
        with pytest.raises(EthosmithError) as raised:
            environment.python()
        assert "the PyTorch environment cannot be made: pip could not install" in str(raised.value)
        assert "PIP_EXTRA_INDEX_URL" in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("cpython 3.14;Linux x86_64", "is cpython 3.14 on Linux x86_64; the lock is for"),
        ("pypy 3.11;Linux x86_64", "is pypy 3.11 on Linux x86_64"),
        ("cpython 3.12;Darwin x86_64", "is cpython 3.12 on Darwin x86_64"),
        ("nothing", "not a Python that runs here"),
    ],
)
def test_a_python_without_a_lock_is_refused_before_anything_is_made(
    said: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = _environment(tmp_path, monkeypatch, pip_works=True, said=said)
    with pytest.raises(EthosmithError) as raised:
        environment.python()
    assert found in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not environment.folder.exists()


def test_what_others_could_have_put_there_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = _environment(tmp_path, monkeypatch, pip_works=True)
    environment.python()
    environment.folder.parent.chmod(0o777)
    with pytest.raises(EthosmithError, match="other users can write there"):
        environment.python()
