# SPDX-License-Identifier: Apache-2.0
"""Every register of the page but those of `tsu_registers`, by the manual's name."""

from __future__ import annotations

from enum import IntFlag

from ethosu_model.fields import words_of
from ethosu_model.register_words import (
    AxiChannelSelect,
    AxiLimitRegister,
    ClkForceRegister,
    CmdRegister,
    ConfigRegister,
    CounterBits,
    CycleCountConfig,
    CycleCountHigh,
    EventType,
    IdentificationRegister,
    IdRegister,
    PmcrRegister,
    PmuCount,
    PmuRegister,
    ProtRegister,
    QConfigRegister,
    ReadOnly,
    RegionConfigRegister,
    Register,
    ResetRegister,
    StatusRegister,
    StoredRegister,
    WholeWord,
    WordAddress,
)


class Reg:
    """The registers.

    SHARED_BUFFER is the first of 256 that show 1 KiB of SHRAM from DEBUG_ADDRESS on.
    """

    ID = IdRegister(0x000)
    STATUS = StatusRegister(0x004)
    CMD = CmdRegister(0x008)
    RESET = ResetRegister(0x00C)
    QBASE0 = WordAddress(0x010)
    QBASE1 = WholeWord(0x014)
    QREAD = ReadOnly(0x018)
    QCONFIG = QConfigRegister(0x01C)
    QSIZE = WordAddress(0x020)
    PROT = ProtRegister(0x024)
    CONFIG = ConfigRegister(0x028)
    LOCK = WholeWord(0x02C)
    REGIONCFG = RegionConfigRegister(0x03C)
    AXI_LIMIT0 = AxiLimitRegister(0x040)
    AXI_LIMIT1 = AxiLimitRegister(0x044)
    AXI_LIMIT2 = AxiLimitRegister(0x048)
    AXI_LIMIT3 = AxiLimitRegister(0x04C)
    BASEP0 = WholeWord(0x080)
    BASEP1 = WholeWord(0x084)
    BASEP2 = WholeWord(0x088)
    BASEP3 = WholeWord(0x08C)
    BASEP4 = WholeWord(0x090)
    BASEP5 = WholeWord(0x094)
    BASEP6 = WholeWord(0x098)
    BASEP7 = WholeWord(0x09C)
    BASEP8 = WholeWord(0x0A0)
    BASEP9 = WholeWord(0x0A4)
    BASEP10 = WholeWord(0x0A8)
    BASEP11 = WholeWord(0x0AC)
    BASEP12 = WholeWord(0x0B0)
    BASEP13 = WholeWord(0x0B4)
    BASEP14 = WholeWord(0x0B8)
    BASEP15 = WholeWord(0x0BC)
    WD_STATUS = ReadOnly(0x100)
    MAC_STATUS = ReadOnly(0x104)
    AO_STATUS = ReadOnly(0x108)
    DMA_STATUS0 = ReadOnly(0x110)
    DMA_STATUS1 = ReadOnly(0x114)
    CLKFORCE = ClkForceRegister(0x140)
    DEBUG_ADDRESS = WholeWord(0x144)
    DEBUG_MISC = WholeWord(0x148)
    DEBUGCORE = ReadOnly(0x14C)
    DEBUG_BLOCK = ReadOnly(0x150)
    PMCR = PmcrRegister(0x180)
    PMCNTENSET = CounterBits(0x184)
    PMCNTENCLR = CounterBits(0x188)
    PMOVSSET = CounterBits(0x18C)
    PMOVSCLR = CounterBits(0x190)
    PMINTSET = CounterBits(0x194)
    PMINTCLR = CounterBits(0x198)
    PMCCNTR_LO = PmuCount(0x1A0)
    PMCCNTR_HI = CycleCountHigh(0x1A4)
    PMCCNTR_CFG = CycleCountConfig(0x1A8)
    PMCAXI_CHAN = AxiChannelSelect(0x1AC)
    PMEVCNTR0 = PmuCount(0x300)
    PMEVCNTR1 = PmuCount(0x304)
    PMEVCNTR2 = PmuCount(0x308)
    PMEVCNTR3 = PmuCount(0x30C)
    PMEVTYPER0 = EventType(0x380)
    PMEVTYPER1 = EventType(0x384)
    PMEVTYPER2 = EventType(0x388)
    PMEVTYPER3 = EventType(0x38C)
    KERNEL_X = ReadOnly(0x200)
    KERNEL_Y = ReadOnly(0x204)
    KERNEL_W_M1 = ReadOnly(0x208)
    KERNEL_H_M1 = ReadOnly(0x20C)
    OFM_CBLK_WIDTH_M1 = ReadOnly(0x210)
    OFM_CBLK_HEIGHT_M1 = ReadOnly(0x214)
    OFM_CBLK_DEPTH_M1 = ReadOnly(0x218)
    IFM_CBLK_DEPTH_M1 = ReadOnly(0x21C)
    OFM_X = ReadOnly(0x220)
    OFM_Y = ReadOnly(0x224)
    OFM_Z = ReadOnly(0x228)
    IFM_Z = ReadOnly(0x22C)
    PAD_TOP = ReadOnly(0x230)
    PAD_LEFT = ReadOnly(0x234)
    IFM_CBLK_WIDTH = ReadOnly(0x238)
    IFM_CBLK_HEIGHT = ReadOnly(0x23C)
    DMA_IFM_SRC = ReadOnly(0x240)
    DMA_IFM_SRC_HI = ReadOnly(0x244)
    DMA_IFM_DST = ReadOnly(0x248)
    DMA_OFM_SRC = ReadOnly(0x24C)
    DMA_OFM_DST = ReadOnly(0x250)
    DMA_OFM_DST_HI = ReadOnly(0x254)
    DMA_WEIGHT_SRC = ReadOnly(0x258)
    DMA_WEIGHT_SRC_HI = ReadOnly(0x25C)
    DMA_CMD_SRC = ReadOnly(0x260)
    DMA_CMD_SRC_HI = ReadOnly(0x264)
    DMA_CMD_SIZE = ReadOnly(0x268)
    DMA_M2M_SRC = ReadOnly(0x26C)
    DMA_M2M_SRC_HI = ReadOnly(0x270)
    DMA_M2M_DST = ReadOnly(0x274)
    DMA_M2M_DST_HI = ReadOnly(0x278)
    CURRENT_QREAD = ReadOnly(0x27C)
    DMA_SCALE_SRC = ReadOnly(0x280)
    DMA_SCALE_SRC_HI = ReadOnly(0x284)
    CURRENT_BLOCK = ReadOnly(0x2B4)
    CURRENT_OP = ReadOnly(0x2B8)
    CURRENT_CMD = ReadOnly(0x2BC)
    SHARED_BUFFER = ReadOnly(0x400)
    REVISION = ReadOnly(0xFC0)
    PID4 = IdentificationRegister(0xFD0, 0x04)
    PID5 = IdentificationRegister(0xFD4)
    PID6 = IdentificationRegister(0xFD8)
    PID7 = IdentificationRegister(0xFDC)
    PID0 = IdentificationRegister(0xFE0, 0x80, 0x81)
    PID1 = IdentificationRegister(0xFE4, 0xB5)
    PID2 = IdentificationRegister(0xFE8, 0x0B)
    PID3 = IdentificationRegister(0xFEC)
    CID0 = IdentificationRegister(0xFF0, 0x0D)
    CID1 = IdentificationRegister(0xFF4, 0xF0)
    CID2 = IdentificationRegister(0xFF8, 0x05)
    CID3 = IdentificationRegister(0xFFC, 0xB1)


