# SPDX-License-Identifier: Apache-2.0
"""Measure float against int8 against device on a labelled set, on images that run it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethosmith.accuracy.result import read_result
from ethosmith.core.files import TFLITE_SUFFIX
from ethosmith.core.terminal import Look
from ethosmith.descriptors.accuracy import Accuracy
from ethosmith.descriptors.load import error_at
from ethosmith.graph import simulators
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.evaluation import (
    ACCURACY,
    Evaluation,
    accuracy_file,
    is_asked,
    own_set,
)
from ethosmith.graph.images import Generated, firmware_image
from ethosmith.graph.layout import SelectedUseCase
from ethosmith.graph.samples import shown

if TYPE_CHECKING:
    from ethosmith.report.pareto import Accuracy as Measured
    from ethosmith.steps.answer_on_device import AnswerOnDevice


def accuracy(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    evaluated: Evaluation | None,
    generated: Generated,
) -> None:
    """Declare the device's answers and the comparison of the three.

    Args:
        build: where they are declared.
        usecase: the descriptor, or what was given in its place.
        configuration: for which NPU.
        evaluated: of `evaluation`; with None nothing is declared.
        generated: the sources of model and labels.
    """
    if evaluated is None or not is_asked(build, usecase, configuration):
        return
    image = _image(build, usecase, configuration, generated)
    limits, notes = _limits(build, usecase, evaluated.wanted)
    from ethosmith.steps.judge_accuracy import JudgeAccuracy

    judged = JudgeAccuracy(
        usecase=usecase.variant,
        configuration=configuration.title,
        metric=evaluated.wanted.metric,
        limits=limits,
        classes=tuple(evaluated.wanted.classes or ()),
        notes=tuple(notes),
        evaluation_sets=tuple(shard.items for shard in evaluated.shards),
        tuned=_calibration(build, usecase),
        float_answers=evaluated.float_answers,
        int8_answers=evaluated.int8_answers,
        device_answers=_device_answers(build, usecase, configuration, evaluated, image),
        output=accuracy_file(build, usecase, configuration, ".json"),
    )
    build.add(judged)


def _device_answers(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    evaluated: Evaluation,
    image: Path,
) -> tuple[Path, ...]:
    """Declare the device's answers to each shard."""
    from ethosmith.steps.answer_on_device import AnswerOnDevice

    device = AnswerOnDevice(
        image=image,
        platform=build.platform.path,
        npu=configuration.board_npu.name,
        simulator=simulators.simulator(build),
        fvp_programs=simulators.fvp_programs(build, configuration),
        evaluation_set=evaluated.shards[0].items,
        tools=simulators.simulator_versions(build, configuration),
        time_limit_s=build.session.time_limit_s,
        output=accuracy_file(build, usecase, configuration, "_device.json"),
    )
    return tuple(_answers(build, device, evaluated))


def _calibration(build: Build, usecase: SelectedUseCase) -> tuple[Path, ...]:
    """Return the samples that the int8 network's ranges are from; none: it came as a .tflite."""
    given = usecase.model_path
    if usecase.descriptor.quantise.representative != "samples":
        return ()
    if given is not None and given.suffix.lower() == TFLITE_SUFFIX:
        return ()
    folder = usecase.outputs / "samples"
    files = (folder / f"{sample.name}.bin" for sample in usecase.samples)
    return tuple(file for file in files if file in build.made)


def _answers(build: Build, device: AnswerOnDevice, evaluated: Evaluation) -> Iterator[Path]:
    """Declare the device's answers to each shard, and yield their files."""
    whole = device.output
    for one in evaluated.shards:
        name = whole.with_suffix("") / f"{one.number:05}.json" if one.number else whole
        step = device.replaced(evaluation_set=one.items, part=one.part, output=name)
        yield build.add(step).output
        build.engine.count(f"{device.image}", step.output, one.size)


