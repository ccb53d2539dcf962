# SPDX-License-Identifier: Apache-2.0
"""The stages of ``optimise:`` are steps one behind the other, each knowing what came before."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.optimise import Cluster, Optimise, Prune, QuantisationAware, Stage
from ethosmith.graph.models import FloatModel, float_model
from ethosmith.graph.optimise import conditioned_model
from ethosmith.graph.pytorch import exported_network
from ethosmith.steps.condition_keras import ConditionKeras
from ethosmith.steps.condition_pytorch import ConditionPytorch
from tests.support.fake_build import fake_build

_MODEL = FloatModel(Path("usecases/ad/model/network.keras"), ())
_OPTIMISE = Optimise(
    fine_tune="model/fine_tune.py",
    reads=("samples",),
    seed=5,
    stages=(
        Stage(prune=Prune(sparsity=0.6)),
        Stage(cluster=Cluster(values=16)),
        Stage(quantisation_aware=QuantisationAware(epochs=3)),
    ),
)


def test_stages_are_steps_in_their_order() -> None:
    build, engine = fake_build({"usecase": "ad"})
    (usecase,) = build.session.usecases
    usecase = usecase._replace(descriptor=usecase.descriptor.replace(optimise=_OPTIMISE))
    made = conditioned_model(build, usecase, _MODEL)
    pruned, clustered, trained = (one for one in engine.steps if isinstance(one, ConditionKeras))
    assert (pruned.stage, pruned.sparsity, pruned.keep_zeros) == ("prune", 0.6, False)
    assert (pruned.model, pruned.script, pruned.script_files) == (_MODEL.path, None, ())
    assert (clustered.stage, clustered.values) == ("cluster", 16)
    assert (clustered.model, clustered.keep_zeros) == (pruned.output, True)
    assert trained.stage == "quantisation_aware"
    assert (trained.model, trained.keep_zeros, trained.keep_values) == (clustered.output, True, 16)
    assert (trained.epochs, trained.seed) == (3, 5)
    assert made.files == (trained.output,)
    # A change of what the script imports or reads trains again.
    inputs = {path.as_posix() for path in trained.inputs}
    assert {"usecases/ad/model/sounds.py", "usecases/ad/samples/dry.wav"} <= inputs


def test_a_network_of_another_kind_is_refused_at_its_line() -> None:
    build, _ = fake_build({"usecase": "ad_compact"})
    (usecase,) = build.session.usecases
    with pytest.raises(EthosmithError) as caught:
        conditioned_model(build, usecase, FloatModel(Path("net.pt2"), ()))
    assert "usecases/ad_compact/usecase.yaml:13:" in str(caught.value)
    assert "the model is net.pt2" in str(caught.value)


def test_stages_of_a_pytorch_network_hand_on_its_weights() -> None:
    build, engine = fake_build({"usecase": "ad_pytorch"})
    (usecase,) = build.session.usecases
    optimise = _OPTIMISE.replace(fine_tune="model/train.py", reads=())
    usecase = usecase._replace(descriptor=usecase.descriptor.replace(optimise=optimise))
    given = float_model(build, usecase)
    made = conditioned_model(build, usecase, given)
    pruned, clustered, trained = (one for one in engine.steps if isinstance(one, ConditionPytorch))
    assert (pruned.weights, pruned.sparsity) == (Path("usecases/ad_pytorch/model/network.pt"), 0.6)
    assert (clustered.weights, clustered.values) == (pruned.output, 16)
    assert (clustered.keep_zeros, clustered.keep_values, clustered.epochs) == (True, 0, 0)
    assert (trained.weights, trained.keep_zeros, trained.keep_values) == (
        clustered.output,
        True,
        16,
    )
    assert (trained.epochs, trained.seed) == (3, 5)
    assert made.pytorch
    # What is quantised, and the float network before it, are exported apart.
    assert exported_network(build, usecase, made.pytorch).weights == trained.output
    assert given.pytorch
    assert exported_network(build, usecase, given.pytorch).weights == pruned.weights


def test_a_network_without_stages_is_taken_as_it_is() -> None:
    build, engine = fake_build({"usecase": "ad"})
    (usecase,) = build.session.usecases
    assert conditioned_model(build, usecase, _MODEL) is _MODEL
    assert engine.steps == []