SHARED_BUFFER_REGISTERS = 256
REGISTERS = {register.offset: register for register in words_of(Reg, Register)}
STORED = {register.offset: register for register in words_of(Reg, StoredRegister)}
IDENTIFICATION = {register.offset: register for register in words_of(Reg, IdentificationRegister)}
PMU_REGISTERS = {register.offset: register for register in words_of(Reg, PmuRegister)}

REGION_BASES = (
    (Reg.BASEP0, Reg.BASEP1),
    (Reg.BASEP2, Reg.BASEP3),
    (Reg.BASEP4, Reg.BASEP5),
    (Reg.BASEP6, Reg.BASEP7),
    (Reg.BASEP8, Reg.BASEP9),
    (Reg.BASEP10, Reg.BASEP11),
    (Reg.BASEP12, Reg.BASEP13),
    (Reg.BASEP14, Reg.BASEP15),
)
REGION_PORTS = (
    Reg.REGIONCFG.region0,
    Reg.REGIONCFG.region1,
    Reg.REGIONCFG.region2,
    Reg.REGIONCFG.region3,
    Reg.REGIONCFG.region4,
    Reg.REGIONCFG.region5,
    Reg.REGIONCFG.region6,
    Reg.REGIONCFG.region7,
)


class Status(IntFlag):
    """The flags of STATUS."""

    RUNNING = Reg.STATUS.state.mask
    IRQ_RAISED = Reg.STATUS.irq_raised.mask
    BUS_STATUS = Reg.STATUS.bus_status.mask
    RESET_STATUS = Reg.STATUS.reset_status.mask
    CMD_PARSE_ERROR = Reg.STATUS.cmd_parse_error.mask
    CMD_END_REACHED = Reg.STATUS.cmd_end_reached.mask
    PMU_IRQ_RAISED = Reg.STATUS.pmu_irq_raised.mask
    WD_FAULT = Reg.STATUS.wd_fault.mask
    ECC_FAULT = Reg.STATUS.ecc_fault.mask
    FAULTING_AXI1 = Reg.STATUS.faulting_interface.mask


STATUS_ERRORS = Status.BUS_STATUS | Status.CMD_PARSE_ERROR | Status.WD_FAULT | Status.ECC_FAULT


class Command(IntFlag):
    """The flags of CMD."""

    RUN = Reg.CMD.transition_to_running_state.mask
    CLEAR_IRQ = Reg.CMD.clear_irq.mask
    CLOCK_Q_ENABLE = Reg.CMD.clock_q_enable.mask
    POWER_Q_ENABLE = Reg.CMD.power_q_enable.mask
    STOP_REQUEST = Reg.CMD.stop_request.mask


CMD_RESET_VALUE = Command.CLOCK_Q_ENABLE | Command.POWER_Q_ENABLE
