# SPDX-License-Identifier: Apache-2.0
"""Declare the report: a page for each image and an index: `ethosmith.report.page`, `.index`."""

import json
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import SCons.Node
from SCons.Action import Action

from ethosmith.core.files import write_text
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import BUILD, SelectedUseCase, image_folder
from ethosmith.graph.untold import untold

_INDEX = f"{BUILD}/report.htm"
# Too many to draw; what they need is drawn as needed by what they are for.
_NOT_DRAWN = ("CC", "CXX", "AR", "MANIFEST", "PAGE", "SIZE")
_COMMANDS = {"LINK": "$LINKCOM"}
_RAW = 2  # SCons's SUBST_SIG: without what is no part of a signature


def image_report(
    env: Any,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Any,
    compiled: Any,
    runs: Any,
) -> None:
    """Declare the page of one image, if the report is asked for.

    Args:
        env: the construction environment.
        usecase: what the image does.
        configuration: for which NPU.
        image: of `FirmwareImage`.
        compiled: of `CompiledNetwork`.
        runs: the nodes of NAME_result.json and NAME_verified.json.
    """
    if "report" not in env["SESSION"].targets:
        return
    # Nodes keep what they are made from once they are built, as in SCons's interactive mode.
    SCons.Node.interactive = True
    name = f"{image_folder(configuration)}/{usecase.variant}"
    result, verified = runs
    files = [f"{name}_way.json", f"{name}_times.json"]
    way = env.Command(files, [verified, *image.all], Action(_write_way, untold))
    env.AlwaysBuild(way)
    platform, manifest = env["PLATFORM"].path, f"{name}_manifest.json"
    named = {
        "way": way[0],
        "times": way[1],
        "manifest": manifest,
        "result": result,
        "verified": verified,
        "axf": image.axf,
        "map": image.map,
        "platform": platform,
        "per-layer": compiled.per_layer,
        "accuracy": env.AccuracyResult(usecase, configuration),
    }
    named = {option: node for option, node in named.items() if node is not None}
    page = env.Step(
        "ethosmith.report.page",
        target=f"{name}_report.htm",
        source=[node if not isinstance(node, Path) else str(node) for node in named.values()],
        options=[
            *(word for option, node in named.items() for word in (f"--{option}", node)),
            *("--index", _INDEX, "--output", f"{name}_report.htm"),
        ],
        say=f"REPORT    {name}_report.htm",
        cacheable=False,
    )
    env["REPORT_PAGES"].append(page[0])


def report_index(env: Any) -> None:
    """Declare the alias ``report``: all pages, then the index of everything that is built."""
    if "report" not in env["SESSION"].targets:
        return
    # Images of earlier builds are in the index too, so it is written whenever it is asked for.
    index = env.Step(
        "ethosmith.report.index",
        target=_INDEX,
        source=env["REPORT_PAGES"],
        options=["--build", BUILD, "--output", _INDEX],
        say=f"REPORT    {_INDEX}",
        cacheable=False,
    )
    env.AlwaysBuild(index)
    env.Alias("report", [*env["REPORT_PAGES"], index])
    env.AlwaysBuild(env.Alias("report", [], Action(_say, untold)))


def _say(target: Any, source: Any, env: Any) -> None:
    del target, source, env
    sys.stdout.write(f"\nOpen {_INDEX} in a browser.\n")


@dataclass
class _Walk:
    """The drawn steps found so far, needs first, and for each executor what to draw for it."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    drawn: dict[int, frozenset[int]] = field(default_factory=dict)


def _write_way(target: Any, source: Any, env: Any) -> None:
    """Write the steps on the way to ``source``, as SCons knows them now that all is built.

    How long they took is no property of the image, and stands in a file of its own.
    """
    walk = _Walk()
    for node in source:
        _visit(node, walk)
    known = env["SHOWN"].times.all()
    first_outputs = [step["outputs"][0] for step in walk.steps]
    times = {output: known[output] for output in first_outputs if output in known}
    for path, content in zip(target, (walk.steps, times), strict=True):
        write_text(Path(str(path)), json.dumps(content, indent=1) + "\n")


def _visit(node: Any, walk: _Walk) -> frozenset[int]:
    """Return the indices of the drawn steps that ``node`` comes from."""
    if not node.has_builder() or node.get_executor() is None:
        return frozenset()
    key = id(node.get_executor())
    if key not in walk.drawn:
        needs = frozenset(i for child in node.children() for i in _visit(child, walk))
        walk.drawn[key] = _draw(node, needs, walk)
    return walk.drawn[key]


def _draw(node: Any, needs: frozenset[int], walk: _Walk) -> frozenset[int]:
    executor = node.get_executor()
    targets, sources = executor.get_all_targets(), executor.get_all_sources()
    own = node.get_build_env()
    is_step = "STEP_SAY" in own
    # What SCons's own builders run begins with the tool's variable: $CC, $LINK.
    verb, _, name = str(own["STEP_SAY"] if is_step else executor).partition(" ")
    verb = verb.removeprefix("$")
    if verb in _NOT_DRAWN or not (is_step or verb in _COMMANDS) or _is_package(targets):
        return needs
    if is_step:
        command = shlex.join(["python", *own["STEP_ARGUMENTS"]])
    else:
        name, command = str(targets[0]), own.subst(_COMMANDS[verb], _RAW, targets, sources)
    walk.steps.append(
        {
            "verb": verb,
            "name": name.strip(),
            "command": command,
            "inputs": sorted({str(source) for source in sources}),
            "outputs": [str(target) for target in targets],
            "needs": sorted(needs),
        }
    )
    return frozenset({len(walk.steps) - 1})


def _is_package(targets: Any) -> bool:
    return str(targets[0]).startswith(f"{BUILD}/packages/")


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing but Python packages of the project."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `ImageReport` and `ReportIndex`."""
    env["REPORT_PAGES"] = []
    env.AddMethod(image_report, "ImageReport")
    env.AddMethod(report_index, "ReportIndex")
