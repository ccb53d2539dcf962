# SPDX-License-Identifier: Apache-2.0
"""Every register of Ethos-U85's page but those that show commands, by the manual's name."""

from __future__ import annotations

from ethosu_model.enums import Product
from ethosu_model.fields import bits, choice, flag, words_of
from ethosu_model.register_words import (
    ClkForceRegister,
    CmdRegister,
    CycleCountHigh,
    IdentificationRegister,
    IdRegister,
    PmcrRegister,
    PmuCount,
    PmuRegister,
    ProtRegister,
    ReadOnly,
    Register,
    ResetRegister,
    StoredRegister,
    WholeWord,
    WordAddress,
)
from ethosu_model.u85.enums import AxiPort


class StatusRegister(Register):
    """What the NPU does, and why it stopped."""

    state = flag(0)
    irq_raised = flag(1)
    bus_status = flag(2)
    reset_status = flag(3)
    cmd_parse_error = flag(4)
    cmd_end_reached = flag(5)
    pmu_irq_raised = flag(6)
    ecc_fault = flag(8)
    branch_fault = flag(9)
    faulting_interface = choice(11, 1, AxiPort)
    faulting_channel = bits(12, 4)
    irq_history_mask = bits(16, 16)


class ConfigRegister(Register):
    """The build of the NPU; ports and decoders are powers of two."""

    macs_per_cc = bits(0, 4)
    cmd_stream_version = bits(4, 4)
    num_axi_sram = bits(8, 2)
    num_axi_ext = bits(10, 1)
    num_wd = bits(12, 2)
    custom_dma = flag(27)
    product = choice(28, 4, Product)


class ConditionStatus(Register):
    """What NPU_OP_BRANCH looks at."""

    result_flag = flag(0)


class PowerControl(StoredRegister):
    """How fast the MAC array may start up."""

    mac_step_cycles = bits(0, 6)


class QConfigRegister(StoredRegister):
    """Which MEM_ATTR the fetch of commands has."""

    cmd_region0 = bits(0, 2)


class RegionConfigRegister(StoredRegister):
    """Which MEM_ATTR each region has."""

    region0 = bits(0, 2)
    region1 = bits(2, 2)
    region2 = bits(4, 2)
    region3 = bits(6, 2)
    region4 = bits(8, 2)
    region5 = bits(10, 2)
    region6 = bits(12, 2)
    region7 = bits(14, 2)


class MemAttrRegister(StoredRegister):
    """A port and the attributes of transfers through it."""

    mem_domain = bits(0, 2)
    axi_port = choice(2, 1, AxiPort)
    memtype = bits(4, 4)


class AxiRegister(StoredRegister):
    """Limits of a port's outstanding transfers."""

    max_outstanding_read_m1 = bits(0, 6)
    max_outstanding_write_m1 = bits(8, 5)
    max_beats = bits(16, 2)


class CounterBits(PmuRegister):
    """One bit per counter."""

    event_cnt_0 = flag(0)
    event_cnt_1 = flag(1)
    event_cnt_2 = flag(2)
    event_cnt_3 = flag(3)
    event_cnt_4 = flag(4)
    event_cnt_5 = flag(5)
    event_cnt_6 = flag(6)
    event_cnt_7 = flag(7)
    cycle_cnt = flag(31)


class CycleCountConfig(PmuRegister):
    """The events that start and stop the cycle counter, and the ports that they leave out."""

    cycle_cnt_cfg_start = bits(0, 10)
    start_port_disable = bits(12, 4)
    cycle_cnt_cfg_stop = bits(16, 10)
    stop_port_disable = bits(28, 4)


class EventType(PmuRegister):
    """The event that a counter counts, and the ports that it leaves out."""

    ev_type = bits(0, 10)
    port_disable = bits(12, 4)


class AxiChannelSelect(PmuRegister):
    """Which AXI transfers the latency events watch."""

    ch_sel = bits(0, 4)
    axi_cnt_sel = bits(8, 1)
    bw_ch_sel_en = flag(10)


