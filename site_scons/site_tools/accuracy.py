# SPDX-License-Identifier: Apache-2.0
"""Measure float against int8 against device, if ``accuracy`` is asked for: `ethosmith.accuracy`."""

import atexit
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SCons.Action import Action
from SCons.Node import executed, up_to_date
from SCons.Script import GetBuildFailures

from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import Look
from ethosmith.descriptors.accuracy import Accuracy
from ethosmith.descriptors.load import error_at
from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import SelectedSample, SelectedUseCase, image_folder
from ethosmith.graph.module_sources import module_sources
from ethosmith.graph.own_files import formats_of, suffixes_taken
from ethosmith.graph.untold import untold
from ethosmith.graph.versions import python_package

_TARGET = "accuracy"
_TFLITE = ".tflite"


@dataclass(frozen=True)
class Evaluation:
    """The nodes of what the host alone decides; no ``floating``: the network came as int8."""

    wanted: Accuracy
    items: Any
    floating: Any | None
    int8: Any


@dataclass(frozen=True)
class _Measured:
    """One row of the table."""

    usecase: SelectedUseCase
    result: str


class _Rows:
    """All rows of a call; SCons would copy a plain list for each clone of an environment."""

    def __init__(self) -> None:
        self.all: list[_Measured] = []


def evaluation(
    env: Any, usecase: SelectedUseCase, model: Sequence[Any], network: Any, host: Any
) -> Evaluation | None:
    """Declare the evaluation set and this machine's answers; None if they are not asked for.

    Args:
        env: the construction environment.
        usecase: the descriptor, or what was given in its place.
        model: the nodes of the float network.
        network: the node of the int8 network.
        host: the node of the host program.
    """
    wanted = usecase.descriptor.accuracy
    configurations = env["SESSION"].configurations
    if wanted is None or not any(_asked(env, usecase, one) for one in configurations):
        return None
    reason = env.ReasonNotToRun()
    # A board without a simulator of its own runs on the open board, as for the target run.
    if reason is not None and env["PLATFORM"].descriptor.fvp is not None:
        raise EthosmithError(f"accuracy runs images: {reason}")
    for configuration in configurations:
        if not configuration.runtime.links_image:
            raise EthosmithError(
                f"accuracy measures the use case's own firmware, and runtime="
                f"{configuration.runtime.name} has none: leave runtime= out"
            )
    folder = _folder(env, usecase)
    items = _evaluation_set(env, usecase, wanted, f"{folder}/set.zip")
    floating = None
    if not str(model[0]).lower().endswith(_TFLITE):
        made = _float_network(env, model, f"{usecase.outputs}/accuracy/float{_TFLITE}")
        floating = _host_answers(env, "float", made, host, items, folder)
    return Evaluation(
        wanted, items, floating, _host_answers(env, "int8", network, host, items, folder)
    )


def _asked(env: Any, usecase: SelectedUseCase, configuration: Configuration) -> bool:
    """Say whether accuracy is asked for, or a report that shows it, for it was measured before."""
    targets = env["SESSION"].targets
    measured = Path(f"{_name(env, usecase, configuration)}.json")
    return _TARGET in targets or ("report" in targets and measured.exists())


def _name(env: Any, usecase: SelectedUseCase, configuration: Configuration) -> str:
    return f"{image_folder(configuration)}/{usecase.variant}_accuracy{_own_set(env)}"


def _folder(env: Any, usecase: SelectedUseCase) -> str:
    return f"{usecase.outputs}/accuracy{_own_set(env)}"


def _own_set(env: Any) -> str:
    """Return what the name of the user's own set adds to names of outputs."""
    folder = env["EVALUATION"]
    return f"@{folder.stem}" if folder else ""


def _evaluation_set(env: Any, usecase: SelectedUseCase, accuracy: Accuracy, target: str) -> Any:
    labels = accuracy.classes or usecase.labels
    options: list[Any] = ["--labels-json", json.dumps(labels), "--output", target]
    taken = suffixes_taken(formats_of(usecase.descriptor))
    options += [word for suffix in taken for word in ("--suffix", suffix)]
    options += ["--form-json", json.dumps(usecase.descriptor.sample_form)]
    own = env["EVALUATION"]
    parts = _given_folder(env, own) if own else _parts_of_descriptor(env, usecase, accuracy)
    return env.Step(
        "ethosmith.accuracy.evaluation_set",
        target=target,
        source=[node for nodes, _, _ in parts for node in nodes],
        options=[*options, *(word for _, words, _ in parts for word in words)],
        versions=[
            *map(python_package, ("pillow", "soundfile", "soxr")),
            *(v for _, _, versions in parts for v in versions),
        ],
        say=f"ITEMS     {target}",
    )[0]


# Nodes, options, and what else counts: versions of programs, names of files.
_Part = tuple[list[Any], list[Any], list[str]]


