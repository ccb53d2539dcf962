# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro's own networks with golden data, on the NPU model and in the host's TFLM.

Each folder of its integration tests holds networks ``NAME.tflite`` and beside each, in lines of
comma-separated integers, its inputs ``NAME_input0_int16.csv``, ``NAME_input1_int32.csv`` and so
on, and its output ``NAME_golden_int16.csv``; a file's name ends with its element type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes
from ethosmith.core.terminal import captured_output
from ethosu_model.config import AcceleratorConfig
from ethosu_model.errors import ModelError
from ethosu_model.harness import HostRunner, NpuJobError, RawModel, RawTensor

# Of TensorFlow Lite Micro's repository.
NETWORKS = Path("tensorflow/lite/micro/integration_tests/seanet")

Array = NDArray[Any]

_TYPES = ("int8", "int16", "int32")
_SEPARATORS = re.compile(r"[\s,]+")
_ARENA_BYTES = 16 << 20
# Vela's mark of an input that is not read is 2^64 - 1; numpy may have rounded it.
_NO_OFFSET = 1 << 32
_ALIGNMENT_BYTES = 16


@dataclass(frozen=True)
class UpstreamCase:
    """A network with its golden data.

    Attributes:
        name: folder and stem, such as ``add/add0``.
        network: the .tflite.
        inputs: files of its inputs, in the network's order.
        golden: file of its output.
    """

    name: str
    network: Path
    inputs: tuple[Path, ...]
    golden: Path


@dataclass(frozen=True)
class NpuSetting:
    """What Vela compiles for: the NPU, and its names of timing and places."""

    accelerator: AcceleratorConfig
    system_config: str
    memory_mode: str


@dataclass(frozen=True)
class Found:
    """What came of a case.

    Attributes:
        on_npu: whether the whole network was on the NPU; else it ran in the host's TFLM alone.
        problem: how it is unlike the golden data; empty: equal.
    """

    on_npu: bool
    problem: str = ""


def upstream_cases(tree: Path) -> list[UpstreamCase]:
    """Return all cases of a source tree of TensorFlow Lite Micro, ordered by name.

    Raises:
        EthosmithError: there are none, or one lacks a file.
    """
    folder = tree / NETWORKS
    found = [_case(folder, network) for network in sorted(folder.glob("*/*.tflite"))]
    if not found:
        raise EthosmithError(f"{tree}: there are no networks in {NETWORKS}/*/")
    return found


def _case(folder: Path, network: Path) -> UpstreamCase:
    inputs: list[Path] = []
    while (one := _data_file(network, f"input{len(inputs)}")) is not None:
        inputs.append(one)
    golden = _data_file(network, "golden")
    missing = "input0" if not inputs else "golden"
    if not inputs or golden is None:
        raise EthosmithError(
            f"{network}: expected {network.stem}_{missing}_TYPE.csv beside it, with TYPE one of"
            f" {', '.join(_TYPES)}"
        )
    name = network.relative_to(folder).with_suffix("").as_posix()
    return UpstreamCase(name, network, tuple(inputs), golden)


def _data_file(network: Path, role: str) -> Path | None:
    paths = (network.with_name(f"{network.stem}_{role}_{kind}.csv") for kind in _TYPES)
    return next((path for path in paths if path.is_file()), None)


def read_elements(path: Path) -> Array:
    """Return the integers of a data file, in the element type that ends its name.

    Raises:
        EthosmithError: the file is damaged, or an integer is none of that type.
    """
    kind = np.dtype(path.stem.rpartition("_")[2])
    text = read_bytes(path, limit_bytes=MAX_MODEL_BYTES).decode("ascii", "replace")
    words = [word for word in _SEPARATORS.split(text) if word]
    try:
        values = np.array([int(word) for word in words], np.int64)
    except (OverflowError, ValueError) as error:
        raise EthosmithError(f"{path}: expected integers: {error}") from None
    limits = np.iinfo(kind)
    if values.size and not limits.min <= values.min() <= values.max() <= limits.max:
        raise EthosmithError(f"{path}: an integer is no {kind.name}")
    return values.astype(kind)


# Compiles a network; None: operators stay on the CPU. EthosmithError: the compiler refuses it.
Compile = Callable[[Path, NpuSetting], RawModel | None]


