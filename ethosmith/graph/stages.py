# SPDX-License-Identifier: Apache-2.0
"""What each stage of ``optimise:`` bought: the target ``stages``, and a part of the report."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json
from ethosmith.core.terminal import Look
from ethosmith.descriptors.optimise import Stage
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.evaluation import Evaluation, host_answers
from ethosmith.graph.layout import SelectedUseCase, image_file
from ethosmith.graph.models import FloatModel, compile_with_vela, quantised_network
from ethosmith.graph.optimise import stage_folder, stage_models, stages_of

_TARGET, _REPORT = "stages", "report"
_SUFFIX = "_stages.json"
_AS_IT_CAME = "none"


class Measuring(NamedTuple):
    """What stages are measured with.

    Attributes:
        features: what calibrates the quantisation.
        evaluated: the evaluation set; None: accuracy is not asked for.
        host: the host program.
    """

    features: Sequence[Path]
    evaluated: Evaluation | None
    host: Path


def measured_stages(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    model: FloatModel,
    measuring: Measuring,
) -> None:
    """Declare the figures of each stage, if they are asked for, or a report that shows them.

    Args:
        build: where they are declared.
        usecase: whose network it is.
        configuration: the NPU and memory mode.
        model: the network before any stage.
        measuring: what is measured.
    """
    targets, output = build.session.targets, image_file(usecase, configuration, _SUFFIX)
    if _TARGET not in targets and not (_REPORT in targets and output.exists()):
        return
    stages = stages_of(usecase)
    if not stages or configuration.accelerator is None:
        return
    evaluated = measuring.evaluated
    wanted = evaluated.wanted if evaluated else None
    found = [
        _figures(build, usecase, configuration, one, stage_folder(index), measuring)
        for index, one in enumerate([model, *stage_models(build, usecase, model)])
    ]
    from ethosmith.steps.compare_stages import CompareStages

    compared = build.add(
        CompareStages(
            stages=(_AS_IT_CAME, *map(_title, stages)),
            summaries=tuple(one.summary for one in found),
            metric=wanted.metric if wanted else "",
            classes=tuple(wanted.classes or ()) if wanted else (),
            evaluation_sets=tuple(one.items for one in evaluated.shards) if evaluated else (),
            float_answers=tuple(path for one in found for path in one.float_answers),
            int8_answers=tuple(path for one in found for path in one.int8_answers),
            output=output,
        )
    )
    build.engine.alias(_TARGET, [compared.output])


class _Measured(NamedTuple):
    summary: Path
    float_answers: tuple[Path, ...] = ()
    int8_answers: tuple[Path, ...] = ()


def _figures(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    model: FloatModel,
    folder: str,
    measuring: Measuring,
) -> _Measured:
    """Declare the int8 network of one stage, what Vela makes of it, and this machine's answers."""
    network = quantised_network(build, usecase, model, measuring.features, folder)
    if network.is_pytorch and network.tosa is None:
        raise EthosmithError(
            f"{_TARGET}: measures what the NPU runs of a whole network: give runtime=direct"
        )
    summary = compile_with_vela(build, usecase, configuration, network, folder=folder).summary
    if measuring.evaluated is None:
        return _Measured(summary)
    shards = [one._replace(answers=one.answers / folder) for one in measuring.evaluated.shards]
    answers = host_answers(
        *(build, usecase, model, network, measuring.host, shards),
        converted=usecase.outputs / folder / "float.tflite",
    )
    return _Measured(summary, *answers)


def _title(stage: Stage) -> str:
    if stage.prune:
        return f"prune to {stage.prune.sparsity:g}"
    if stage.cluster:
        return f"cluster to {stage.cluster.values}"
    return "quantisation-aware"


def stages_file(
    build: Build, usecase: SelectedUseCase, configuration: Configuration
) -> Path | None:
    """Return the figures of an image's stages, if they are declared."""
    path = image_file(usecase, configuration, _SUFFIX)
    return path if path in build.made else None


def declare_stages(build: Build) -> None:
    """Declare what the target ``stages`` shows.

    Raises:
        EthosmithError: no use case that is asked for has stages.
    """
    session = build.session
    if _TARGET not in session.targets or build.engine.is_cleaning:
        return
    files = {
        (usecase.variant, configuration.title): path
        for usecase in session.usecases
        for configuration in session.configurations
        if (path := stages_file(build, usecase, configuration))
    }
    if not files:
        raise EthosmithError(
            f"{_TARGET}: no use case of this build has 'optimise:' and an NPU; name one with"
            " usecase="
        )

    def show() -> None:
        for (usecase, title), path in files.items():
            sys.stdout.write(f"\n{usecase}  {title}\n" + "".join(_text(read_json(path))))

    build.show_after(_TARGET, show)


_HEAD = {
    "stage": "stage",
    "weight_bytes": "weights, bytes",
    "flash_bytes": "flash and DRAM, bytes moved",
    "cycles": "cycles",
    "float": "float",
    "int8": "int8",
}


def _text(found: Any) -> Iterator[str]:
    from ethosmith.core.table import note, table

    look = Look.of(sys.stdout)
    keys = [key for key in _HEAD if key in found["stages"][0]]
    rows = [[_cell(one[key]) for key in keys] for one in found["stages"]]
    heads = [_HEAD[key] for key in keys]
    yield table(heads, rows, frozenset(heads[1:]), look)
    measured = f"float and int8 are {found['metric']}." if found["metric"] else ""
    yield note(
        f"Weights, bytes moved and cycles are Vela's for one inference. {measured}".strip(), look
    )


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else value
