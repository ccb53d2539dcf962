# SPDX-License-Identifier: Apache-2.0
"""Make the folder of a new use case: scons new usecase=NAME template=image."""

import sys
from typing import Any

from SCons.Action import Action

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.options import words
from ethosmith.graph.session import Session
from ethosmith.scaffold.names import check_new_name

_OPTIONS = ("template", "like", "model", "labels", "samples")


def new_usecase(env: Any) -> None:
    """Declare the alias ``new``.

    Raises:
        EthosmithError: another target beside it, no single name, or neither template nor model.
    """
    session: Session = env["SESSION"]
    if "new" not in session.targets:
        _check_unused(session)
        return
    names = words(session.values["usecase"])
    if len(session.targets) != 1:
        raise EthosmithError("new goes alone: first make the use case, then build it")
    if len(names) != 1 or names == ["all"]:
        raise EthosmithError("new needs one name: usecase=door template=image")
    check_new_name(names[0])
    given = {name: session.values[name] for name in _OPTIONS if session.values[name]}
    if len({"template", "like"} & given.keys()) != 1:
        raise EthosmithError(
            "new starts from one thing: template=image, audio or vector, or like= one of"
            f" {', '.join(session.project.usecase_names)}"
        )
    command = [sys.executable, "-m", "ethosmith.scaffold.new_usecase", "--name", names[0]]
    command += [f"--{name}={value}" for name, value in given.items()]

    def make(target: Any, source: Any, env: Any) -> int:
        del target, source
        code: int = env["SHOWN"].run(command, env["ENV"])
        return code

    env.AlwaysBuild(env.Alias("new", [], Action(make, f"NEW       usecases/{names[0]}")))


def _check_unused(session: Session) -> None:
    for option in ("template", "like"):
        if session.values[option]:
            raise EthosmithError(f"{option}= goes with new: scons new usecase=NAME {option}=...")


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `NewUseCase`."""
    env.AddMethod(new_usecase, "NewUseCase")
