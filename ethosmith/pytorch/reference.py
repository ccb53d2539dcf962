# SPDX-License-Identifier: Apache-2.0
"""Run a network on the host: TOSA's reference model, and beside it PyTorch's quantised graph."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes, read_json
from ethosmith.core.terminal import captured_output
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec
from ethosmith.pytorch.executorch import HostProgram
from ethosmith.pytorch.partition import boundary_of

Tensor = npt.NDArray[Any]
# Steps of an int8 quantisation, over 255 of a tensor: two graphs that only round differently are
# far below it (docs/pytorch.md).
MAX_MEAN_DIFFERENCE = 1
_INT16_STEPS = 256


# Of an int8 tensor.
_STEPS = 255


def _steps_apart(made: Tensor, expected: Tensor) -> Tensor:
    if not np.issubdtype(expected.dtype, np.floating):
        return np.abs(made.astype(np.int64) - expected.astype(np.int64))
    step = np.abs(expected).max(initial=0) / _STEPS or 1.0
    apart = np.ceil(np.abs(made.astype(np.float64) - expected) / step)
    steps: Tensor = np.nan_to_num(apart, nan=_STEPS, posinf=_STEPS).astype(np.int64)
    return steps


@dataclass
class Agreement:
    """How far PyTorch's quantised graph agrees with TOSA's reference model.

    Attributes:
        elements: output elements that were compared.
        different: how many of them differ.
        largest: the largest difference, in steps of the quantisation.
        total: the sum of all differences, in the same steps.
    """

    elements: int = 0
    different: int = 0
    largest: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        self._allowed = 0

    def add(self, made: Tensor, expected: Tensor) -> None:
        """Count one pair of tensors.

        A step of float tensors is 1/255 of the expected one's largest magnitude.
        """
        distance = _steps_apart(made, expected)
        self.elements += int(distance.size)
        self.different += int(np.count_nonzero(distance))
        self.largest = max(self.largest, int(distance.max(initial=0)))
        self.total += int(distance.sum())
        steps = _INT16_STEPS if expected.dtype == np.int16 else 1
        self._allowed += MAX_MEAN_DIFFERENCE * steps * int(distance.size)

    def check(self, shown: Path) -> None:
        """Refuse a TOSA graph that is another network than PyTorch's.

        Args:
            shown: the network, for messages.

        Raises:
            EthosmithError: they differ by more than rounding does.
        """
        if self.total > self._allowed:
            raise EthosmithError(
                f"{shown}: the TOSA graph that ExecuTorch made of it is another network:"
                f" {self.different:,} of {self.elements:,} output elements differ from PyTorch's"
                f" quantised graph, by {self.total / self.elements:.1f} steps on average and at"
                f" most {self.largest}; rounding explains up to {self._allowed // self.elements}"
            )


class TosaNetwork:
    """A network on `tosa_reference_model`, which computes in integers as the NPU does.

    Of a network without a TOSA graph of its own, PyTorch computes what is outside the NPU's parts.

    Attributes:
        oracle: what it is called.
        specs: its inputs and outputs.
        agreement: with PyTorch's quantised graph, over all that was run.
    """

    def __init__(self, tosa: bytes | None, specs: NetworkSpec, program: Any) -> None:
        """Prepare the network.

        Args:
            tosa: the whole network; None: it is partitioned here.
            specs: its inputs and outputs.
            program: PyTorch's quantised ExportedProgram.
        """
        self.oracle, self.specs = "TOSA's reference model", specs
        self._graph = program.module(check_guards=False)
        self._run: Callable[[list[Tensor]], list[Tensor]]
        if tosa is None:
            self.oracle += ", and PyTorch's operators beside the NPU"
            self._run = HostProgram(Path("the network"), program, _reference).run
        else:
            self._run = functools.partial(_reference, tosa)
        self.agreement = Agreement()

    @classmethod
    def of_files(cls, tosa: Path | None, spec: Path, quantised: Path) -> TosaNetwork:
        """Return the network of what the steps quantise-pytorch and lower-pytorch wrote."""
        from ethosmith.pytorch.source import load_program  # noqa: PLC0415 torch takes seconds

        specs = NetworkSpec.of_json(read_json(spec))
        content = None if tosa is None else read_bytes(tosa, limit_bytes=MAX_MODEL_BYTES)
        return cls(content, specs, load_program(quantised))

    def run(self, raw: bytes) -> list[bytes]:
        """Return the raw bytes of the outputs of each window, one window after another.

        Args:
            raw: those of the inputs: of the first window, then of the second, and so on.
        """
        windows = windows_of(self.specs.inputs, raw)
        return [output.tobytes() for given in windows for output in self._outputs(given)]

    def _outputs(self, given: list[Tensor]) -> list[Tensor]:
        made = self._run(given)
        for one, also, spec in zip(made, self._quantised(given), self.specs.outputs, strict=True):
            self.agreement.add(also, one.reshape(spec.shape))
        return made

    def _quantised(self, given: list[Tensor]) -> list[Tensor]:
        """Return what PyTorch's graph makes of the same inputs, as integers."""
        import torch  # noqa: PLC0415

        real = [
            torch.from_numpy(_to_real(one, spec))
            for one, spec in zip(given, self.specs.inputs, strict=True)
        ]
        with torch.no_grad():
            made = self._graph(*real)
        made = [made] if isinstance(made, torch.Tensor) else list(made)
        return [_to_integers(one, s) for one, s in zip(made, self.specs.outputs, strict=True)]


