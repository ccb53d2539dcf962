# SPDX-License-Identifier: Apache-2.0
"""Measure float against int8 against device on a labelled set, if it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ethosmith.accuracy.result import read_result
from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import Look
from ethosmith.descriptors.accuracy import Accuracy
from ethosmith.descriptors.load import error_at
from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph import runs
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.images import Generated, firmware_image
from ethosmith.graph.layout import NOTES, SelectedSample, SelectedUseCase, image_file
from ethosmith.graph.models import FloatModel
from ethosmith.graph.own_files import formats_of, suffixes_taken
from ethosmith.graph.pytorch import Int8Network, pytorch_host_answers
from ethosmith.graph.samples import sample_file, shown

if TYPE_CHECKING:
    from ethosmith.report.pareto import Accuracy as Measured
    from ethosmith.steps.answer_on_device import AnswerOnDevice
    from ethosmith.steps.collect_evaluation_set import CollectEvaluationSet

_TARGET = "accuracy"
_TFLITE = ".tflite"


class Evaluation(NamedTuple):
    """What the host alone decides.

    Attributes:
        wanted: what the descriptor says.
        shards: the evaluation set.
        float_answers: this machine's answers to each shard; none: the network came as int8.
        int8_answers: the same of the int8 network.
    """

    wanted: Accuracy
    shards: tuple[SetShard, ...]
    float_answers: tuple[Path, ...]
    int8_answers: tuple[Path, ...]


class SetShard(NamedTuple):
    """A part of the evaluation set.

    Attributes:
        items: the file with its items.
        answers: the folder of what this machine answers to it.
        part: what the terminal says of it; empty: it is the whole set.
        number: counts from 1; 0: it is the whole set.
        size: how many items it has; 0: that is known only when it is made.
    """

    items: Path
    answers: Path
    part: str = ""
    number: int = 0
    size: int = 0


def evaluation(
    build: Build, usecase: SelectedUseCase, model: FloatModel, network: Int8Network, host: Path
) -> Evaluation | None:
    """Declare the evaluation set and this machine's answers; None if they are not asked for.

    Args:
        build: where they are declared.
        usecase: the descriptor, or what was given in its place.
        model: the float network.
        network: the int8 network.
        host: the host program.

    Raises:
        EthosmithError: no image can run here, or the runtime has no image of the use case.
    """
    wanted = usecase.descriptor.accuracy
    configurations = build.session.configurations
    if wanted is None or not any(_is_asked(build, usecase, one) for one in configurations):
        return None
    _check_can_run(build)
    folder = usecase.outputs / f"accuracy{_own_set(build)}"
    shards = _evaluation_set(build, usecase, wanted, folder)
    if model.pytorch:
        parts = [(shard.items, shard.answers) for shard in shards]
        both = pytorch_host_answers(build, usecase, model.pytorch, network, host, parts)
        return Evaluation(wanted, shards, *both)
    float_answers: tuple[Path, ...] = ()
    if model.path.suffix.lower() != _TFLITE:
        from ethosmith.steps.convert_float_network import ConvertFloatNetwork

        converted = ConvertFloatNetwork(
            model=model.path,
            model_files=model.files,
            output=usecase.outputs / f"accuracy/float{_TFLITE}",
        )
        float_network = build.add(converted).output
        float_answers = host_answers(build, usecase, "float", float_network, host, shards)
    int8_answers = host_answers(build, usecase, "int8", network.path, host, shards)
    return Evaluation(wanted, shards, float_answers, int8_answers)


def _check_can_run(build: Build) -> None:
    reason = runs.reason_not_to_run(build)
    # A board without a simulator of its own runs on the open board, as for the target run.
    if reason is not None and build.platform.descriptor.fvp is not None:
        raise EthosmithError(f"accuracy runs images: {reason}")
    for configuration in build.session.configurations:
        if not configuration.runtime.links_image:
            raise EthosmithError(
                f"accuracy measures the use case's own firmware, and runtime="
                f"{configuration.runtime.name} has none: leave runtime= out"
            )


def _is_asked(build: Build, usecase: SelectedUseCase, configuration: Configuration) -> bool:
    """Say whether accuracy is asked for, or a report that shows it, for it was measured before."""
    targets = build.session.targets
    measured = _file(build, usecase, configuration, ".json").exists()
    return _TARGET in targets or ("report" in targets and measured)


def _file(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, suffix: str
) -> Path:
    return image_file(usecase, configuration, f"_accuracy{_own_set(build)}{suffix}")


def _own_set(build: Build) -> str:
    """Return what the name of the user's own set adds to names of outputs."""
    folder = build.session.evaluation_folder
    return f"@{folder.stem}" if folder else ""


