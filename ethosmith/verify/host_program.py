# SPDX-License-Identifier: Apache-2.0
"""Call a use case's host program: the device's own pre- and post-processing, on this machine."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import signal_name
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec

_TIME_LIMIT_S = 120
_ERROR = "error: "
_LOG = "log "
_MAX_SHOWN = 1000
_shown: set[str] = set()
_ANSWER = re.compile(
    r'answer="(?P<text>[^"]*)" score=(?P<score>-?\d+\.\d+)(\ntop (?P<ranked>[^\n]+))?'
)


@dataclass(frozen=True)
class Answer:
    """What the application makes of the network's output.

    Attributes:
        score: as printed.
        ranked: the best answers with their scores, as printed; empty if it ranks none.
    """

    text: str
    score: str
    ranked: str = ""


def features(program: Path, sample_index: int, shape: Sequence[int]) -> bytes:
    """Return sample ``sample_index`` as the network's real input: float32, little endian.

    A sample of several windows gives one input after the other.

    Raises:
        EthosmithError: the program fails or does not end.
    """
    tensor = ["float32", "1", "0", _shape_text(shape)]
    return _run(program, ["preprocess", str(sample_index), *tensor], b"")


def features_of_file(program: Path, sample: Path, shape: Sequence[int]) -> bytes:
    """Return what `features` returns, for a file with a sample's bytes that is not baked in."""
    tensor = ["float32", "1", "0", _shape_text(shape)]
    return _run(program, ["preprocess-file", str(sample), *tensor], b"")


def quantised_inputs(program: Path, sample_index: int, specs: Sequence[TensorSpec]) -> bytes:
    """Return sample ``sample_index`` as the raw bytes of all input tensors, one after another.

    A sample of several windows gives those of the first, then those of the second, and so on.

    Raises:
        EthosmithError: as in `features`.
    """
    return _run(program, ["preprocess", str(sample_index), *_tensors(specs)], b"")


def inputs_of_file(program: Path, sample: Path, specs: Sequence[TensorSpec]) -> bytes:
    """Return what `quantised_inputs` returns, for a file with a sample's bytes.

    A float32 tensor of ``specs`` gets real values.
    """
    return _run(program, ["preprocess-file", str(sample), *_tensors(specs)], b"")


def answer_of_file(program: Path, sample: Path, outputs: bytes, network: NetworkSpec) -> Answer:
    """Return what `answer` returns, for a file with a sample's bytes."""
    return _answer(program, ["answer-file", str(sample)], outputs, network)


def answer(program: Path, sample_index: int, outputs: bytes, network: NetworkSpec) -> Answer:
    """Return what the application says to the raw output tensors, in the order of inputs.

    Each window's pre-processing goes before its post-processing, as on the device.

    Raises:
        EthosmithError: as in `features`, or an answer that is not one.
    """
    return _answer(program, ["answer", str(sample_index)], outputs, network)


def _answer(program: Path, command: list[str], outputs: bytes, network: NetworkSpec) -> Answer:
    tensors = [*_tensors(network.inputs), "to", *_tensors(network.outputs)]
    said = _run(program, [*command, *tensors], outputs).decode("utf-8", "replace")
    match = _ANSWER.fullmatch(said.strip())
    if match is None:
        raise EthosmithError(f"{program}: says '{said.strip()[:80]}' instead of an answer")
    return Answer(match["text"], match["score"], match["ranked"] or "")


def _reason(program: Path, code: int, stderr: bytes) -> str:
    """Return what the application says itself; else how its program ended."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    for line in lines:
        if line.startswith(_ERROR):
            return line.removeprefix(_ERROR)
    if code < 0:
        return f"{program}: the use case's own C++ ended by {signal_name(-code)}"
    return f"{program}: {lines[-1] if lines else f'exit code {code}'}"


def _tensors(specs: Sequence[TensorSpec]) -> list[str]:
    return [
        word
        for spec in specs
        for word in (
            *(spec.dtype, repr(spec.scale)),
            *(str(spec.zero_point), _shape_text(spec.shape)),
        )
    ]


def _shape_text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _run(program: Path, arguments: list[str], given: bytes) -> bytes:
    command = [str(program.resolve()), *arguments]
    done = run_within(command, _TIME_LIMIT_S, given=given)
    if done.returncode:
        raise EthosmithError(_reason(program, done.returncode, done.stderr))
    _show_log(done.stderr)
    return done.stdout


def _show_log(stderr: bytes) -> None:
    """Show the lines that the application logs, each once in a process."""
    for line in stderr.decode("utf-8", "replace").splitlines():
        if line.startswith(_LOG) and line not in _shown and len(_shown) < _MAX_SHOWN:
            _shown.add(line)
            sys.stdout.write(f"host: {line}\n")