def _parts_of_descriptor(env: Any, usecase: SelectedUseCase, accuracy: Accuracy) -> list[_Part]:
    parts = [_items(env, usecase, accuracy)]
    if accuracy.path is not None:
        parts += _given_folder(env, usecase.folder / accuracy.path)
    if accuracy.generate is not None:
        generate = accuracy.generate
        script = env["PROJECT"].relative(usecase.folder / generate.script)
        code = [*sorted((env["PROJECT"].root / script).parent.glob("*.py"))]
        code += module_sources("ethosmith.accuracy.generator")
        options = ["--script", script, "--seed", generate.seed, "--count", generate.count]
        versions = [text for name in generate.programs for text in _version(name)]
        versions.append(python_package("numpy"))
        parts.append(([env.File(str(path)) for path in code], options, versions))
    return parts


def _version(program: str) -> list[str]:
    """Return the program's name and version; a missing one is named by the script that calls it."""
    try:
        return [f"{program} {program_version(find_program(program))}"]
    except EthosmithError:
        return []


def _items(env: Any, usecase: SelectedUseCase, accuracy: Accuracy) -> _Part:
    """Return the descriptor's own samples and items, as the device takes them."""
    own = usecase.descriptor.samples if accuracy.samples else ()
    selected = [SelectedSample.of(sample) for sample in own if sample.expect and not sample.mix]
    selected += [
        SelectedSample(item.name, source=item.source, format=item.format, expect=item.expect)
        for item in accuracy.items
    ]
    folder = f"{usecase.outputs}/accuracy/items"
    nodes = [env.SampleFile(usecase, sample, folder) for sample in selected]
    listed = [
        {"name": sample.name, "expect": sample.expect, "file": str(node)}
        for sample, node in zip(selected, nodes, strict=True)
    ]
    return nodes, ["--items-json", json.dumps(listed)], []


def _given_folder(env: Any, folder: Path) -> list[_Part]:
    path = env["PROJECT"].relative(folder)
    root = env["PROJECT"].root / path
    files = sorted(file for file in root.rglob("*") if file.is_file())
    nodes = [env.File(str(env["PROJECT"].relative(file))) for file in files]
    # SCons compares contents in order: that a file has another name, and so label, it overlooks.
    names = json.dumps([file.relative_to(root).as_posix() for file in files])
    return [(nodes, ["--folder", path], [names])]


def _float_network(env: Any, model: Sequence[Any], target: str) -> Any:
    return env.Step(
        "ethosmith.accuracy.float_network",
        target=target,
        source=model[1:] or model,
        options=["--model", model[0], "--output", target],
        say=f"FLOAT     {target}",
        versions=[python_package("tensorflow", "tensorflow-cpu"), python_package("keras")],
    )[0]


def _host_answers(env: Any, kind: str, network: Any, host: Any, items: Any, folder: str) -> Any:
    target = f"{folder}/{kind}.json"
    return env.Step(
        "ethosmith.accuracy.host_answers",
        target=target,
        source=[network, host, items],
        options=[
            *("--kind", kind, "--network", network, "--program", host),
            *("--set", items, "--output", target),
        ],
        say=f"ANSWER    {target}",
        versions=[python_package("ai-edge-litert")],
    )[0]


def accuracy(
    env: Any,
    usecase: SelectedUseCase,
    configuration: Configuration,
    evaluated: Evaluation | None,
    generated: Sequence[Any],
    headers: Sequence[Any],
    script: Any,
) -> None:
    """Declare the device's answers and the comparison of the three.

    Args:
        env: an environment with the device's toolchain.
        usecase: the descriptor, or what was given in its place.
        configuration: for which NPU.
        evaluated: of `Evaluation`; with None nothing is declared.
        generated: the C files of model and labels.
        headers: the generated headers.
        script: the linker script.
    """
    if evaluated is None or not _asked(env, usecase, configuration):
        return
    name = _name(env, usecase, configuration)
    axf = _image(env, usecase, configuration, generated, headers, script)
    device = _device_answers(env, configuration, axf, evaluated.items, f"{name}_device.json")
    columns = {"float": evaluated.floating, "int8": evaluated.int8, "device": device}
    present = {column: node for column, node in columns.items() if node is not None}
    limits, notes = _limits(env, usecase, evaluated.wanted)
    wanted = evaluated.wanted
    result = env.Step(
        "ethosmith.accuracy.result",
        target=f"{name}.json",
        source=[evaluated.items, *present.values()],
        options=[
            *("--usecase", usecase.variant, "--configuration", configuration.title),
            *("--metric", wanted.metric, "--limits-json", json.dumps(limits)),
            *(["--classes", *wanted.classes] if wanted.classes else []),
            *(f"--note={note}" for note in notes),
            *("--set", evaluated.items),
            *(word for column, node in present.items() for word in (f"--{column}", node)),
            *("--output", f"{name}.json"),
        ],
        say=f"ACCURACY  {name}.json",
    )
    env["ACCURACIES"].all.append(_Measured(usecase, str(result[0])))


def _image(
    env: Any,
    usecase: SelectedUseCase,
    configuration: Configuration,
    generated: Sequence[Any],
    headers: Sequence[Any],
    script: Any,
) -> Any:
    """Return the node of the image that takes its samples from the simulator."""
    name = f"{usecase.variant}_{_TARGET}"
    source = _window_source(env, usecase)
    image = env.FirmwareImage(
        usecase, configuration, [*generated, source], headers, script, name=name
    )
    return image.axf