def _evaluation_set(
    build: Build, usecase: SelectedUseCase, accuracy: Accuracy, folder: Path
) -> tuple[SetShard, ...]:
    if build.session.evaluation_folder is not None:
        return _shards(build, usecase, accuracy, build.session.evaluation_folder, folder)
    from ethosmith.steps.collect_evaluation_set import CollectEvaluationSet

    step = CollectEvaluationSet(
        labels=tuple(accuracy.classes or usecase.labels),
        suffixes=tuple(suffixes_taken(formats_of(usecase.descriptor))),
        form=usecase.descriptor.sample_form,
        output=folder / "set.zip",
    )
    step = _with_items(build, usecase, accuracy, step)
    if accuracy.path is not None:
        step = _with_folder(build, step, usecase.folder / accuracy.path)
    if accuracy.generate is not None:
        generate = accuracy.generate
        script = build.project.relative(usecase.folder / generate.script)
        code = sorted((build.project.root / script).parent.glob("*.py"))
        step = step.replaced(
            script=script,
            script_files=tuple(build.project.relative(path) for path in code),
            seed=generate.seed,
            count=generate.count,
            tools=tuple(text for name in generate.programs for text in _version(name)),
        )
    return (SetShard(build.add(step).output, folder),)


def _shards(
    build: Build, usecase: SelectedUseCase, accuracy: Accuracy, own: Path, folder: Path
) -> tuple[SetShard, ...]:
    """Declare the user's own set, in shards; the files are listed now, and read by the steps."""
    # Only for such a set: it brings the readers of samples along.
    from ethosmith.accuracy.evaluation_set import Accepted
    from ethosmith.accuracy.shards import entries_of_folder, write_listings
    from ethosmith.steps.collect_shard import CollectShard

    root = build.project.root
    path = build.project.relative(own)
    suffixes = tuple(suffixes_taken(formats_of(usecase.descriptor)))
    accepted = Accepted(suffixes, tuple(accuracy.classes or usecase.labels))
    notes = root / NOTES / "evaluation" / own.stem
    notes.mkdir(parents=True, exist_ok=True)
    entries = entries_of_folder(path, accepted, notes)
    listed = write_listings(entries, folder / "listings", root)
    shards = []
    for one in listed:
        made = CollectShard(
            listing=one.listing,
            folder=path,
            form=usecase.descriptor.sample_form,
            output=folder / f"{one.number:05}" / "set.zip",
        )
        part = f"shard {one.number} of {len(listed)}, {one.items} items"
        made = build.add(made)
        shards.append(SetShard(made.output, made.output.parent, part, one.number, one.items))
    return tuple(shards)


def _version(program: str) -> list[str]:
    """Return the program's name and version; a missing one is named by the script that calls it."""
    try:
        return [f"{program} {program_version(find_program(program))}"]
    except EthosmithError:
        return []


def _with_items(
    build: Build, usecase: SelectedUseCase, accuracy: Accuracy, step: CollectEvaluationSet
) -> CollectEvaluationSet:
    """Add the descriptor's own samples and items, as the device takes them."""
    own = usecase.descriptor.samples if accuracy.samples else ()
    selected = [SelectedSample.of(sample) for sample in own if sample.expect and not sample.mix]
    selected += [
        SelectedSample(item.name, source=item.source, format=item.format, expect=item.expect)
        for item in accuracy.items
    ]
    folder = usecase.outputs / "accuracy/items"
    files = tuple(sample_file(build, usecase, sample, folder) for sample in selected)
    items = [
        {"name": sample.name, "expect": sample.expect, "file": file.as_posix()}
        for sample, file in zip(selected, files, strict=True)
    ]
    return step.replaced(items=items, item_files=files)


