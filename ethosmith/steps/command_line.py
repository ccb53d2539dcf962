# SPDX-License-Identifier: Apache-2.0
"""Run one step in this process: ``ethosmith step NAME SPEC``, or with options.

SPEC is JSON: a file, standard input (``-``), from which the build gives it, or the text itself,
as a verbose build shows it. By hand, each field of the step's class is an option.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.core.bounded_run import bounded_memory, max_memory_bytes
from ethosmith.core.errors import EthosmithError, did_you_mean
from ethosmith.core.files import read_text
from ethosmith.core.program import EXIT_ERROR, fail, run_step, signal_name
from ethosmith.steps.document import markdown, summary
from ethosmith.steps.step import OWN_PACKAGE, Field, Step, attribute_helps, fields_of

_STANDARD_INPUT = "-"
_IN_CHILD = "ETHOSMITH_STEP_IN_CHILD"
# Of the largest memory of a child: macOS counts bytes, Linux KiB.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_MAX_SPEC_BYTES = 1 << 24
_PLUMBING = {"command_line", "document", "fork_server", "step"}
_SERVE = "--serve"
_USAGE = "ethosmith step NAME [SPEC | options]"


def step_names() -> list[str]:
    """Return the names of our own steps, sorted."""
    modules = (path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return sorted(name.replace("_", "-") for name in modules if name not in _PLUMBING)


def step_class(name: str) -> type[Step]:
    """Return the class of a step: one of ours, or that of the module ``name``.

    Raises:
        EthosmithError: there is no such step, or its module cannot be imported.
    """
    own = name in step_names()
    module = f"{OWN_PACKAGE}.{name.replace('-', '_')}" if own else name
    try:
        found = importlib.import_module(module)
    except (ImportError, ValueError) as error:
        missing = getattr(error, "name", None) or name
        if f"{module}.".startswith(f"{missing}."):
            near = did_you_mean(name, step_names())
            raise EthosmithError(
                f"unknown step '{name}'{near}; 'ethosmith step' lists them; a step of your own goes"
                " by its module"
            ) from None
        raise EthosmithError(f"{module} cannot be imported: {error}") from None
    classes = [
        value
        for value in vars(found).values()
        if inspect.isclass(value) and issubclass(value, Step) and value.__module__ == module
    ]
    if len(classes) != 1:
        raise EthosmithError(f"{module} holds {len(classes)} step classes, expected 1")
    return classes[0]


def main(arguments: Sequence[str]) -> int:
    """Run the step that ``arguments`` name and return the exit code of its process."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(f"usage: {_USAGE}\n\n{_listing()}")
        return 0
    if list(arguments) == ["--markdown"]:
        sys.stdout.write(markdown(map(step_class, step_names())))
        return 0
    if arguments[0] == _SERVE:
        from ethosmith.steps.fork_server import serve  # only a server needs it

        return serve(arguments[1], int(arguments[2]), _packages_of, _run_in_fork)
    chosen: list[Step] = []
    code = run_step(lambda _: chosen.append(_chosen_step(arguments)))
    if code or not chosen:
        return code
    step = chosen[0]
    needs_child = step.traits.isolated or step.traits.environment
    if needs_child and os.environ.get(_IN_CHILD) != step.name():
        ended: list[int] = []
        return run_step(lambda _: ended.append(_run_in_child(step))) or ended[0]
    return _run_bounded(step) if needs_child else run_step(lambda _: step.run())


def _run_bounded(step: Step) -> int:
    with bounded_memory(max_memory_bytes()):
        return run_step(lambda _: step.run())


def _listing() -> str:
    width = max(map(len, step_names()))
    lines = (f"  {name:<{width}}  {summary(step_class(name))}\n" for name in step_names())
    return "".join(lines).replace("``", "")


def _chosen_step(arguments: Sequence[str]) -> Step:
    cls = step_class(arguments[0])
    if len(arguments) == 2 and not arguments[1].startswith("--") and arguments[1] != "-h":
        return _of_json(cls, arguments[1])
    given = vars(_parser(cls).parse_args(arguments[1:]))
    return _of_spec(cls, {name: value for name, value in given.items() if value is not None})


def _of_json(cls: type[Step], place: str) -> Step:
    if place.startswith("{"):
        text, place = place, "the specification"
    elif place == _STANDARD_INPUT:
        text = sys.stdin.read(_MAX_SPEC_BYTES + 1)
    else:
        text = read_text(Path(place), limit_bytes=_MAX_SPEC_BYTES)
    if len(text) > _MAX_SPEC_BYTES:
        raise EthosmithError(f"{place}: a step's specification has at most {_MAX_SPEC_BYTES} bytes")
    try:
        spec = json.loads(text)
    except ValueError as error:
        raise EthosmithError(f"{place}: not JSON: {error}") from None
    if not isinstance(spec, dict):
        raise EthosmithError(f"{place}: a step's specification is a JSON object")
    return _of_spec(cls, spec)