def _device_answers(
    env: Any, configuration: Configuration, axf: Any, items: Any, target: str
) -> Any:
    platform = env["PLATFORM"].path
    return env.Step(
        "ethosmith.accuracy.device_answers",
        target=target,
        source=[axf, items, str(platform)],
        options=[
            *("--image", axf, "--platform", platform, "--npu", configuration.board_npu.name),
            *("--simulator", env["SIMULATOR"], "--set", items, "--output", target),
        ],
        unsigned_options=["--timelimit", env["TIME_LIMIT_S"]],
        # What this machine did not see the device do, it does not claim.
        cacheable=False,
        say=f"DEVICE    {axf}",
        versions=env.SimulatorVersions(configuration),
    )[0]


def _window_source(env: Any, usecase: SelectedUseCase) -> Any:
    platform = env["PLATFORM"]
    target = f"{usecase.outputs}/accuracy/{platform.descriptor.name}/samples_window.c"
    shown = env["PROJECT"].shown(usecase.path)
    return env["DECLARED"].once(
        target,
        lambda: env.Step(
            "ethosmith.accuracy.samples_window",
            target=target,
            source=str(platform.path),
            options=[
                *("--usecase", usecase.name, "--platform", platform.path),
                *("--source", shown, "--output", target),
            ],
            say=f"GENERATE  {target}",
        )[0],
    )


def accuracy_result(env: Any, usecase: SelectedUseCase, configuration: Configuration) -> str | None:
    """Return NAME_accuracy.json, if `Accuracy` declared it."""
    name = f"{_name(env, usecase, configuration)}.json"
    return name if name in {row.result for row in env["ACCURACIES"].all} else None


def _limits(
    env: Any, usecase: SelectedUseCase, wanted: Accuracy
) -> tuple[dict[str, float], list[str]]:
    """Return the limits that hold for this build, and what to say below the table."""
    drops = {"max_drop.int8": wanted.max_drop.int8, "max_drop.device": wanted.max_drop.device}
    limit, value = wanted.limit
    own = [f"{o}=" for o in ("model", "evaluation") if env["SESSION"].values[o]]
    notes = []
    if own and value is not None:
        notes.append(f"{limit} {value:g} is not checked: {own[0]} brings something else.")
    if usecase.model_path is not None and usecase.model_path.suffix.lower() == _TFLITE:
        drops.pop("max_drop.int8")
        notes.append(f"{usecase.model_path.name} is int8 already: there is no float network.")
    if wanted.public_set is not None and "evaluation=" not in own:
        notes.append(f"measured on the small set that the descriptor names. {wanted.public_set}")
    limits = {**({} if own else {limit: value}), **drops}
    return {name: allowed for name, allowed in limits.items() if allowed is not None}, notes


def accuracy_table(env: Any) -> None:
    """Declare the alias ``accuracy``: measure everything, show the table, check the limits."""
    if _TARGET not in env["SESSION"].targets:
        return
    results = [measured.result for measured in env["ACCURACIES"].all]
    env.AlwaysBuild(env.Alias(_TARGET, results, Action(_show_all, untold)))
    if not env.GetOption("no_exec"):
        atexit.register(_show_rest, env)


def _show_all(target: Any, source: Any, env: Any) -> int:
    del target, source
    return _show(env, env["ACCURACIES"].all)


def _show_rest(env: Any) -> None:
    """Show what was measured, where something failed: with -k, that is all the others."""
    done = {executed, up_to_date}
    if any(str(failure.node) != _TARGET for failure in GetBuildFailures()):
        _show(env, [m for m in env["ACCURACIES"].all if env.File(m.result).get_state() in done])


def _show(env: Any, measured: Sequence[_Measured]) -> int:
    from ethosmith.accuracy.table import broken_text, table_text  # noqa: PLC0415 only if shown

    results = [json.loads(Path(one.result).read_text("utf-8")) for one in measured]
    if results:
        sys.stdout.write("\n" + table_text(results, Look.of(sys.stdout)))
    for usecase in env["SESSION"].usecases:
        if usecase.descriptor.accuracy is None:
            sys.stdout.write(f"{usecase.name}: not measured: no 'accuracy:' in its descriptor.\n")
    problems = [
        error_at(
            one.usecase.path,
            (_TARGET, *broken["limit"].split(".")),
            broken_text(result, broken),
        )
        for one, result in zip(measured, results, strict=True)
        for broken in result["broken"]
    ]
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return len(problems)


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing but Python packages of the project."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `Evaluation`, `Accuracy`, `AccuracyResult` and `AccuracyTable`."""
    env["ACCURACIES"] = _Rows()
    env.AddMethod(evaluation, "Evaluation")
    env.AddMethod(accuracy, "Accuracy")
    env.AddMethod(accuracy_result, "AccuracyResult")
    env.AddMethod(accuracy_table, "AccuracyTable")