def _with_folder(build: Build, step: CollectEvaluationSet, folder: Path) -> CollectEvaluationSet:
    path = build.project.relative(folder)
    root = build.project.root / path
    files = sorted(file for file in root.rglob("*") if file.is_file())
    return step.replaced(
        folder=path,
        folder_files=tuple(build.project.relative(file) for file in files),
        # The graph compares contents in order: another name, and so label, it would overlook.
        folder_names=tuple(file.relative_to(root).as_posix() for file in files),
    )


def host_answers(
    build: Build,
    usecase: SelectedUseCase,
    kind: str,
    network: Path,
    host: Path,
    shards: Sequence[SetShard],
) -> tuple[Path, ...]:
    """Declare this machine's answers to each shard with a ``float`` or ``int8`` .tflite."""
    from ethosmith.steps.answer_on_host import AnswerOnHost

    steps = [
        AnswerOnHost(
            kind=kind,
            network=network,
            program=host,
            evaluation_set=shard.items,
            reset_state=usecase.descriptor.model.reset_state,
            output=shard.answers / f"{kind}.json",
        )
        for shard in shards
    ]
    return tuple(build.add(one).output for one in steps)


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
    if evaluated is None or not _is_asked(build, usecase, configuration):
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
        output=_file(build, usecase, configuration, ".json"),
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
        simulator=runs.simulator(build),
        fvp_programs=runs.fvp_programs(build, configuration),
        evaluation_set=evaluated.shards[0].items,
        tools=runs.simulator_versions(build, configuration),
        time_limit_s=build.session.time_limit_s,
        output=_file(build, usecase, configuration, "_device.json"),
    )
    return tuple(_answers(build, device, evaluated))


def _calibration(build: Build, usecase: SelectedUseCase) -> tuple[Path, ...]:
    """Return the samples that the int8 network's ranges are from; none: it came as a .tflite."""
    given = usecase.model_path
    if usecase.descriptor.quantise.representative != "samples":
        return ()
    if given is not None and given.suffix.lower() == _TFLITE:
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
    name = f"{usecase.variant}_{_TARGET}"
    return firmware_image(
        build, usecase, configuration, generated._replace(sources=sources), name
    ).axf


def accuracy_result(
    build: Build, usecase: SelectedUseCase, configuration: Configuration
) -> Path | None:
    """Return NAME_accuracy.json, if `accuracy` declared it."""
    path = _file(build, usecase, configuration, ".json")
    return path if path in build.made else None


def measured_accuracy(build: Build, stem: Path) -> Measured | None:
    """Return the device's accuracy of the image at ``stem``, if this build measures it."""
    from ethosmith.report.pareto import Accuracy as Measured

    path = stem.with_name(f"{stem.name}_accuracy{_own_set(build)}.json")
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
    if usecase.model_path is not None and usecase.model_path.suffix.lower() == _TFLITE:
        drops.pop("max_drop.int8")
        notes.append(f"{usecase.model_path.name} is measured from its int8 form on.")
    if wanted.public_set is not None and not build.session.values["evaluation"]:
        notes.append(f"measured on the small set that the descriptor names. {wanted.public_set}")
    limits = {**({} if other_network else {limit: value}), **drops}
    return {name: allowed for name, allowed in limits.items() if allowed is not None}, notes


def declare_table(build: Build) -> None:
    """Declare the target ``accuracy``: measure everything, show the table, check the limits."""
    if _TARGET not in build.session.targets:
        return
    measured = measured_images(build)
    build.engine.alias(_TARGET, [path for _, path in measured])
    build.show_after(_TARGET, lambda: _show(build, measured))
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
    if build.engine.has_failed(except_for=_TARGET):
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
        error_at(usecase.path, (_TARGET, *broken["limit"].split(".")), broken_text(result, broken))
        for (usecase, _), result in zip(measured, results, strict=True)
        for broken in result["broken"]
    ]
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return len(problems)
