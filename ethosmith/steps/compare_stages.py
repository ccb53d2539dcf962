# SPDX-License-Identifier: Apache-2.0
"""Set the stages of a network's conditioning side by side: weights, traffic, cycles, accuracy."""

from __future__ import annotations

from typing import Any

from ethosmith.core.files import write_json
from ethosmith.steps.step import Inputs, Output, Step, step


@step(verb="STAGES")
class CompareStages(Step):
    """Set the stages of a network's conditioning side by side.

    Attributes:
        stages: what each is called, the network as it came first.
        summaries: Vela's totals of the int8 network of each stage, CSV.
        metric: of the accuracy; empty: it is not measured.
        classes: for ``auc``: low, high.
        evaluation_sets: the shards of the set.
        float_answers: of this machine to each shard, by the network of each stage in turn.
        int8_answers: the same, by the int8 network made from it.
        output: the figures, JSON.
    """

    stages: tuple[str, ...]
    summaries: Inputs
    metric: str = ""
    classes: tuple[str, ...] = ()
    evaluation_sets: Inputs = ()
    float_answers: Inputs = ()
    int8_answers: Inputs = ()
    output: Output

    def run(self) -> None:
        """Read all figures and write them."""
        rows = [self._row(index, name) for index, name in enumerate(self.stages)]
        write_json(self.output, {"metric": self.metric, "stages": rows})

    def _row(self, index: int, name: str) -> dict[str, Any]:
        from ethosmith.report.vela_figures import read_estimate, weight_bytes

        summary = self.summaries[index]
        estimate = read_estimate(summary)
        return {
            "stage": name,
            "weight_bytes": weight_bytes(summary),
            "flash_bytes": sum(estimate.moved_bytes[one] for one in _FLASH),
            "cycles": estimate.cycles,
            **(self._accuracy(index) if self.metric else {}),
        }

    def _accuracy(self, index: int) -> dict[str, float]:
        from ethosmith.accuracy.result import MeasuredSet, values_of

        count = len(self.evaluation_sets)
        own = slice(index * count, (index + 1) * count)
        columns = {"float": self.float_answers[own], "int8": self.int8_answers[own]}
        return values_of(self.metric, self.classes, MeasuredSet(self.evaluation_sets, columns))


# Where a platform's memory modes have the weights.
_FLASH = ("on_chip_flash", "off_chip_flash", "dram")
