# SPDX-License-Identifier: Apache-2.0
"""Executes NPU_OP_POOL."""

from __future__ import annotations

from typing import Any

from ethosu.vela.ethos_u55_regs.ethos_u55_regs import pooling_mode
from numpy.typing import NDArray

from ethosmith.npu.cycles import BlockKind, OutputKind
from ethosmith.npu.faults import CommandFault
from ethosmith.npu.operands import Padding, Shape
from ethosmith.npu.operation import BlockOperation, Inputs, OperationReport
from ethosmith.npu.pooling import (
    average_scale,
    count_elements,
    pool_maximum,
    pool_sum,
    reduce_sum,
)
from ethosmith.npu.rounding import scale_and_round
from ethosmith.npu.traffic import Window

_NO_PADDING = Padding(0, 0, 0, 0)


class Pooling(BlockOperation):
    """NPU_OP_POOL; its parameter is the mode."""

    def run(self, parameter: int) -> OperationReport:
        """Execute the operation.

        Raises:
            NpuFault: It cannot be executed, or met a bus fault.
        """
        mode = self._mode(parameter)
        kernel = self.kernel()
        reduces = mode is pooling_mode.REDUCE_SUM
        depth = self.decoder.ifm_depth() if reduces else self.ofm.shape.depth
        elements = self.ofm.shape.elements * kernel.height * kernel.width
        self.context.budget.spend(0, elements * (depth if reduces else 1))
        window = self.window(kernel, self.decoder.padding())
        ifm = self.windowed_ifm(window, depth)
        values = self.read_window(ifm, window)
        inputs = Inputs(
            kind=BlockKind.REDUCE_SUM if reduces else BlockKind.POOLING,
            output=OutputKind.MAXIMUM if mode is pooling_mode.MAX else self.mac_output_kind(),
            ifm=ifm,
            ifm2=None,
            window=window,
        )
        return self.store([(0, self.ofm.shape.height, self._pool(mode, values, window))], inputs)

    def _mode(self, parameter: int) -> pooling_mode:
        try:
            mode = pooling_mode(parameter)
        except ValueError:
            raise CommandFault(f"reserved pooling mode {parameter}") from None
        if mode is pooling_mode.REDUCE_SUM and self.ofm.shape.depth != 1:
            raise CommandFault("REDUCE_SUM into an OFM of more than one channel")
        return mode

    def _pool(self, mode: pooling_mode, values: NDArray[Any], window: Window) -> NDArray[Any]:
        """Return scaled results. A maximum is not scaled."""
        kernel, padding = window.kernel, window.padding
        if mode is pooling_mode.MAX:
            return pool_maximum(values, self.ofm.shape, kernel, padding)
        if mode is pooling_mode.AVERAGE:
            return self._average(values, window)
        sums = pool_sum(reduce_sum(values), self.ofm.shape, kernel, padding)
        return self.scale_global(sums)

    def _average(self, values: NDArray[Any], window: Window) -> NDArray[Any]:
        """Average: OFM_SCALE holds 1/elements, but with padding the NPU counts itself.

        Vela relies on that: generate_pooling_op gives no global scale with padding, and
        regor's RescalePooling leaves it at 1 >> 0.
        """
        kernel, padding = window.kernel, window.padding
        sums = pool_sum(values, self.ofm.shape, kernel, padding)
        if self.scaling.use_global and padding == _NO_PADDING:
            return self.scale_global(sums)
        shape = Shape(values.shape[0], values.shape[1], 1)
        multiplier, shift = average_scale(count_elements(shape, self.ofm.shape, kernel, padding))
        return scale_and_round(sums, multiplier, shift, self.scaling.rounding)