class Reg:
    """The registers; MEM_ATTR, BASEP and the counters are told apart by number."""

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
    COND_STATUS = ConditionStatus(0x030)
    POWER_CTRL = PowerControl(0x038)
    REGIONCFG = RegionConfigRegister(0x03C)
    MEM_ATTR0 = MemAttrRegister(0x040)
    MEM_ATTR1 = MemAttrRegister(0x044)
    MEM_ATTR2 = MemAttrRegister(0x048)
    MEM_ATTR3 = MemAttrRegister(0x04C)
    AXI_SRAM = AxiRegister(0x050)
    AXI_EXT = AxiRegister(0x054)
    CFG_SRAM_CAP = ReadOnly(0x060)
    CFG_EXT_CAP = ReadOnly(0x064)
    CFG_SRAM_HASH0 = ReadOnly(0x068)
    CFG_SRAM_HASH0_HI = ReadOnly(0x06C)
    CFG_SRAM_HASH1 = ReadOnly(0x070)
    CFG_SRAM_HASH1_HI = ReadOnly(0x074)
    CFG_EXT_HASH0 = ReadOnly(0x078)
    CFG_EXT_HASH0_HI = ReadOnly(0x07C)
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
    CLKFORCE = ClkForceRegister(0x140)
    DEBUG_ADDRESS = WholeWord(0x144)
    DEBUG_MISC = WholeWord(0x148)
    REVISION = ReadOnly(0xFC0)
    PID4 = IdentificationRegister(0xFD0, 0x04)
    PID5 = IdentificationRegister(0xFD4)
    PID6 = IdentificationRegister(0xFD8)
    PID7 = IdentificationRegister(0xFDC)
    PID0 = IdentificationRegister(0xFE0, 0x82)
    PID1 = IdentificationRegister(0xFE4, 0xB5)
    PID2 = IdentificationRegister(0xFE8, 0x0B)
    PID3 = IdentificationRegister(0xFEC)
    CID0 = IdentificationRegister(0xFF0, 0x0D)
    CID1 = IdentificationRegister(0xFF4, 0xF0)
    CID2 = IdentificationRegister(0xFF8, 0x05)
    CID3 = IdentificationRegister(0xFFC, 0xB1)
    WD_STATUS = ReadOnly(0x1100)
    MAC_STATUS = ReadOnly(0x1104)
    AO_STATUS = ReadOnly(0x1108)
    DMA_STATUS0 = ReadOnly(0x1110)
    DMA_STATUS1 = ReadOnly(0x1114)
    PMCR = PmcrRegister(0x1180)
    PMCNTENSET = CounterBits(0x1184)
    PMCNTENCLR = CounterBits(0x1188)
    PMOVSSET = CounterBits(0x118C)
    PMOVSCLR = CounterBits(0x1190)
    PMINTSET = CounterBits(0x1194)
    PMINTCLR = CounterBits(0x1198)
    PMCCNTR_LO = PmuCount(0x11A0)
    PMCCNTR_HI = CycleCountHigh(0x11A4)
    PMCCNTR_CFG = CycleCountConfig(0x11A8)
    PMCAXI_CHAN = AxiChannelSelect(0x11AC)
    PMCLUT = WholeWord(0x11B0)


EVENT_COUNTERS = 8
COUNTER_REGISTERS: tuple[PmuRegister, ...] = tuple(
    PmuCount(0x1300 + 4 * number) for number in range(EVENT_COUNTERS)
)
TYPE_REGISTERS = tuple(EventType(0x1380 + 4 * number) for number in range(EVENT_COUNTERS))

STORED = {register.offset: register for register in words_of(Reg, StoredRegister)}
IDENTIFICATION = {register.offset: register for register in words_of(Reg, IdentificationRegister)}
PMU_REGISTERS: dict[int, PmuRegister] = {
    register.offset: register
    for register in (*words_of(Reg, PmuRegister), *COUNTER_REGISTERS, *TYPE_REGISTERS)
}
REGION_ATTRIBUTES = (
    Reg.REGIONCFG.region0,
    Reg.REGIONCFG.region1,
    Reg.REGIONCFG.region2,
    Reg.REGIONCFG.region3,
    Reg.REGIONCFG.region4,
    Reg.REGIONCFG.region5,
    Reg.REGIONCFG.region6,
    Reg.REGIONCFG.region7,
)
MEMORY_ATTRIBUTES = (Reg.MEM_ATTR0, Reg.MEM_ATTR1, Reg.MEM_ATTR2, Reg.MEM_ATTR3)
