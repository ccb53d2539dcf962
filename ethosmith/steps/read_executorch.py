# SPDX-License-Identifier: Apache-2.0
"""Check a ready ExecuTorch program against the use case and the NPU, and describe it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_json
from ethosmith.steps.step import Input, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.models.tensor_spec import NetworkSpec

_NOT_COMPARED = (
    "it came as a .pte, which holds the NPU's commands and not the graph they were made from"
)


@step(verb="READ")
class ReadExecutorch(Step):
    """Check a ready ExecuTorch program (.pte) against the use case and the NPU, and describe it.

    Attributes:
        program: the .pte, from anywhere.
        accelerator_config: the board's NPU, such as ``ethos-u55-128``.
        pattern: the sizes that the pre-processing can fill, without the batch; none: any.
        usecase: the descriptor, for messages.
        label_count: values that the first output must have; 0: it has no labels.
        samples: the samples' names.
        network: its inputs and outputs, JSON.
        expected: that nothing on the host is compared, as of the step compute-expected, JSON.
    """

    program: Input
    accelerator_config: str
    pattern: Any = None
    usecase: str
    label_count: int = 0
    samples: tuple[str, ...]
    network: Output
    expected: Output

    def run(self) -> None:
        """Read the file and write what it takes and returns.

        Raises:
            EthosmithError: it is not usable, or does not fit the use case or the NPU.
        """
        from ethosmith.models.executorch_file import check_accelerator, read_executorch

        found = read_executorch(self.program)
        check_accelerator(found, self.program, self.accelerator_config)
        if self.pattern is not None:
            self._check_shape(found.spec)
        count = found.spec.outputs[0].element_count
        if self.label_count not in {0, count}:
            raise EthosmithError(
                f"{self.program}: its output has {count} values for {self.label_count} labels; give"
                " labels=FILE with one line per value"
            )
        if found.operators:
            listed = ", ".join(sorted(set(found.operators)))
            sys.stdout.write(f"note: {self.program}: operators of the CPU: {listed}\n")
        write_json(self.network, found.spec.as_json())
        samples = [{"name": name} for name in self.samples]
        write_json(self.expected, {"oracle": "", "not_compared": _NOT_COMPARED, "samples": samples})

    def _check_shape(self, spec: NetworkSpec) -> None:
        """Check that the use case fills the one input, whose dimensions of 1 do not matter."""
        shapes = [[size for size in one.shape if size > 1] for one in spec.inputs]
        wanted = [size for size in self.pattern if size != 1]
        if len(shapes) != 1 or not _fits(shapes[0], wanted):
            found = " and ".join("x".join(map(str, one.shape)) for one in spec.inputs)
            raise EthosmithError(
                f"{self.program}: its input is {found}; {self.usecase} fills one of"
                f" {' x '.join(map(str, self.pattern))}"
            )


def _fits(shape: Sequence[int], wanted: Sequence[Any]) -> bool:
    return len(shape) == len(wanted) and all(
        want in {"any", size} for size, want in zip(shape, wanted, strict=True)
    )
