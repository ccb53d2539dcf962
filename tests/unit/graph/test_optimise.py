# SPDX-License-Identifier: Apache-2.0
"""The stages of ``optimise:`` are steps one behind the other, each knowing what came before."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.optimise import Cluster, Optimise, Prune, QuantisationAware, Stage
from ethosmith.graph.models import FloatModel
from ethosmith.graph.optimise import conditioned_model
from ethosmith.steps.cluster_network import ClusterNetwork
from ethosmith.steps.prune_network import PruneNetwork
from ethosmith.steps.train_rounded_network import TrainRoundedNetwork
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
    pruned, clustered, trained = engine.steps
    assert isinstance(pruned, PruneNetwork)
    assert (pruned.model, pruned.script, pruned.script_files) == (_MODEL.path, None, ())
    assert isinstance(clustered, ClusterNetwork)
    assert (clustered.model, clustered.keep_zeros) == (pruned.output, True)
    assert isinstance(trained, TrainRoundedNetwork)
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
        conditioned_model(build, usecase, FloatModel(Path("net.py"), ()))
    assert "usecases/ad_compact/usecase.yaml:13:" in str(caught.value)
    assert "and the model is net.py" in str(caught.value)


def test_a_network_without_stages_is_taken_as_it_is() -> None:
    build, engine = fake_build({"usecase": "ad"})
    (usecase,) = build.session.usecases
    assert conditioned_model(build, usecase, _MODEL) is _MODEL
    assert engine.steps == []
