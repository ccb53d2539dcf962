# SPDX-License-Identifier: Apache-2.0
"""What all operations of Ethos-U85 that produce an OFM share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.accounting import OperationCost
from ethosu_model.blocks import BlockWork, Reading
from ethosu_model.checks import check_kernel
from ethosu_model.cycles import BlockKind
from ethosu_model.enums import OfmScaleMode
from ethosu_model.faults import AxiChannel, CommandFault
from ethosu_model.feature_map import write_feature_map
from ethosu_model.operation import OperationReport
from ethosu_model.ordering import Accesses, shram_span
from ethosu_model.spans import NOTHING, Spans, spans_of, union
from ethosu_model.traffic import Traffic
from ethosu_model.u85.channels import Channel
from ethosu_model.u85.commands import Cmd0
from ethosu_model.u85.cost import cost_of
from ethosu_model.u85.enums import (
    AccumulatorInput,
    AccumulatorOutput,
    Function,
    Reverse,
)
from ethosu_model.u85.operands import Operand
from ethosu_model.u85.output import finish, table_place
from ethosu_model.u85.resolved import Operands

Array = NDArray[Any]

_REVERSED = {Reverse.H: 0, Reverse.W: 1, Reverse.C: 2}


class Operation(Operands, ABC):
    """One operation; ``run`` executes it."""

    kind = BlockKind.ELEMENTWISE

    # -- what the executor calls -----------------------------------------------------------

    def again(self) -> None:
        """Execute the operation, of which nobody wants to know more than its OFM."""
        self.run()

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
            readings=tuple(
                reading
                for reading, operand in zip(self.readings(), self.inputs, strict=True)
                if operand.chain is None
            ),
            table=self.activation.function is not Function.LUT_NONE,
            spares_table=True,
            alternates=True,
            transpose=self.transpose,
            reverse=_REVERSED.get(reverse),
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
    def joins(self) -> bool:
        """Whether it goes on with a chain, and runs at once with the operation before it."""
        return any(operand.chain is not None for operand in self.inputs)

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
        return cost_of(self)

    def _describe(self) -> str:
        parts = [f"{_where(operand)}" for operand in (*self.inputs, self.ofm)]
        if self.kind is not BlockKind.ELEMENTWISE:
            parts += [f"kernel {self.window.kernel}", f"padding {self.window.padding}"]
        scaling = f"scale {self.scaling} {self.rounding.name}"
        return ", ".join([*parts, scaling, f"{self.activation}"])


def _where(operand: Operand) -> str:
    return f"{operand.fm}" if operand.chain is None else f"{operand.fm} chained {operand.chain}"


def _spans(operand: Operand) -> Spans:
    return spans_of(operand.fm) if operand.chain is None else NOTHING
