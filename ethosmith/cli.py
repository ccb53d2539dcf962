# SPDX-License-Identifier: Apache-2.0
"""The commands ``ethosmith`` and ``./scons``: SCons in the project that they are called in.

    ethosmith [TARGET | USE CASE | PATH ...] [name=value ...]
    ethosmith step NAME [SPEC | options]     one step of a build
    ethosmith board [options]                the board simulator, as the command open-board
    ethosmith doctor [format=json]           what is installed, what is missing, what to type
    ethosmith completion SHELL               for bash, zsh or fish: print what it has to run
    ethosmith environment pytorch            install PyTorch now, not with the first such network
    ethosmith schemas                        write schemas/, and in a clone what docs/ has of tables
    ethosmith --version

The project is the folder that it is called in, or the nearest one above it, with an SConstruct or
a folder ``usecases``; without an SConstruct, Ethosmith's own graph builds it. In a clone called
from elsewhere it is the clone. Paths on the command line are relative to where it was typed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ethosmith import __version__
from ethosmith.core.terminal import protect_streams
from ethosmith.environment import null_build

_EXIT_USER_ERROR = 2
_SCONSTRUCTS = ("SConstruct", "Sconstruct", "sconstruct", "SConstruct.py", "sconstruct.py")
_USECASES = "usecases"
# Options with which SCons itself is told where the project is.
_PLACING = re.compile(
    r"-[A-Za-z]*[CDUYfu]|--(directory|up|search-up|file|makefile|sconstruct|srcdir|repository)(=|$)"
)
_HELP = {"-h", "--help", "-H", "--help-options"}
_NEW, _DOCTOR, _WATCH = "new", "doctor", "watch"


def main(words: Sequence[str], *, is_first: bool = True) -> int:
    """Do what ``words`` ask for and return the exit code.

    Args:
        words: the command line behind the program's name.
        is_first: nobody has looked yet whether the build needs SCons at all.
    """
    protect_streams()
    own = {
        "step": _run_step,
        "board": _run_board,
        "completion": _complete,
        "environment": _make_environment,
    }
    if words and words[0] in own:
        return own[words[0]](words[1:])
    if _DOCTOR in words and not _HELP.intersection(words):
        from ethosmith.environment.doctor import main as examine  # noqa: PLC0415

        return examine([word for word in words if word != _DOCTOR])
    if _WATCH in words and not _HELP.intersection(words):
        return _watch([word for word in words if word != _WATCH])
    if list(words) == ["schemas"]:
        return _write_references(Path.cwd())
    if list(words) == ["--version"]:
        from importlib.metadata import version  # noqa: PLC0415 it reads mail's headers

        sys.stdout.write(f"ethosmith {__version__} (SCons {version('scons')})\n")
        return 0
    return _build(list(words), is_first=is_first)


def command() -> int:
    """Run the command ``ethosmith``."""
    return main(sys.argv[1:])


def _run_step(words: Sequence[str]) -> int:
    from ethosmith.steps.command_line import main as run_step  # noqa: PLC0415 in every step

    return run_step(words)


def _run_board(words: Sequence[str]) -> int:
    from open_board.cli import main as run_board  # noqa: PLC0415

    return run_board(words)


def _make_environment(words: Sequence[str]) -> int:
    from ethosmith.core.errors import EthosmithError  # noqa: PLC0415 only here, as all of these
    from ethosmith.core.program import fail  # noqa: PLC0415
    from ethosmith.environment.locked import NAMES, LockedEnvironment  # noqa: PLC0415

    if len(words) != 1 or words[0] not in NAMES:
        return fail(f"environment needs one name: {' or '.join(NAMES)}")
    try:
        sys.stdout.write(f"{LockedEnvironment(words[0]).python()}\n")
    except EthosmithError as error:
        return fail(str(error))
    return 0


def _watch(words: Sequence[str]) -> int:
    from ethosmith.environment.watch import main as watch  # noqa: PLC0415

    here = Path.cwd()
    root = find_project(here)
    return _outside(here, words) if root is None else watch(words, root)


def _complete(words: Sequence[str]) -> int:
    from ethosmith.core.errors import EthosmithError  # noqa: PLC0415 only here, as all of these
    from ethosmith.core.program import fail  # noqa: PLC0415
    from ethosmith.graph.help import completion_script  # noqa: PLC0415
    from ethosmith.graph.project import Project  # noqa: PLC0415

    if len(words) != 1:
        return fail("completion needs the name of a shell: bash, zsh or fish")
    try:
        sys.stdout.write(
            completion_script(words[0], Project(find_project(Path.cwd()) or Path.cwd()))
        )
    except EthosmithError as error:
        return fail(str(error))
    return 0


def _write_references(root: Path) -> int:
    """Write what is generated from descriptors' classes, options and steps."""
    from ethosmith.core.files import write_text  # noqa: PLC0415 only here, as all of these
    from ethosmith.core.program import fail  # noqa: PLC0415
    from ethosmith.descriptors import reference  # noqa: PLC0415
    from ethosmith.descriptors.reference import schema_files  # noqa: PLC0415
    from ethosmith.graph import help as command_line  # noqa: PLC0415
    from ethosmith.installation import DESCRIPTOR_ROOT  # noqa: PLC0415
    from ethosmith.steps.command_line import step_class, step_names  # noqa: PLC0415
    from ethosmith.steps.document import markdown  # noqa: PLC0415

    texts = {root / "schemas" / name: text for name, text in schema_files()}
    docs = root / "docs"
    if root == DESCRIPTOR_ROOT:
        texts[docs / "reference.md"] = reference.reference()
        texts[docs / "command-line.md"] = command_line.reference()
        texts[docs / "steps.md"] = markdown(map(step_class, step_names()))
    try:
        for path, text in texts.items():
            write_text(path, text)
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}")
    return 0