def run_case(case: UpstreamCase, setting: NpuSetting, compile_network: Compile) -> Found:
    """Run a case on the NPU model if all of it goes there, and always in the host's TFLM.

    Raises:
        EthosmithError: a file of the case is damaged.
    """
    inputs, golden = [read_elements(path) for path in case.inputs], read_elements(case.golden)
    host = _problem(golden, _run_on_host(case, inputs))
    try:
        model = compile_network(case.network, setting)
    except EthosmithError as error:
        return Found(on_npu=True, problem=str(error))
    if model is None:
        return Found(on_npu=False, problem=host and f"the host's TFLM: {host}")
    try:
        runner = HostRunner(_with_unread_inputs(model), setting.accelerator)
        on_npu = _problem(golden, runner.run(_taken(model, inputs))[0].tobytes())
    except (ModelError, NpuJobError) as error:
        on_npu = f"the job failed: {error}"
    problems = {"the NPU": on_npu, "the host's TFLM": host}
    told = [f"{where}: {problem or 'equal'}" for where, problem in problems.items()]
    return Found(on_npu=True, problem="; ".join(told) if on_npu or host else "")


def _problem(golden: Array, got: bytes) -> str:
    """Say how an output's bytes are unlike the golden data; empty: they are equal."""
    if len(got) != golden.nbytes:
        return f"the output has {len(got)} bytes, the golden data {golden.nbytes}"
    gaps = np.abs(np.frombuffer(got, golden.dtype).astype(np.int64) - golden.astype(np.int64))
    different = int(np.count_nonzero(gaps))
    if not different:
        return ""
    return f"{different} of {gaps.size} elements differ, by at most {int(gaps.max())}"


def _run_on_host(case: UpstreamCase, inputs: Sequence[Array]) -> bytes:
    """Return the output's bytes of the host's TFLM, with its reference kernels."""
    from tflite_micro.python.tflite_micro import runtime  # noqa: PLC0415 slow

    network = read_bytes(case.network, limit_bytes=MAX_MODEL_BYTES)
    try:
        with captured_output():
            interpreter = runtime.Interpreter.from_bytes(network, arena_size=_ARENA_BYTES)
            for index, values in enumerate(inputs):
                shape = interpreter.get_input_details(index)["shape"]
                interpreter.set_input(values.reshape(shape), index)
            interpreter.invoke()
            return np.ascontiguousarray(interpreter.get_output(0)).tobytes()
    except Exception as error:  # noqa: BLE001 its extension raises several kinds
        line = " ".join(str(error).split())
        raise EthosmithError(f"{case.network}: the host's TFLM cannot run it: {line}") from None


def _taken(model: RawModel, inputs: Sequence[Array]) -> list[Array]:
    """Return the inputs that the compiled network has: Vela may drop those that nothing reads.

    Raises:
        NpuJobError: its inputs are not some of these, in their order.
    """
    taken: list[Array] = []
    for values in inputs:
        if len(taken) < len(model.inputs) and values.nbytes == model.inputs[len(taken)].size_bytes:
            taken.append(values)
    if len(taken) < len(model.inputs):
        sizes = [tensor.size_bytes for tensor in model.inputs]
        raise NpuJobError(f"it takes inputs of {sizes} bytes, not of those of the input files")
    return taken


def _with_unread_inputs(model: RawModel) -> RawModel:
    """Give inputs that the NPU never reads a place behind the scratch memory."""
    inputs: list[RawTensor] = []
    scratch_bytes = model.scratch_bytes
    for tensor in model.inputs:
        if tensor.offset >= _NO_OFFSET:
            at = -(-scratch_bytes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
            tensor = replace(tensor, region=model.scratch_region, offset=at)  # noqa: PLW2901
            scratch_bytes = at + tensor.size_bytes
        inputs.append(tensor)
    return replace(model, inputs=tuple(inputs), scratch_bytes=scratch_bytes)


def report_lines(
    cases: Sequence[UpstreamCase], setting: NpuSetting, compile_network: Compile
) -> Iterator[tuple[str, bool]]:
    """Run all cases; yield a line for each unlike its golden data, and a last one with the sums.

    Yields:
        The line, and whether it tells of a failure.
    """
    equal = {True: 0, False: 0}
    for case in cases:
        try:
            found = run_case(case, setting, compile_network)
        except EthosmithError as error:
            found = Found(on_npu=False, problem=str(error))
        if found.problem:
            yield f"{case.name} on {setting.accelerator.name}: {found.problem}", True
        else:
            equal[found.on_npu] += 1
    yield (
        f"{setting.accelerator.name} {setting.memory_mode}: {sum(equal.values())} of {len(cases)}"
        f" networks are equal to their golden data, {equal[True]} of them on the NPU",
        False,
    )