def _of_spec(cls: type[Step], spec: Mapping[str, Any]) -> Step:
    try:
        return cls.of_spec(spec)
    except ValueError as error:
        raise EthosmithError(str(error)) from None


def _run_in_child(step: Step) -> int:
    """Run a step of another environment, or one that a library it calls may end."""
    try:
        python = _python_of(step)
        # What a child leaves that a library ended is removed with its folder.
        with tempfile.TemporaryDirectory(prefix="step-", ignore_cleanup_errors=True) as scratch:
            status = _run_in_server(step, scratch)
            if status is None:
                # macOS's frameworks do not work in a fork.
                forks = python == sys.executable and sys.platform != "darwin"
                status = _forked(step, scratch) if forks else _started(step, python, scratch)
    except KeyboardInterrupt:
        return fail("interrupted")
    return fail(_ended_by(step, -status)) if status < 0 else status


def _variables_of(step: Step, scratch: str) -> dict[str, str]:
    return {**os.environ, _IN_CHILD: step.name(), "TMPDIR": scratch}


def _run_in_server(step: Step, scratch: str) -> int | None:
    """Run a step in a fork of a server that the build told of; None: there is none."""
    if not step.server:
        return None
    from ethosmith.steps.fork_server import run_in_server

    return run_in_server(step.name(), step.spec(), _variables_of(step, scratch))


def _started(step: Step, python: str, scratch: str) -> int:
    """Run a step in another interpreter; return its exit code, or minus the signal."""
    return subprocess.run(
        [python, "-m", "ethosmith", "step", step.name(), _STANDARD_INPUT],
        input=json.dumps(step.spec()),
        text=True,
        env=_variables_of(step, scratch),
        # It holds the build's lock, should this process be killed.
        close_fds=False,
        check=False,
    ).returncode


def _packages_of(name: str) -> tuple[str, ...]:
    return step_class(name).traits.packages


def _run_in_fork(name: str, spec: Mapping[str, Any]) -> int:
    """Run a step in a process of its own that a server forked."""
    return main([name, json.dumps(spec)])


def _forked(step: Step, scratch: str) -> int:
    """As `_started`, without starting and importing once more: no thread runs here yet."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except BaseException:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
    code = EXIT_ERROR
    try:
        os.environ[_IN_CHILD], os.environ["TMPDIR"] = step.name(), scratch
        tempfile.tempdir = None
        code = _run_bounded(step)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 a defect of ours; nothing must go on behind this
        traceback.print_exc()
    finally:
        os._exit(code)


def _ended_by(step: Step, number: int) -> str:
    """Return what is known of a child that a signal ended; those of others tell of no input."""
    name = signal_name(number)
    what = f"{step.name()} {step.title}".strip()
    if number == signal.SIGKILL:
        used_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _RSS_UNIT / 2**30
        # Of a child of another environment's server, nothing is known here.
        held = f" when it held up to {used_gib:.1f} GiB" if used_gib else ""
        return f"{what}: ended by {name}{held}; a system does so when its memory runs out"
    if number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        return f"{what}: another process ended it ({name})"
    return f"{step.crashed(name)} ({name})"


def _python_of(step: Step) -> str:
    if not step.traits.environment:
        return sys.executable
    from ethosmith.environment.locked import LockedEnvironment

    offline = getattr(step, "offline", False)
    return str(LockedEnvironment(step.traits.environment).python(offline=offline))


def _parser(cls: type[Step]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"ethosmith step {cls.name()}", description=summary(cls), allow_abbrev=False
    )
    helps = attribute_helps(cls)
    for one in fields_of(cls):
        parser.add_argument(
            f"--{one.name.replace('_', '-')}",
            dest=one.name,
            required=one.required,
            help=helps.get(one.name, one.kind).replace("``", "").replace("%", "%%"),
            **_conversion(one),
        )
    return parser


def _conversion(one: Field) -> dict[str, Any]:
    """Return how argparse reads a field: a word, several words, or JSON."""
    type_ = _without_none(one.type)
    if type_ is bool:
        return {"action": argparse.BooleanOptionalAction}
    if type_ in {str, int, float, Path}:
        return {"type": type_, "metavar": type_.__name__.upper()}
    if typing.get_origin(type_) is tuple and typing.get_args(type_)[0] in {str, Path}:
        return {"nargs": "*", "metavar": "WORD"}
    return {"type": _json, "metavar": "JSON"}


def _without_none(type_: Any) -> Any:
    if typing.get_origin(type_) in {types.UnionType, typing.Union}:
        return next(one for one in typing.get_args(type_) if one is not type(None))
    return type_


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
