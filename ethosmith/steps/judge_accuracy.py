# SPDX-License-Identifier: Apache-2.0
"""Judge the accuracy of float network, int8 network and device, as NAME_accuracy.json has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ethosmith.steps.step import Inputs, Output, Step, step

_MAX_NAMES = 8


@step(verb="ACCURACY")
class JudgeAccuracy(Step):
    """Judge the accuracy of float network, int8 network and device against the limits.

    Attributes:
        usecase: its name, for people.
        configuration: NPU and memory mode, for people.
        metric: ``top1``, ``auc`` or another of the descriptor's metrics.
        limits: values by key below ``accuracy`` in the descriptor, such as ``max_drop.int8``.
        classes: for ``auc``: the low and the high one.
        notes: printed below the table.
        evaluation_sets: the shards of the set, in order.
        tuned: samples that the network was quantised with, as the device takes them: items with the
            same bytes are left out of the values, and named.
        float_answers: of the float network to each shard, if there is one.
        int8_answers: of the int8 network on the host, to each shard.
        device_answers: of the device, to each shard.
        output: values, drops, broken limits and answers, JSON.
    """

    usecase: str
    configuration: str
    metric: str
    limits: Mapping[str, float]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    evaluation_sets: Inputs
    tuned: Inputs = ()
    float_answers: Inputs = ()
    int8_answers: Inputs
    device_answers: Inputs
    output: Output

    def run(self) -> None:
        """Measure, compare with the limits and write the result, one shard after the other."""
        from ethosmith.accuracy.result import (
            MeasuredSet,
            items_with_bytes_of,
            judged,
            result_text,
            rows_of,
        )
        from ethosmith.accuracy.set_digest import digest_of_sets
        from ethosmith.core.errors import EthosmithError
        from ethosmith.core.files import writing_beside

        left_out = items_with_bytes_of(self.tuned, self.evaluation_sets)
        measured_set = MeasuredSet(self.evaluation_sets, self._columns(), left_out)
        items, digest = digest_of_sets(self.evaluation_sets)
        names = [label.name for label in measured_set.left_out_labels()]
        if names and len(names) == items:
            raise EthosmithError(
                f"{self.usecase}: all {items} items of the evaluation set are samples that the"
                " network was quantised with, so they say nothing about it: give others, with"
                " evaluation=FOLDER"
            )
        result = {
            "usecase": self.usecase,
            "configuration": self.configuration,
            "metric": self.metric,
            "set": {"items": items, "sha256": digest, "left_out": names},
            "notes": [*_tuned_note(names, items), *self.notes],
            **judged(self.metric, self.classes, measured_set, self.limits),
        }
        with writing_beside(self.output) as beside, beside.open("w", encoding="utf-8") as file:
            file.writelines(result_text(result, rows_of(measured_set)))

    def _columns(self) -> dict[str, tuple[Path, ...]]:
        given = {
            "float": self.float_answers,
            "int8": self.int8_answers,
            "device": self.device_answers,
        }
        return {name: paths for name, paths in given.items() if paths}


def _tuned_note(names: Sequence[str], items: int) -> list[str]:
    if not names:
        return []
    shown = ", ".join(names[:_MAX_NAMES]) + (", ..." if len(names) > _MAX_NAMES else "")
    return [
        f"{len(names)} of {items} items are left out of the values: the network was quantised with"
        f" the same samples ({shown})."
    ]
