# SPDX-License-Identifier: Apache-2.0
"""Compare the NPU cycles of a run with the budgets of the use case's descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_json
from ethosmith.steps.step import Input, OptionalInput, Output, Step, step


@step(verb="BUDGET", packages=("pydantic", "pydantic-core", "pyyaml"))
class CheckCycleBudget(Step):
    """Check that no inference of a run took more NPU cycles than the budgets allow.

    Attributes:
        usecase: the usecase.yaml, for the place of a limit.
        limits: each with its `location` in that file, and the cycles that are `allowed`.
        verified: of the step compare-run.
        per_layer: Vela's table, for the layer that takes most.
        output: what was counted and is allowed, JSON.
    """

    usecase: Input
    limits: tuple[Mapping[str, Any], ...]
    verified: Input
    per_layer: OptionalInput = None
    output: Output

    def run(self) -> None:
        """Compare, and write the figures if every limit is kept.

        Raises:
            EthosmithError: a limit is exceeded; names it with the slowest layer.
        """
        cycles, sample = most_cycles(read_json(self.verified))
        found = [{**limit, "used": cycles} for limit in self.limits]
        problems = [self._problem(one, sample) for one in found if cycles > one["allowed"]]
        if problems:
            raise EthosmithError("; ".join(problems))
        write_json(self.output, found)

    def _problem(self, limit: Mapping[str, Any], sample: str) -> str:
        from ethosmith.descriptors.load import error_at

        used, allowed = limit["used"], limit["allowed"]
        message = (
            f"{used:,} NPU cycles for an inference of the sample {sample}, budget {allowed:,}"
            f" ({used - allowed:,} too many){self._slowest()}"
        )
        return str(error_at(self.usecase, tuple(limit["location"]), message))

    def _slowest(self) -> str:
        if self.per_layer is None:
            return ""
        from ethosmith.report.vela_figures import read_layers

        layers = read_layers(self.per_layer)
        index, layer = max(enumerate(layers, start=1), key=lambda item: item[1].cycles)
        share = 100 * layer.cycles / max(1, sum(one.cycles for one in layers))
        which = f"layer {index} of {len(layers)}, {layer.operator}"
        return f"; slowest by Vela's estimate: {which}, {share:.0f} %"


def most_cycles(run: Mapping[str, Any]) -> tuple[int, str]:
    """Return the most NPU cycles of one inference, and its sample.

    Args:
        run: NAME_verified.json.
    """
    counted = [
        (counts["npu_cycles"], sample["name"])
        for sample in run["samples"]
        for counts in (sample["windows"] or [sample["counts"]])
    ]
    return max(counted, key=lambda item: item[0], default=(0, ""))