def _build(words: list[str], *, is_first: bool) -> int:
    _set_environment()
    here = Path.cwd()
    if any(map(_PLACING.match, words)):
        return _run_scons(here, words)
    folder = find_project(here)
    if folder is None and _NEW in words:
        folder = here
    if folder is None:
        return _outside(here, words)
    if not _has_sconstruct(folder):
        from ethosmith.installation import SCONSTRUCT  # noqa: PLC0415

        words, is_first = [null_build.OWN_GRAPH + SCONSTRUCT, *words], True
    if is_first and folder == here and null_build.answers(words):
        return 0
    return _run_scons(folder, words)


def _outside(here: Path, words: Iterable[str]) -> int:
    """Answer where there is no project."""
    if _HELP.intersection(words):
        from ethosmith.graph.help import help_text  # noqa: PLC0415 only here
        from ethosmith.graph.project import Project  # noqa: PLC0415

        known = Project(here)
        sys.stdout.write(help_text(known.usecase_names))
        return 0
    sys.stderr.write(
        f"error: {here}: no project here or above: expected an SConstruct or a folder usecases/;"
        " begin one with 'ethosmith new usecase=door template=vector' (or image, audio)\n"
    )
    return _EXIT_USER_ERROR


def find_project(here: Path) -> Path | None:
    """Return the folder of the project that ``here`` is in; None if there is none.

    A folder above counts only if it is the user's own: what it holds is code that runs.
    """
    for folder in (here, *here.parents):
        if _is_project(folder) and (folder == here or _is_own(folder)):
            return folder
    from ethosmith.installation import CLONE  # noqa: PLC0415

    return CLONE


def _is_project(folder: Path) -> bool:
    return _has_sconstruct(folder) or (folder / _USECASES).is_dir()


def _has_sconstruct(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _SCONSTRUCTS)


def _is_own(folder: Path) -> bool:
    paths = (path for name in (*_SCONSTRUCTS, _USECASES) if (path := folder / name).exists())
    return all(path.stat().st_uid in {0, os.geteuid()} for path in (folder, *paths))


def _set_environment() -> None:
    """Let the programs of this Python's environment be found, and SCons keep to what we print."""
    programs = str(Path(sys.executable).parent)
    search_path = os.environ.get("PATH", os.defpath)
    if programs not in search_path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join((programs, search_path))
    flags = os.environ.get("SCONSFLAGS", "").split()
    if "-Q" not in flags:
        os.environ["SCONSFLAGS"] = " ".join(["-Q", *flags])


def _run_scons(folder: Path, words: Sequence[str]) -> int:
    """Run SCons in ``folder``; it knows from where it was called."""
    import SCons.Script  # noqa: PLC0415 it notes the folder of the call now

    os.chdir(folder)
    sys.argv[1:] = words
    SCons.Script.main()
    return 0
