# SPDX-License-Identifier: Apache-2.0
"""What the build knows of its steps: what decides their outputs, and the way to a file."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph import models, samples
from ethosmith.graph.build import Made
from ethosmith.graph.provenance import made_with
from ethosmith.steps.generate_labels import GenerateLabels
from ethosmith.steps.mix_samples import MixSamples
from ethosmith.steps.plan_arena import PlanArena
from tests.support.fake_build import fake_build

_LABELS = GenerateLabels(labels=("a", "b"), source="x.yaml", output=Path("build/labels.c"))


def test_a_step_is_declared_once() -> None:
    build, engine = fake_build({"usecase": "kws"})
    assert build.add(_LABELS) == build.add(_LABELS) == _LABELS
    assert engine.steps == [_LABELS]


def test_two_steps_cannot_make_one_file() -> None:
    build, _ = fake_build({"usecase": "kws"})
    build.add(_LABELS)
    with pytest.raises(EthosmithError, match=r"build/labels\.c: two steps would make it"):
        build.add(GenerateLabels.of_spec({**_LABELS.spec(), "labels": ("c",)}))


def test_options_code_and_packages_are_in_the_signature() -> None:
    build, _ = fake_build({"usecase": "kws"})
    facts = build.facts_of(_LABELS)
    assert facts.options == {"labels": ["a", "b"], "source": "x.yaml", "output": "build/labels.c"}
    assert facts.packages == {}
    other = build.facts_of(GenerateLabels.of_spec({**_LABELS.spec(), "labels": ("b", "a")}))
    assert other.signature != facts.signature
    assert replace(facts, packages={"numpy": "1"}).signature != facts.signature
    assert replace(facts, code={**facts.code, "ethosmith": "0"}).signature != facts.signature


def test_an_arena_for_the_npu_needs_no_interpreter_on_the_host() -> None:
    # That package exists for Linux on x86-64 alone.
    build, _ = fake_build({"usecase": "kws"})
    step = PlanArena(network=Path("n.tflite"), on_npu=True, output=Path("build/arena.json"))
    assert "tflite-micro" not in build.facts_of(step).packages
    assert "tflite-micro" in PlanArena.of_spec({**step.spec(), "on_npu": False}).packages


def test_places_and_unsigned_options_are_not() -> None:
    build, _ = fake_build({"usecase": "kws"})
    usecase = build.session.usecases[0]
    samples.samples_source(build, usecase, samples.sample_files(build, usecase, None))
    for made in build.made.values():
        assert made.facts is not None
        assert "offline" not in made.facts.options
        assert str(build.project.root) not in str(made.facts.options)


def test_the_tools_of_an_image_are_those_of_the_steps_on_its_way() -> None:
    build, _ = fake_build({"usecase": "kws"})
    usecase, configuration = build.session.usecases[0], build.session.configurations[0]
    model = models.float_model(build, usecase)
    network = models.quantised_network(build, usecase, model, [Path("build/yes.f32")])
    compiled = models.compiled_network(build, usecase, configuration, network)
    build.record(Made("LINK", "a.axf", (compiled.model,), (Path("a.axf"),)))
    build.add(_LABELS)
    tools = made_with(build, [Path("a.axf")], ["gcc 1"])["tools"]
    # NumPy is what TensorFlow and Vela compute with; nothing on the way draws pictures.
    for name in ("ethos-u-vela", "numpy", "scons"):
        assert tools[name] == metadata.version(name)
    assert tools["gcc"] == "1"
    assert "pillow" not in tools
    assert "ethos-u-vela" not in made_with(build, [_LABELS.output], [])["tools"]


def test_the_way_to_a_file_names_what_is_needed_first() -> None:
    build, _ = fake_build({"usecase": "kws"})
    first = Path("build/a.bin")
    mixed = MixSamples(
        parts=(first,),
        at_s=(0.0,),
        rate_hz=16000,
        duration_s=1.0,
        noise_rms=0.0,
        seed=1,
        output=Path("build/m.bin"),
    )
    build.add(mixed)
    build.record(Made("AR", "a", (Path("build/x.o"),), (first,)))
    assert [made.verb for made in build.way_to([mixed.output])] == ["AR", "MIX"]