def _image(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, generated: Generated
) -> Path:
    """Declare the image that takes its samples from the simulator."""
    from ethosmith.steps.generate_samples_window import GenerateSamplesWindow

    platform = build.platform
    window = GenerateSamplesWindow(
        usecase=usecase.name,
        platform=platform.path,
        source=shown(build, usecase),
        output=usecase.outputs / "accuracy" / platform.descriptor.name / "samples_window.c",
    )
    sources = (*generated.sources, build.add(window).output)
    name = f"{usecase.variant}_{ACCURACY}"
    return firmware_image(
        build, usecase, configuration, generated._replace(sources=sources), name
    ).axf


def accuracy_result(
    build: Build, usecase: SelectedUseCase, configuration: Configuration
) -> Path | None:
    """Return NAME_accuracy.json, if `accuracy` declared it."""
    path = accuracy_file(build, usecase, configuration, ".json")
    return path if path in build.made else None


def measured_accuracy(build: Build, stem: Path) -> Measured | None:
    """Return the device's accuracy of the image at ``stem``, if this build measures it."""
    from ethosmith.report.pareto import Accuracy as Measured

    path = stem.with_name(f"{stem.name}_accuracy{own_set(build)}.json")
    if path not in build.made or not build.engine.is_done(path):
        return None
    result = read_result(path)
    return Measured(result["metric"], result["values"]["device"])


def _limits(
    build: Build, usecase: SelectedUseCase, wanted: Accuracy
) -> tuple[dict[str, float], list[str]]:
    """Return the limits that hold for this build, and what to say below the table."""
    drops = {"max_drop.int8": wanted.max_drop.int8, "max_drop.device": wanted.max_drop.device}
    limit, value = wanted.limit
    # The limit is the use case's own, so it holds on every set; of another network it says nothing.
    other_network = bool(build.session.values["model"])
    notes = []
    if other_network and value is not None:
        notes.append(f"{limit} {value:g} is not checked: it is for the descriptor's own network.")
    if usecase.model_path is not None and usecase.model_path.suffix.lower() == TFLITE_SUFFIX:
        drops.pop("max_drop.int8")
        notes.append(f"{usecase.model_path.name} is measured from its int8 form on.")
    if wanted.public_set is not None and not build.session.values["evaluation"]:
        notes.append(f"measured on the small set that the descriptor names. {wanted.public_set}")
    limits = {**({} if other_network else {limit: value}), **drops}
    return {name: allowed for name, allowed in limits.items() if allowed is not None}, notes


def declare_table(build: Build) -> None:
    """Declare the target ``accuracy``: measure everything, show the table, check the limits."""
    if ACCURACY not in build.session.targets:
        return
    measured = measured_images(build)
    build.engine.alias(ACCURACY, [path for _, path in measured])
    build.show_after(ACCURACY, lambda: _show(build, measured))
    if not build.engine.is_dry:
        build.engine.at_exit(lambda: _show_done(build, measured))


def measured_images(build: Build) -> list[tuple[SelectedUseCase, Path]]:
    """Return NAME_accuracy.json of each image that this build measures, with its use case."""
    return [
        (usecase, path)
        for usecase in build.session.usecases
        for configuration in build.session.configurations
        if (path := accuracy_result(build, usecase, configuration)) is not None
    ]


def _show_done(build: Build, measured: Sequence[tuple[SelectedUseCase, Path]]) -> None:
    """Show what was measured, where something failed: with -k, that is all the others."""
    if build.engine.has_failed(except_for=ACCURACY):
        _show(build, [one for one in measured if build.engine.is_done(one[1])])


def _show(build: Build, measured: Sequence[tuple[SelectedUseCase, Path]]) -> int:
    from ethosmith.accuracy.table import broken_text, table_text

    results: list[Any] = [read_result(path) for _, path in measured]
    if results:
        sys.stdout.write("\n" + table_text(results, Look.of(sys.stdout)))
    for usecase in build.session.usecases:
        if usecase.descriptor.accuracy is None:
            sys.stdout.write(f"{usecase.name}: not measured: no 'accuracy:' in its descriptor.\n")
    problems = [
        error_at(usecase.path, (ACCURACY, *broken["limit"].split(".")), broken_text(result, broken))
        for (usecase, _), result in zip(measured, results, strict=True)
        for broken in result["broken"]
    ]
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return len(problems)
