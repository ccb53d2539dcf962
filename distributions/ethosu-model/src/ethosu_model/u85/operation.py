# SPDX-License-Identifier: Apache-2.0
"""What all operations of Ethos-U85 that produce an OFM share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.accounting import OperationCost
from ethosu_model.blocks import BlockWork, Reading
from ethosu_model.checks import check_kernel
from ethosu_model.cycles import BlockKind
from ethosu_model.enums import OfmScaleMode
from ethosu_model.events import traffic_events
from ethosu_model.faults import AxiChannel, CommandFault
from ethosu_model.feature_map import write_feature_map
from ethosu_model.operands import Kernel, Shape
from ethosu_model.operation import OperationReport
from ethosu_model.ordering import Accesses, shram_span
from ethosu_model.spans import NOTHING, Spans, spans_of, union
from ethosu_model.traffic import (
    Traffic,
    block_counts,
    elementwise_traffic,
    ifm_traffic,
    ofm_traffic,
)
from ethosu_model.u85.channels import Channel
from ethosu_model.u85.commands import Cmd0
from ethosu_model.u85.config import MICROBLOCK_DEPTHS
from ethosu_model.u85.cycles import Workload, estimate
from ethosu_model.u85.enums import (
    AccumulatorInput,
    AccumulatorOutput,
    Function,
    Reverse,
    Transpose,
)
from ethosu_model.u85.operands import Operand
from ethosu_model.u85.output import finish, table_place
from ethosu_model.u85.resolved import Operands

Array = NDArray[Any]

_NO_KERNEL = Kernel(1, 1, 1, 1, 1, 1, part_kernel_first=False, decomposition=8)
# Transposes that change rows for columns.
_TURNED = frozenset({Transpose.WHC, Transpose.WCH, Transpose.CWH})
_REVERSED = {Reverse.H: 0, Reverse.W: 1, Reverse.C: 2}


class Operation(Operands, ABC):
    """One operation; ``run`` executes it."""

    kind = BlockKind.ELEMENTWISE

    # -- what the executor calls -----------------------------------------------------------

    def resolve(self) -> None:
        """Resolve all operands, so that none of them fails later.

        Raises:
            CommandFault: One of them is not legal, or is not modelled.
        """
        self._check_accumulators()
        self._check_scale_mode()
        _ = self.scaling, self.activation, self.cost
        if self.machine.checks.excluded and self.kind is not BlockKind.ELEMENTWISE:
            check_kernel(self.window.kernel)

    def accesses(self, name: str) -> Accesses:
        """Return what the operation reads and writes; chaining buffers are not memory."""
        reads = [*map(_spans, self.inputs), *self.stream_spans()]
        if self.activation.function is not Function.LUT_NONE:
            reads.append(shram_span(*table_place(self.activation)))
        return Accesses(name, union(reads), _spans(self.ofm))

    def blocks(self, name: str) -> BlockWork:
        """Return what the operation's blocks read and write in memory."""
        word = Cmd0.NPU_SET_OFM_PRECISION
        reverse = self.state.get(word.activation_reverse)
        return BlockWork(
            name=name,
            blockdep=self.state.get(Cmd0.NPU_SET_BLOCKDEP.blockdep),
            shape=self.shape,
            block=self.block,
            written=self.ofm.fm if self.ofm.chain is None else None,
            turned=self.transpose != (0, 1, 2) or reverse is not Reverse.NONE,
            readings=tuple(
                reading
                for reading, operand in zip(self.readings(), self.inputs, strict=True)
                if operand.chain is None
            ),
            table=self.activation.function is not Function.LUT_NONE,
            spares_table=True,
            alternates=True,
        )

    def readings(self) -> Iterable[Reading]:
        """Return how blocks read each of the inputs; by default element by element."""
        return [Reading(operand.fm) for operand in self.inputs]

    def run(self) -> OperationReport:
        """Execute the operation.

        Raises:
            NpuFault: It cannot be executed, or met a bus fault.
        """
        self.spend()
        return self._store(self.compute())

    # -- what each operation has of its own -------------------------------------------------

    accumulator_inputs = frozenset({AccumulatorInput.RESET})

    @cached_property
    @abstractmethod
    def inputs(self) -> tuple[Operand, ...]:
        """What the operation reads, the IFM first."""

    @abstractmethod
    def compute(self) -> Array:
        """Return scaled results [height, width, depth]."""

    def spend(self) -> None:
        """Charge the work to the job."""
        self.machine.budget.spend(0, self.shape.elements)

    def stream_spans(self) -> Iterable[Spans]:
        """Return where weights and scales lie."""
        return ()

    def stream_traffic(self) -> Iterable[tuple[Channel, Traffic]]:
        """Return what reading weights and scales moves."""
        return ()

    divides: bool = False  # the output stage does

    @property
    def work_kind(self) -> BlockKind:
        """How the MAC array works through a block."""
        return self.kind

    @property
    def ifm_block_depth(self) -> int:
        """Input channels that are taken at once."""
        return self.block.depth

    @property
    def sparse(self) -> bool:
        """Whether there are weights that are 2:4 sparse."""
        return False

    @property
    def takes_scales(self) -> bool:
        """Whether a scale stream may scale each channel."""
        return False

    def _check_scale_mode(self) -> None:
        mode = self.state.get(Cmd0.NPU_SET_OFM_PRECISION.scale_mode)
        if mode is OfmScaleMode.PER_CHANNEL and not self.takes_scales:
            name = self.instruction.command.name
            raise CommandFault(f"{name}: scale_mode {mode.name} is not modelled here")

    def _check_accumulators(self) -> None:
        word = Cmd0.NPU_SET_ACC_FORMAT
        given, output = self.state.get(word.acc_input), self.state.get(word.acc_output)
        if given not in self.accumulator_inputs:
            raise CommandFault(
                f"{self.instruction.command.name}: {word.acc_input} {given.name} is not modelled"
            )
        if output is not AccumulatorOutput.ENABLE:
            raise CommandFault(
                f"{self.instruction.command.name}: {word.acc_output} {output.name} is not modelled"
            )

    def _store(self, scaled: Array) -> OperationReport:
        """Finish scaled results and write the OFM, or leave it in its chaining buffer."""
        fm = self.ofm.fm
        result = finish(scaled, fm, self.activation, self.machine.shram).transpose(self.transpose)
        reverse = self.state.get(Cmd0.NPU_SET_OFM_PRECISION.activation_reverse)
        if reverse is not Reverse.NONE:
            result = np.flip(result, _REVERSED[reverse])
        expected = (fm.shape.height, fm.shape.width, fm.shape.depth)
        if result.shape != expected:
            raise CommandFault(
                f"{self.instruction.command.name}: gives {result.shape} elements, and the OFM has"
                f" {expected}: not modelled"
            )
        if self.ofm.chain is None:
            write_feature_map(self.machine.bus, fm, result, AxiChannel.OFM)
        else:
            self.machine.chains[self.ofm.chain] = result.copy()
        return OperationReport(self._describe, fm, result, self.cost)

    # -- account ----------------------------------------------------------------------------

    @cached_property
    def cost(self) -> OperationCost:
        """What running the operation costs."""
        accelerator = self.machine.accelerator
        transfers = [*self._input_traffic(), *self.stream_traffic()]
        if self.ofm.chain is None:
            written = ofm_traffic(self.ofm.fm, self.block, accelerator.cores)
            transfers.append((Channel.WRITE, written))
        work = self._workload(tuple(transfers))
        beats = traffic_events([traffic for _, traffic in transfers], accelerator.axi_bytes)
        return OperationCost(estimate(accelerator, work), work.ifm_bits, beats)

    def _workload(self, transfers: tuple[tuple[Channel, Traffic], ...]) -> Workload:
        get, macs_work = self.state.get, self.work_kind is not BlockKind.ELEMENTWISE
        ifm = self.inputs[0].fm if self.inputs else self.ofm.fm
        transpose = get(Cmd0.NPU_SET_OFM_PRECISION.activation_transpose)
        reverse = get(Cmd0.NPU_SET_OFM_PRECISION.activation_reverse)
        turns = transpose in _TURNED or reverse is Reverse.W
        counts = block_counts(self.shape, self.block)
        return Workload(
            kind=self.work_kind,
            ofm=self.shape,
            block=self.block,
            unit=self._microblock(),
            ifm=ifm.shape,
            ifm_block_depth=self.ifm_block_depth,
            kernel=self.window.kernel if macs_work else _NO_KERNEL,
            part_kernel=macs_work and self.window.kernel.part_kernel_first,
            sparse=self.sparse,
            ifm_bits=8 * ifm.dtype.itemsize,
            ofm_bits=8 * self.ofm.fm.dtype.itemsize,
            wide=self.wide,
            divides=self.divides,
            activates=turns or self.activation.function is not Function.LUT_NONE,
            turns=turns,
            transfers=tuple(_again(one, counts) for one in transfers),
        )

    def _microblock(self) -> Shape:
        microblock = self.state.get(Cmd0.NPU_SET_ACC_FORMAT.microblock)
        depths = MICROBLOCK_DEPTHS[self.machine.accelerator.name]
        height, width = (int(side) for side in microblock.name[1:].split("X"))
        return Shape(height, width, depths.get(microblock, min(depths.values())))

    def _input_traffic(self) -> Iterable[tuple[Channel, Traffic]]:
        for operand in self.inputs:
            if operand.chain is not None:
                continue
            if self.kind is BlockKind.ELEMENTWISE or operand is not self.inputs[0]:
                yield Channel.IFM_STREAM, elementwise_traffic(operand.fm, self.block)
                continue
            counts = block_counts(self.shape, self.block)
            passes = counts.depth if self.kind is BlockKind.CONVOLUTION else 1
            read = ifm_traffic(
                operand.fm,
                self.shape,
                self.block,
                self.window,
                depth_passes=passes,
                read_depth=self.ifm_block_depth,
            )
            yield Channel.IFM, read

    def _describe(self) -> str:
        parts = [f"{_where(operand)}" for operand in (*self.inputs, self.ofm)]
        if self.kind is not BlockKind.ELEMENTWISE:
            parts += [f"kernel {self.window.kernel}", f"padding {self.window.padding}"]
        scaling = f"scale {self.scaling} {self.rounding.name}"
        return ", ".join([*parts, scaling, f"{self.activation}"])


def _again(transfer: tuple[Channel, Traffic], counts: Shape) -> tuple[Channel, Traffic]:
    """Return a transfer as the estimate has it: scales come again for each block in x and y."""
    channel, traffic = transfer
    if channel is Channel.SCALE:
        traffic = replace(traffic, read_bytes=traffic.read_bytes * counts.height * counts.width)
    return channel, traffic


def _where(operand: Operand) -> str:
    return f"{operand.fm}" if operand.chain is None else f"{operand.fm} chained {operand.chain}"


def _spans(operand: Operand) -> Spans:
    return spans_of(operand.fm) if operand.chain is None else NOTHING
