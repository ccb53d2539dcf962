# SPDX-License-Identifier: Apache-2.0
"""Tell at a build's end, however it ended, which images were verified: `ethosmith.report.junit`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from SCons.Node import executed, failed, up_to_date
from SCons.Script import GetBuildFailures

from ethosmith.core.files import write_text
from ethosmith.report.build_summary import BuiltImage
from ethosmith.report.junit import BoardCase, boards_xml

_NOT_REACHED = "the build stopped before"


def write_board_cases(env: Any, target: Path) -> None:
    """Write ``target`` from what SCons knows of the images' runs."""
    cases = [_case(env, image) for image in env["BUILT_IMAGES"]]
    write_text(target, boards_xml(cases))


def _case(env: Any, image: BuiltImage) -> BoardCase:
    node = env.File(image.verified)
    where = image.configuration.folder.as_posix().replace("/", ".")
    state = node.get_state()
    if state in {executed, up_to_date}:
        result = image.verified.removesuffix("_verified.json") + "_result.json"
        said = json.loads(Path(result).read_text("utf-8"))["uart"]
        return BoardCase(image.usecase, where, "passed", said=said)
    if state == failed:
        return BoardCase(image.usecase, where, "failed", message=_reason(node))
    return BoardCase(image.usecase, where, "not run", message=_NOT_REACHED)


def _reason(node: Any) -> str:
    needed = _needed_for(node)
    reasons = [f"{f.node}: {f.errstr}" for f in GetBuildFailures() if f.node in needed]
    return "; ".join(reasons) or f"{node} was not made"


def _needed_for(node: Any) -> set[Any]:
    """Return ``node`` and all that it is made from."""
    found: set[Any] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(_children(one))
    return found


def _children(node: Any) -> Iterable[Any]:
    return [] if node.get_state() == up_to_date else node.children()


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `WriteBoardCases`."""
    env.AddMethod(write_board_cases, "WriteBoardCases")
