# SPDX-License-Identifier: Apache-2.0
"""The labelled set that accuracy is measured on, and this machine's answers to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import TFLITE_SUFFIX
from ethosmith.descriptors.accuracy import Accuracy
from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import NOTES, SelectedSample, SelectedUseCase, image_file
from ethosmith.graph.models import FloatModel
from ethosmith.graph.own_files import formats_of, suffixes_taken
from ethosmith.graph.pytorch import Int8Network, pytorch_host_answers
from ethosmith.graph.samples import sample_file
from ethosmith.graph.simulators import reason_not_to_run

if TYPE_CHECKING:
    from ethosmith.steps.collect_evaluation_set import CollectEvaluationSet

ACCURACY = "accuracy"


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
    if wanted is None or not any(is_asked(build, usecase, one) for one in configurations):
        return None
    _check_can_run(build)
    folder = usecase.outputs / f"accuracy{own_set(build)}"
    shards = _evaluation_set(build, usecase, wanted, folder)
    converted = usecase.outputs / f"accuracy/float{TFLITE_SUFFIX}"
    answers = host_answers(build, usecase, model, network, host, shards, converted)
    return Evaluation(wanted, shards, *answers)


def _check_can_run(build: Build) -> None:
    reason = reason_not_to_run(build)
    # A board without a simulator of its own runs on the open board, as for the target run.
    if reason is not None and build.platform.descriptor.fvp is not None:
        raise EthosmithError(f"accuracy runs images: {reason}")
    for configuration in build.session.configurations:
        if not configuration.runtime.links_image:
            raise EthosmithError(
                f"accuracy measures the use case's own firmware, and runtime="
                f"{configuration.runtime.name} has none: leave runtime= out"
            )


def is_asked(build: Build, usecase: SelectedUseCase, configuration: Configuration) -> bool:
    """Say whether accuracy is asked for, or a report that shows it, for it was measured before."""
    targets = build.session.targets
    measured = accuracy_file(build, usecase, configuration, ".json").exists()
    return ACCURACY in targets or ("report" in targets and measured)


def accuracy_file(
    build: Build, usecase: SelectedUseCase, configuration: Configuration, suffix: str
) -> Path:
    """Return the file with what was measured, or one beside it with another ``suffix``."""
    return image_file(usecase, configuration, f"_accuracy{own_set(build)}{suffix}")


def own_set(build: Build) -> str:
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
    model: FloatModel,
    network: Int8Network,
    host: Path,
    shards: Sequence[SetShard],
    converted: Path,
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Declare this machine's answers to each shard with a float network, and with its int8 form.

    Args:
        build: where they are declared.
        usecase: whose network it is.
        model: the float network; of one that came as a .tflite there are no answers.
        network: the int8 network.
        host: the host program.
        shards: the evaluation set.
        converted: the .tflite to make of a Keras network, nothing quantised.
    """
    if model.pytorch:
        parts = [(shard.items, shard.answers) for shard in shards]
        return pytorch_host_answers(build, usecase, model.pytorch, network, host, parts)
    floating: tuple[Path, ...] = ()
    if model.path.suffix.lower() != TFLITE_SUFFIX:
        from ethosmith.steps.convert_float_network import ConvertFloatNetwork

        step = ConvertFloatNetwork(model=model.path, model_files=model.files, output=converted)
        float_network = build.add(step).output
        floating = _litert_answers(build, usecase, "float", float_network, host, shards)
    return floating, _litert_answers(build, usecase, "int8", network.path, host, shards)


def _litert_answers(
    build: Build,
    usecase: SelectedUseCase,
    kind: str,
    network: Path,
    host: Path,
    shards: Sequence[SetShard],
) -> tuple[Path, ...]:
    """Declare LiteRT's answers to each shard with a ``float`` or ``int8`` .tflite."""
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
