# SPDX-License-Identifier: Apache-2.0
"""The way of a network through the stages of ``optimise:``, before it is quantised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ethosmith.core.files import KERAS_SUFFIXES
from ethosmith.descriptors.load import error_at
from ethosmith.descriptors.optimise import Optimise, Stage
from ethosmith.graph.build import Build
from ethosmith.graph.layout import SelectedUseCase
from ethosmith.graph.models import FloatModel
from ethosmith.graph.pytorch import PYTHON_SUFFIX, PytorchModel
from ethosmith.steps.step import Step


class _Training(NamedTuple):
    """The user's script, and what it reads."""

    script: Path | None
    files: tuple[Path, ...]
    seed: int

    def of(self, stage: Stage) -> dict[str, Any]:
        """Return the fields of a step that trains as ``stage`` says; none if it does not."""
        if not stage.epochs:
            return {}
        return {
            "script": self.script,
            "script_files": self.files,
            "epochs": stage.epochs,
            "seed": self.seed,
        }


def conditioned_model(build: Build, usecase: SelectedUseCase, model: FloatModel) -> FloatModel:
    """Declare the stages of the use case's ``optimise:``, and return what the last one makes.

    A network of ``model=`` is taken as it is: the stages are for the descriptor's own.

    Raises:
        EthosmithError: there are stages, and the network is neither a Keras file nor built by a
            Python file.
    """
    return [model, *stage_models(build, usecase, model)][-1]


def stages_of(usecase: SelectedUseCase) -> tuple[Stage, ...]:
    """Return the stages that the network goes through in this build; none: it has none."""
    optimise = usecase.descriptor.optimise
    return () if optimise is None or usecase.model_path is not None else optimise.stages


def stage_models(build: Build, usecase: SelectedUseCase, model: FloatModel) -> list[FloatModel]:
    """Declare the stages, and return what each one makes; errors as `conditioned_model`."""
    optimise, found = usecase.descriptor.optimise, []
    if optimise is None or not stages_of(usecase):
        return []
    is_built = model.pytorch is not None and model.path.suffix.lower() == PYTHON_SUFFIX
    if not is_built and model.path.suffix.lower() not in KERAS_SUFFIXES:
        message = (
            f"conditions Keras networks ({', '.join(KERAS_SUFFIXES)}), and PyTorch networks that a"
            f" Python file builds (net.py); the model is {model.path.name}: give one, or remove it"
        )
        raise error_at(usecase.path, ("optimise",), message)
    training = _training(build, usecase, optimise)
    for index in range(len(optimise.stages)):
        model = _after_stage(build, usecase, model, optimise.stages[: index + 1], training)
        found.append(model)
    return found


def _after_stage(
    build: Build,
    usecase: SelectedUseCase,
    model: FloatModel,
    stages: Sequence[Stage],
    training: _Training,
) -> FloatModel:
    """Declare the last one of ``stages``, and return what it makes of ``model``."""
    number, offline = len(stages), build.session.offline
    stem = f"{usecase.model_name}_{number}_{stages[-1].kind}"
    if model.pytorch is None:
        output = usecase.outputs / f"{stem}.keras"
        build.add(_step(model.path, output, stages, training))
        return FloatModel(output, (output,))
    output = usecase.outputs / f"{stem}.pt"
    build.add(_pytorch_step(model.pytorch, output, stages, training, offline=offline))
    after = model.pytorch._replace(weights=output, folder=stage_folder(number))
    return model._replace(pytorch=after)


def stage_folder(number: int) -> str:
    """Return where below a use case's folder the networks of a stage are; 0: before the first."""
    return f"stages/{number}"


def _step(model: Path, output: Path, stages: Sequence[Stage], training: _Training) -> Step:
    """Return the step of the last one of ``stages`` for a Keras network."""
    from ethosmith.steps.condition_keras import ConditionKeras

    return ConditionKeras(model=model, output=output, **_settings(stages, training))


def _pytorch_step(
    model: PytorchModel,
    output: Path,
    stages: Sequence[Stage],
    training: _Training,
    *,
    offline: bool,
) -> Step:
    """Return the step of the last one of ``stages`` for a PyTorch network."""
    from ethosmith.steps.condition_pytorch import ConditionPytorch

    return ConditionPytorch(
        model=model.path,
        model_files=model.files,
        builder=model.builder,
        weights=model.weights,
        output=output,
        offline=offline,
        **_settings(stages, training),
    )


def _settings(stages: Sequence[Stage], training: _Training) -> dict[str, Any]:
    """Return the fields that the steps of all frameworks have, for the last one of ``stages``."""
    *before, stage = stages
    kept = next((one.cluster.values for one in before if one.cluster), 0)
    return {
        "stage": stage.kind,
        "sparsity": stage.prune.sparsity if stage.prune else 0.0,
        "values": stage.cluster.values if stage.cluster else 0,
        "keep_zeros": any(one.prune for one in before),
        "keep_values": kept if stage.quantisation_aware else 0,
        **training.of(stage),
    }


def _training(build: Build, usecase: SelectedUseCase, optimise: Optimise) -> _Training:
    if optimise.fine_tune is None:
        return _Training(None, (), 0)
    root, project = build.project.root, build.project
    script = project.relative(usecase.folder / optimise.fine_tune)
    code = [path for path in (root / script).parent.glob("*.py") if path.name != script.name]
    data = [file for name in optimise.reads for file in _files_below(root / usecase.folder / name)]
    files = sorted({project.relative(path) for path in (*code, *data)})
    return _Training(script, tuple(files), optimise.seed)


def _files_below(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    else:
        yield path
