# SPDX-License-Identifier: Apache-2.0
"""Refuse what cannot work before anything is made: within a second or two of the command.

A model is read by a process of its own, so that no file can end the build's. What was found sound
is remembered; nothing is asked twice, and where nothing can be told, the build's own steps tell.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import tempfile
from pathlib import Path

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import KERAS_SUFFIXES, TFLITE_SUFFIX, read_json, read_text, write_text
from ethosmith.graph.build import Build
from ethosmith.graph.layout import NOTES, SelectedUseCase
from ethosmith.graph.options import WITHOUT_USECASES
from ethosmith.images.card import boards_of

_VELA, _VELA_MAJOR = "ethos-u-vela", "5."
_CHECK = "ethosmith.graph.model_check"
_SOUND = "preflight.json"
_MAX_REMEMBERED = 200
# What takes longer is no help.
_LIMIT_S = 20
_MAX_PROBLEM_BYTES = 64 << 10
_SUFFIXES = (*KERAS_SUFFIXES, TFLITE_SUFFIX)


def check_model(build: Build, usecase: SelectedUseCase, model: Path) -> None:
    """Check a use case's model against its labels, its input, the NPU and the memory.

    Args:
        build: of the use case; with ``-k``, the others are built first.
        usecase: what its descriptor expects.
        model: as it comes.

    Raises:
        EthosmithError: it cannot work.
    """
    if not _builds(build) or model.suffix.lower() not in _SUFFIXES:
        return
    check_vela(build)
    question = _question(build, usecase, model)
    session = build.session
    # What is remembered decides nothing: the model itself is an input of the build.
    with session.record.paused() if session.record is not None else contextlib.nullcontext():
        key = _key(build, question)
        notes = build.project.root / NOTES / _SOUND
        sound = _remembered(notes)
        if key is None or key in sound:
            return
        problem = _ask(build, question)
        if problem:
            raise EthosmithError(problem)
        if problem is not None:
            with contextlib.suppress(OSError, EthosmithError):
                write_text(notes, json.dumps([*sound, key][-_MAX_REMEMBERED:]) + "\n")


def check_vela(build: Build) -> None:
    """Check that Vela is of the major version whose outputs are read here.

    Raises:
        EthosmithError: it is of another.
    """
    version = build.packages.versions([_VELA]).get(_VELA, "")
    if version and not version.startswith(_VELA_MAJOR):
        raise EthosmithError(
            f"{_VELA} {version} is installed; the driver, the NPU model and the readers are for"
            f" {_VELA_MAJOR}x: pip install '{_VELA}=={_VELA_MAJOR}*'"
        )


def check_card(build: Build, card: Path) -> None:
    """Check before the build that a card is there and its board boots this platform's FPGA image.

    Raises:
        EthosmithError: the card is none, or another board's.
    """
    expected = build.platform.descriptor.card
    if expected is not None and not (build.engine.is_dry or build.engine.is_cleaning):
        boards_of(expected, card)


def _builds(build: Build) -> bool:
    engine, targets = build.engine, set(build.session.targets)
    goes_on = engine.is_dry or engine.is_cleaning or engine.keeps_going
    return not goes_on and not (targets and targets <= WITHOUT_USECASES)


def _question(build: Build, usecase: SelectedUseCase, model: Path) -> str:
    origin = usecase.descriptor.model.source
    fetched = usecase.model_path is None and not origin.path
    document = {
        "model": str(model),
        "source": build.project.source_of(origin) if fetched else None,
        "pattern": usecase.descriptor.model.input_shape,
        "usecase": str(usecase.path),
        "label_count": len(usecase.labels),
        "vela": _vela(build, usecase),
        "platform": str(build.platform.path),
        "board": str(build.session.board.path) if build.session.board is not None else None,
    }
    return json.dumps(document, sort_keys=True)


def _vela(build: Build, usecase: SelectedUseCase) -> dict[str, object] | None:
    """Return how Vela compiles for the first configuration; None: the CPU may run operators."""
    first = build.session.configurations[0]
    if first.accelerator is None or first.runtime.has_cpu_kernels:
        return None
    return {
        "accelerator_config": first.npu_name,
        "system_config": first.system_config,
        "memory_mode": first.memory_mode,
        "optimise": usecase.descriptor.vela.optimise,
        "arena_cache_size_bytes": usecase.descriptor.vela.arena_cache_size_bytes,
    }


def _key(build: Build, question: str) -> str | None:
    """Return what a question is remembered by; None: there is no such file yet."""
    asked = json.loads(question)
    content = ""
    if asked["source"] is None:
        path = build.project.root / asked["model"]
        if not path.is_file():
            return None
        content = build.session.identity.sha256(path)
    read = [asked[name] for name in ("platform", "board") if asked[name] is not None]
    hashes = [build.session.identity.sha256(build.project.root / path) for path in read]
    return hashlib.sha256("\n".join((question, content, *hashes)).encode()).hexdigest()


def _remembered(notes: Path) -> list[str]:
    try:
        found = read_json(notes) if notes.is_file() else []
    except EthosmithError:
        return []
    return [str(one) for one in found] if isinstance(found, list) else []


def _ask(build: Build, question: str) -> str | None:
    """Return what is wrong; empty: nothing that is known; None: it cannot be told."""
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        answer = Path(folder, "answer.txt")
        try:
            done = run_within(
                [sys.executable, "-m", _CHECK, question, str(answer)],
                _LIMIT_S,
                folder=build.project.root,
                environment=build.session.process_environment,
            )
            if done.returncode:
                return None
            return read_text(answer, limit_bytes=_MAX_PROBLEM_BYTES)
        except EthosmithError:
            return None
