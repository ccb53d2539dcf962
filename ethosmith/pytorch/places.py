# SPDX-License-Identifier: Apache-2.0
"""Where in the user's source an operator comes from, and what PyTorch says, in one line."""

from __future__ import annotations

import logging
import re
import sysconfig
import traceback
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_FRAME = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>[^\n]+))?')
_NOT_THE_USERS = ("site-packages", "dist-packages")
_OWN = Path(__file__).resolve().parent
NOWHERE = "unknown place"
# What Vela says of an operator whose strides, dilation or types it does not take.
_REFUSED = re.compile(r"operation \(\w*Conv2D\w*\) could not run on NPU")
_MAX_PLACES = 8
# What ExecuTorch says of an error in a pass, before it names all the passes that went before it.
_IN_PASS = re.compile(r"An error occurred when running the '(?P<name>\w+)' pass")
# The module of ethosmith.pytorch.export around a network whose channels are moved.
_WRAPPER = "ChannelsLast"


def quiet() -> None:
    """Silence what PyTorch's libraries tell their own developers, for this process.

    Errors too: they come with tracebacks and graphs, and are raised as well.
    """
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)


def place_in(stack_trace: str | None) -> str | None:
    """Return ``file:line`` of the innermost frame of the user's source; None: there is none."""
    found = None
    for match in _FRAME.finditer(stack_trace or ""):
        if _is_the_users(match["file"]):
            found = f"{_shown(match['file'])}:{match['line']}"
    return found


def place_of_error(error: BaseException) -> str | None:
    """Return where in the user's source ``error`` was raised; None: not below it."""
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if _is_the_users(frame.filename)]
    return f"{_shown(users[-1].filename)}:{users[-1].lineno}" if users else None


def place_of(node: Any) -> str:
    """Return the place of a node of a graph, or of the next one before it that has one.

    Where torch alone calls the operators (``nn.Sequential``), it is the module in the network.
    """
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        place = place_in(one.meta.get("stack_trace"))
        if place is not None:
            return place
        waiting += one.all_input_nodes
    return _module_of(node) or NOWHERE


def _module_of(node: Any) -> str | None:
    """Return the path and the type of the module that a node is from, such as ``3 (Softmax)``."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    wrapped = bool(stack) and _WRAPPER in str(stack[0][1])
    named = [(str(path), str(kind)) for path, kind in stack if path]
    if not named:
        return None
    path, kind = named[-1]
    if wrapped:
        path = path.partition(".")[2]
    name = kind.rpartition(".")[2].strip("'>")
    return f"{path} ({name})" if path else f"the network ({name})"


def among_places(said: str, places: Sequence[str]) -> str:
    """Return `` at`` and the places, if Vela says that it refuses a convolution; or nothing."""
    if not _REFUSED.search(said) or not places:
        return ""
    return f" at {' or '.join(places[:_MAX_PLACES])}"


def keep_places_only(nodes: Iterable[Any]) -> None:
    """Leave of each node's metadata what does not tell where this checkout, or PyTorch, lies."""
    for node in nodes:
        node.meta.pop("from_node", None)
        place = place_in(node.meta.pop("stack_trace", None))
        if place is not None:
            file, _, line = place.rpartition(":")
            node.meta["stack_trace"] = f'File "{file}", line {line}'


def reason_of(error: BaseException) -> str:
    """Return what ``error`` says, in one line, with its type if it is the user's own."""
    name = type(error)
    is_torchs = name.__module__.partition(".")[0] == "torch" or name is RuntimeError
    return first_line(error) if is_torchs else f"{name.__name__}: {first_line(error)}"


def first_line(error: BaseException) -> str:
    """Return what ``error`` says, in one line; of an error in a pass, what made that fail."""
    match = _IN_PASS.match(str(error))
    if match and error.__cause__ is not None:
        return f"{first_line(error.__cause__)} (in ExecuTorch's {match['name']})"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _is_the_users(file: str) -> bool:
    path = Path(file)
    if file.startswith("<") or set(_NOT_THE_USERS) & set(path.parts):
        return False
    library = Path(sysconfig.get_paths()["stdlib"])
    return _OWN not in path.parents and library not in path.parents


def _shown(file: str) -> str:
    """Return the file's path in the project, or its name alone."""
    path = Path(file)
    if not path.is_absolute():
        return file
    here = Path.cwd()
    return path.relative_to(here).as_posix() if here in path.parents else path.name
