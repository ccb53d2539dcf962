# SPDX-License-Identifier: Apache-2.0
"""Executes NPU_OP_POOL."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from ethosu_model.checks import check_pooling
from ethosu_model.commands import Cmd0
from ethosu_model.cycles import BlockKind, OutputKind
from ethosu_model.enums import PoolingMode
from ethosu_model.faults import CommandFault
from ethosu_model.operands import Padding, Shape
from ethosu_model.operation import BlockOperation, Inputs, OperationReport
from ethosu_model.pooling import (
    average_scale,
    count_elements,
    pool_maximum,
    pool_sum,
    reduce_sum,
)
from ethosu_model.rounding import scale_and_round

_NO_PADDING = Padding(0, 0, 0, 0)


class Pooling(BlockOperation):
    """NPU_OP_POOL; its parameter is the mode."""

    def run(self) -> OperationReport:
        """Execute the operation.

        Raises:
            NpuFault: It cannot be executed, or met a bus fault.
        """
        ofm, ifm = self.ofm.shape, self.inputs.ifm
        kernel = self.window.kernel
        reads = ifm.shape.depth if self._mode is PoolingMode.REDUCE_SUM else ofm.depth
        elements = ofm.height * ofm.width * reads * kernel.height * kernel.width
        self.machine.budget.spend(0, elements)
        return self.store([(0, ofm.height, self._pool(self.read_window(ifm)))])

    def check_excluded(self) -> None:
        """Raise CommandFault for a form that the manual excludes."""
        super().check_excluded()
        window = self.window
        check_pooling(self._mode, window.kernel, window.padding, self.inputs.ifm, self.ofm)

    @cached_property
    def _mode(self) -> PoolingMode:
        mode = self.instruction.get(Cmd0.NPU_OP_POOL.pooling_mode)
        if mode is PoolingMode.REDUCE_SUM and self.ofm.shape.depth != 1:
            raise CommandFault("REDUCE_SUM into an OFM of more than one channel")
        return mode

    @cached_property
    def inputs(self) -> Inputs:
        """IFM and kernel."""
        maximum, reduces = self._mode is PoolingMode.MAX, self._mode is PoolingMode.REDUCE_SUM
        depth = self.decoder.ifm_depth() if reduces else self.ofm.shape.depth
        return Inputs(
            kind=BlockKind.REDUCE_SUM if reduces else BlockKind.POOLING,
            output=OutputKind.MAXIMUM if maximum else self.mac_output_kind(),
            ifm=self.windowed_ifm(depth),
            ifm2=None,
            window=self.window,
        )

    def _pool(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return scaled results. A maximum is not scaled."""
        ofm, kernel, padding = self.ofm.shape, self.window.kernel, self.window.padding
        if self._mode is PoolingMode.MAX:
            return pool_maximum(values, ofm, kernel, padding)
        if self._mode is PoolingMode.AVERAGE:
            return self._average(values)
        return self.scale_global(pool_sum(reduce_sum(values), ofm, kernel, padding))

    def _average(self, values: NDArray[Any]) -> NDArray[Any]:
        """Average: OFM_SCALE holds 1/elements, but with padding the NPU counts itself.

        Vela relies on that: generate_pooling_op gives no global scale with padding, and
        regor's RescalePooling leaves it at 1 >> 0.
        """
        kernel, padding = self.window.kernel, self.window.padding
        sums = pool_sum(values, self.ofm.shape, kernel, padding)
        if self.scaling.use_global and padding == _NO_PADDING:
            return self.scale_global(sums)
        shape = Shape(values.shape[0], values.shape[1], 1)
        multiplier, shift = average_scale(count_elements(shape, self.ofm.shape, kernel, padding))
        return scale_and_round(sums, multiplier, shift, self.scaling.rounding)