class FloatNetwork:
    """A float network as PyTorch computes it.

    Attributes:
        specs: its inputs and outputs, without quantisation.
    """

    def __init__(self, program: Any) -> None:
        """Take an ExportedProgram of `ethosmith.pytorch.export`."""
        boundary = boundary_of(program)
        self.specs = boundary.spec
        self._module = program.module(check_guards=False)

    @classmethod
    def of_file(cls, exported: Path) -> FloatNetwork:
        """Return the network of what the step export-pytorch wrote."""
        from ethosmith.pytorch.source import load_program  # noqa: PLC0415 torch takes seconds

        return cls(load_program(exported))

    def run(self, raw: bytes) -> list[bytes]:
        """Return the raw bytes of the outputs of each window; see `TosaNetwork.run`."""
        import torch  # noqa: PLC0415

        torch.set_num_threads(1)
        found = []
        for given in windows_of(self.specs.inputs, raw):
            with torch.no_grad():
                made = self._module(*(torch.tensor(one) for one in given))
            outputs = [made] if isinstance(made, torch.Tensor) else list(made)
            found += [one.contiguous().numpy().tobytes() for one in outputs]
        return found


def windows_of(specs: Sequence[TensorSpec], raw: bytes) -> Iterator[list[Tensor]]:
    """Yield the inputs of each window, of the raw bytes of all."""
    while raw:
        given = []
        for spec in specs:
            tensor = np.frombuffer(raw, np.dtype(spec.dtype), spec.element_count)
            given.append(tensor.reshape(spec.shape))
            raw = raw[tensor.nbytes :]
        yield given


def _to_real(given: Tensor, spec: TensorSpec) -> Tensor:
    """Return the values of a tensor; one without quantisation has them already."""
    if not spec.scale:
        return np.array(given)
    real: Tensor = (given.astype(np.float32) - spec.zero_point) * np.float32(spec.scale)
    return real


def _to_integers(made: Any, spec: TensorSpec) -> Tensor:
    if not spec.scale:
        return np.asarray(made.numpy())
    values = np.rint(made.numpy().astype(np.float64) / spec.scale) + spec.zero_point
    integers: Tensor = values.astype(spec.dtype)
    return integers


def _reference(tosa: bytes, given: list[Tensor]) -> list[Tensor]:
    import tosa_reference_model  # noqa: PLC0415

    with captured_output() as output:
        # It warns of every flatbuffer of an older version of TOSA.
        made, status = tosa_reference_model.run(tosa, given, verbosity="LOW")
        said = output()
    if status != tosa_reference_model.GraphStatus.TOSA_VALID:
        lines = said.strip().splitlines()
        raise EthosmithError(f"tosa_reference_model: {status}: {lines[-1] if lines else ''}")
    return [np.asarray(one) for one in made]
