# SPDX-License-Identifier: Apache-2.0
"""Run TensorFlow Lite Micro's own single-operator networks on the NPU model."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.step import Step, step

if TYPE_CHECKING:
    from ethosmith.verify.upstream_tests import NpuSetting
    from ethosu_model.harness import RawModel


@step(
    verb="UPSTREAM",
    packages=("ai-edge-litert", "ethos-u-vela", "numpy", "tflite-micro"),
    cacheable=False,
)
class RunUpstreamTests(Step):
    """Compare TensorFlow Lite Micro's own networks with their golden data, on the NPU model.

    A network of which Vela leaves operators to the CPU runs in the host's TFLM alone.

    Attributes:
        tree: folder of TensorFlow Lite Micro's sources.
        settings: NPU, Vela's system config and memory mode of each comparison.
    """

    tree: str
    settings: tuple[tuple[str, str, str], ...]

    def run(self) -> None:
        """Print each network that is unlike its golden data, and the sums.

        Raises:
            EthosmithError: a network is unlike its golden data, or there are no networks.
        """
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.verify.upstream_tests import NpuSetting, report_lines, upstream_cases

        cases = upstream_cases(Path(self.tree))
        failed = 0
        for npu, system_config, memory_mode in self.settings:
            setting = NpuSetting(parse_accelerator(npu), system_config, memory_mode)
            for line, is_failure in report_lines(cases, setting, compiled):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
                failed += is_failure
        if failed:
            raise EthosmithError(f"upstream_tests: {failed} comparisons failed, see above")

    @property
    def title(self) -> str:
        """The NPUs."""
        return ", ".join(npu for npu, _, _ in self.settings)


def compiled(network: Path, setting: NpuSetting) -> RawModel | None:
    """Return what Vela makes of a network; None: it leaves operators to the CPU.

    Raises:
        EthosmithError: Vela refuses it.
    """
    from ethosmith.models.vela import OperatorsLeftError
    from ethosmith.steps.compile_with_vela import CompileWithVela
    from ethosu_model.harness import RawModel

    with tempfile.TemporaryDirectory(prefix="upstream-") as temporary:
        folder = Path(temporary)
        raw = folder / "raw.npz"
        vela = CompileWithVela(
            network=network,
            network_name=network.stem,
            accelerator_config=setting.accelerator.name,
            system_config=setting.system_config,
            memory_mode=setting.memory_mode,
            summary=folder / "summary.csv",
            per_layer=folder / "layers.csv",
            operators=folder / "operators.json",
            raw=raw,
        )
        try:
            vela.run()
        except OperatorsLeftError:
            return None
        return RawModel.load(raw)
