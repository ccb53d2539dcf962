# SPDX-License-Identifier: Apache-2.0
"""What a device's register page consists of, by product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from ethosu_model.enums import MemAttr, Product
from ethosu_model.faults import AxiPort
from ethosu_model.pmu import PmuRegisters
from ethosu_model.register_words import IdentificationRegister, PmuRegister, StoredRegister
from ethosu_model.registers import (
    IDENTIFICATION,
    REGION_PORTS,
    STORED,
    Reg,
    Status,
)
from ethosu_model.tsu_registers import TSU_REGISTERS, TsuRegister
from ethosu_model.u85 import registers as u85


class RegisterPage(ABC):
    """The registers that differ from product to product; the others are at the same offsets.

    Attributes:
        stored: Registers that read back what was written.
        identification: The constants.
        shown: Registers that show commands.
        pmu: The PMU's registers.
        weight_fault: What STATUS says of a weight stream that is none.
    """

    stored: Mapping[int, StoredRegister]
    identification: Mapping[int, IdentificationRegister]
    shown: Mapping[int, TsuRegister]
    pmu: PmuRegisters
    weight_fault: Status

    def __init__(self) -> None:
        registers = vars(self.pmu).values()
        named = (register for register in registers if isinstance(register, PmuRegister))
        everything = (*named, *self.pmu.counters, *self.pmu.types)
        self.pmu_by_offset = {register.offset: register for register in everything}

    @abstractmethod
    def stream_port(self, values: Mapping[int, int]) -> AxiPort:
        """Return the port that fetches commands; ``values`` are those of stored registers."""

    @abstractmethod
    def region_ports(self, values: Mapping[int, int]) -> tuple[AxiPort, ...]:
        """Return the port of each region."""


class _Page(RegisterPage):
    """Ethos-U55 and U65."""

    stored = STORED
    identification = IDENTIFICATION
    shown = TSU_REGISTERS
    weight_fault = Status.WD_FAULT
    pmu = PmuRegisters(
        control=Reg.PMCR,
        enable_set=Reg.PMCNTENSET,
        enable_clear=Reg.PMCNTENCLR,
        overflow_set=Reg.PMOVSSET,
        overflow_clear=Reg.PMOVSCLR,
        interrupt_set=Reg.PMINTSET,
        interrupt_clear=Reg.PMINTCLR,
        cycles_low=Reg.PMCCNTR_LO,
        cycles_high=Reg.PMCCNTR_HI,
        cycle_config=Reg.PMCCNTR_CFG,
        axi_channel=Reg.PMCAXI_CHAN,
        counters=(Reg.PMEVCNTR0, Reg.PMEVCNTR1, Reg.PMEVCNTR2, Reg.PMEVCNTR3),
        types=(Reg.PMEVTYPER0, Reg.PMEVTYPER1, Reg.PMEVTYPER2, Reg.PMEVTYPER3),
    )

    def stream_port(self, values: Mapping[int, int]) -> AxiPort:
        return _port(Reg.QCONFIG.cmd_region0.get(values[Reg.QCONFIG.offset]))

    def region_ports(self, values: Mapping[int, int]) -> tuple[AxiPort, ...]:
        config = values[Reg.REGIONCFG.offset]
        return tuple(_port(field.get(config)) for field in REGION_PORTS)


def _port(attribute: MemAttr) -> AxiPort:
    """Return the AXI port: counters 0 and 1 are AXI0's, 2 and 3 AXI1's."""
    return AxiPort(attribute >> 1)


class _U85Page(RegisterPage):
    """Ethos-U85: ports by way of MEM_ATTR, eight event counters, no wd_fault."""

    stored = u85.STORED
    identification = u85.IDENTIFICATION
    shown: Mapping[int, TsuRegister] = {}
    weight_fault = Status.CMD_PARSE_ERROR
    pmu = PmuRegisters(
        control=u85.Reg.PMCR,
        enable_set=u85.Reg.PMCNTENSET,
        enable_clear=u85.Reg.PMCNTENCLR,
        overflow_set=u85.Reg.PMOVSSET,
        overflow_clear=u85.Reg.PMOVSCLR,
        interrupt_set=u85.Reg.PMINTSET,
        interrupt_clear=u85.Reg.PMINTCLR,
        cycles_low=u85.Reg.PMCCNTR_LO,
        cycles_high=u85.Reg.PMCCNTR_HI,
        cycle_config=u85.Reg.PMCCNTR_CFG,
        axi_channel=u85.Reg.PMCAXI_CHAN,
        counters=u85.COUNTER_REGISTERS,
        types=u85.TYPE_REGISTERS,
    )

    def stream_port(self, values: Mapping[int, int]) -> AxiPort:
        return self._port(values, u85.Reg.QCONFIG.cmd_region0.get(values[u85.Reg.QCONFIG.offset]))

    def region_ports(self, values: Mapping[int, int]) -> tuple[AxiPort, ...]:
        config = values[u85.Reg.REGIONCFG.offset]
        return tuple(self._port(values, field.get(config)) for field in u85.REGION_ATTRIBUTES)

    @staticmethod
    def _port(values: Mapping[int, int], attribute: int) -> AxiPort:
        register = u85.MEMORY_ATTRIBUTES[attribute]
        return AxiPort(register.axi_port.get(values[register.offset]))


_U55_AND_U65 = _Page()
_U85 = _U85Page()


def register_page(product: Product) -> RegisterPage:
    """Return the page of a product."""
    return _U85 if product is Product.U85 else _U55_AND_U65
