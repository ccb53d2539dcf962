# SPDX-License-Identifier: Apache-2.0
"""Find what is wrong with a model before anything is made from it.

The build's steps check the same; they come to it after the samples, the host program and the
quantisation. Here a file is read as it is, within a second or two: what TensorFlow would have to
tell stays unknown, and so does what a crash or a time-out prevents. Each kind of file imports what
it needs, since importing everything would take as long as the check.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import (
    MAX_MODEL_BYTES,
    TFLITE_SUFFIX,
    parsing,
    read_bytes,
    write_bytes,
    write_text,
)

if TYPE_CHECKING:
    from ethosmith.models.tensor_spec import NetworkSpec


@dataclass(frozen=True)
class Question:
    """What a build is about to do with a model.

    Attributes:
        model: .h5, .keras or .tflite.
        source: where it is fetched from, if it is not there yet: from the download cache only.
        pattern: the sizes that the pre-processing can fill; none: every network fits.
        usecase: the descriptor, for messages.
        label_count: values that the first output must have; 0: it has no labels.
        vela: the options of the step compile-with-vela, if operators must all be on the NPU.
        platform: the platform.yaml, whose regions must hold what Vela makes.
        board: the file of ``board=``, whose regions must hold it too; none: no board is named.
    """

    model: str
    source: Mapping[str, Any] | None
    pattern: Sequence[int | str] | None
    usecase: str
    label_count: int
    vela: Mapping[str, Any] | None
    platform: str
    board: str | None = None

    @property
    def text(self) -> str:
        """The question as JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def problem_of(question: Question) -> str:
    """Return what is wrong, in one line or a table; nothing if it is sound or unknown."""
    from ethosmith.steps.obtain_file import ObtainFile

    with tempfile.TemporaryDirectory(prefix="preflight-") as temporary:
        folder, model = Path(temporary), Path(question.model)
        if question.source is not None:
            model = folder / model.name
            try:
                ObtainFile(source=question.source, output=model, offline=True).run()
            except EthosmithError:
                return ""  # it has to be fetched first
        try:
            if model.suffix.lower() == TFLITE_SUFFIX:
                _check_tflite(question, model, folder)
            else:
                _check_keras(question, model)
        except EthosmithError as error:
            return str(error).replace(str(model), question.model)
    return ""


def _check_keras(question: Question, model: Path) -> None:
    from ethosmith.models.input_shape import check_shapes, keras_configuration
    from ethosmith.models.quantise import check_label_count

    shown = Path(question.model)
    try:
        shape, outputs = keras_configuration(model)
    except EthosmithError:
        return  # TensorFlow reads it, and says what is wrong with it
    if question.pattern is not None and shape is not None:
        check_shapes(shown, [shape], question.pattern, question.usecase)
    if question.label_count and outputs:
        check_label_count(shown, outputs, question.label_count)


def _check_tflite(question: Question, model: Path, folder: Path) -> None:
    from ethosmith.models.input_shape import check_shapes
    from ethosmith.models.int8_check import quantised_activations, spec_of, verify_tflite
    from ethosmith.models.quantise import check_label_count
    from ethosmith.models.tflite_rewrite import rewritten

    network = rewritten(read_bytes(model, limit_bytes=MAX_MODEL_BYTES), str(model)).content
    parsed = verify_tflite(network, str(model))
    spec = spec_of(parsed, str(model))
    if question.pattern is not None:
        shapes = [one.shape for one in spec.inputs]
        check_shapes(model, shapes, question.pattern, question.usecase)
    if question.label_count:
        check_label_count(model, spec.outputs[0].element_count, question.label_count)
    if question.vela is not None and quantised_activations(parsed):
        _check_compiled(question, network, spec, folder)


def _check_compiled(question: Question, network: bytes, spec: NetworkSpec, folder: Path) -> None:
    """Compile the int8 network: what stays on the CPU, and whether it fits the regions."""
    from ethosmith.models.compiled import read_compiled
    from ethosmith.steps.compile_with_vela import CompileWithVela

    source, raw = folder / f"int8{TFLITE_SUFFIX}", folder / "vela.npz"
    write_bytes(source, network)
    step = CompileWithVela(
        network=source,
        network_name=source.stem,
        summary=folder / "summary.csv",
        per_layer=folder / "per-layer.csv",
        operators=folder / "operators.json",
        raw=raw,
        **(question.vela or {}),
    )
    try:
        step.run()
    except EthosmithError as error:
        raise EthosmithError(str(error).replace(str(source), question.model)) from None
    compiled = read_compiled(raw, spec)
    sizes = {
        "command_stream": len(compiled.command_stream),
        "weights": len(compiled.weights),
        "scratch": compiled.scratch.size_bytes,
        "scratch_fast": compiled.scratch_fast.size_bytes,
    }
    _check_regions(question, step.memory_mode, sizes)


def _check_regions(question: Question, memory_mode: str, sizes: Mapping[str, int]) -> None:
    """Check the regions of the platform, and those of a board that is named."""
    from ethosmith.descriptors.board_facts import load_board
    from ethosmith.descriptors.platform import load_platform
    from ethosmith.steps.check_board_fit import board_plan
    from ethosmith.steps.check_fit import check_fit, plan

    where = question.model
    try:
        check_fit(plan(load_platform(Path(question.platform)), memory_mode, sizes))
        if question.board is not None:
            board = load_board(Path(question.board))
            where += f" on board={board.name}"
            check_fit(board_plan(board, sizes))
    except EthosmithError as error:
        raise EthosmithError(f"{where}: {error}") from None


def main() -> int:
    """Answer the question in the first argument: write what is wrong to the file of the second.

    Vela writes to standard output, which is therefore not the place.
    """
    with parsing("preflight", "question"):
        question = Question(**json.loads(sys.argv[1]))
    write_text(Path(sys.argv[2]), problem_of(question))
    return 0


if __name__ == "__main__":
    sys.exit(main())
