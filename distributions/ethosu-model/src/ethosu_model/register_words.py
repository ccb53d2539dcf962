# SPDX-License-Identifier: Apache-2.0
"""The kinds of registers, with their fields."""

from __future__ import annotations

from ethosu_model.enums import MemAttr, Product
from ethosu_model.fields import Word, bits, choice, flag


class Register(Word):
    """A 32-bit register.

    Attributes:
        offset: In the register page, in bytes.
    """

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset


class StoredRegister(Register):
    """A register that reads back the fields of what was written; zero after a reset."""


class ReadOnly(Register):
    """A register of internal state that a functional model has not: it reads zero."""

    value = bits(0, 32)


class IdRegister(Register):
    """Version of the implementation and of the architecture."""

    version_status = bits(0, 4)
    version_minor = bits(4, 4)
    version_major = bits(8, 4)
    product_major = bits(12, 4)
    arch_patch_rev = bits(16, 4)
    arch_minor_rev = bits(20, 8)
    arch_major_rev = bits(28, 4)


class StatusRegister(Register):
    """What the NPU does, and why it stopped."""

    state = flag(0)
    irq_raised = flag(1)
    bus_status = flag(2)
    reset_status = flag(3)
    cmd_parse_error = flag(4)
    cmd_end_reached = flag(5)
    pmu_irq_raised = flag(6)
    wd_fault = flag(7)
    ecc_fault = flag(8)
    faulting_interface = bits(11, 1)
    faulting_channel = bits(12, 4)
    irq_history_mask = bits(16, 16)


class CmdRegister(Register):
    """Run, clear interrupts, and the requests to clock and power control."""

    transition_to_running_state = flag(0)
    clear_irq = flag(1)
    clock_q_enable = flag(2)
    power_q_enable = flag(3)
    stop_request = flag(4)
    clear_irq_history = bits(16, 16)


class ResetRegister(Register):
    """A write resets, and takes these levels."""

    pending_cpl = bits(0, 1)
    pending_csl = bits(1, 1)


class ProtRegister(Register):
    """The levels in force."""

    active_cpl = bits(0, 1)
    active_csl = bits(1, 1)


class WholeWord(StoredRegister):
    """A register without fields."""

    value = bits(0, 32)


class WordAddress(StoredRegister):
    """A byte address or size of whole words."""

    word = bits(2, 30)


class QConfigRegister(StoredRegister):
    """The port that fetches commands."""

    cmd_region0 = choice(0, 2, MemAttr)


class ConfigRegister(Register):
    """The build of the NPU."""

    macs_per_cc = bits(0, 4)
    cmd_stream_version = bits(4, 4)
    shram_size = bits(8, 8)
    functional_safety = flag(26)
    custom_dma = flag(27)
    product = choice(28, 4, Product)


class RegionConfigRegister(StoredRegister):
    """The port of each region."""

    region0 = choice(0, 2, MemAttr)
    region1 = choice(2, 2, MemAttr)
    region2 = choice(4, 2, MemAttr)
    region3 = choice(6, 2, MemAttr)
    region4 = choice(8, 2, MemAttr)
    region5 = choice(10, 2, MemAttr)
    region6 = choice(12, 2, MemAttr)
    region7 = choice(14, 2, MemAttr)


class AxiLimitRegister(StoredRegister):
    """Limits of one counter of outstanding transfers, at the widest of all versions."""

    max_beats = bits(0, 2)
    memtype = bits(4, 4)
    max_outstanding_read_m1 = bits(16, 8)
    max_outstanding_write_m1 = bits(24, 8)


class ClkForceRegister(StoredRegister):
    """Clocks that are not to be gated."""

    top_level_clk = flag(0)
    cc_clk = flag(1)
    dma_clk = flag(2)
    mac_clk = flag(3)
    ao_clk = flag(4)
    wd_clk = flag(5)


class IdentificationRegister(Register):
    """A CoreSight identification register: a constant.

    Attributes:
        reads: By product.
    """

    value = bits(0, 8)

    def __init__(self, offset: int, u55: int = 0, u65: int | None = None) -> None:
        super().__init__(offset)
        self.reads = {
            Product.U55: u55,
            Product.U65: u55 if u65 is None else u65,
            Product.U85: u55,  # whose table has a register of its own wherever it differs
        }


class PmuRegister(Register):
    """A register of the PMU; it serves them itself."""


class PmcrRegister(PmuRegister):
    """Control of the counters."""

    cnt_en = flag(0)
    event_cnt_rst = flag(1)
    cycle_cnt_rst = flag(2)
    mask_en = flag(3)
    num_event_cnt = bits(11, 5)


class CounterBits(PmuRegister):
    """One bit per counter."""

    event_cnt_0 = flag(0)
    event_cnt_1 = flag(1)
    event_cnt_2 = flag(2)
    event_cnt_3 = flag(3)
    cycle_cnt = flag(31)


class PmuCount(PmuRegister):
    """32 bits of a counter."""

    count = bits(0, 32)


class CycleCountHigh(PmuRegister):
    """The upper 16 bits of the cycle counter."""

    count = bits(0, 16)


class CycleCountConfig(PmuRegister):
    """The events that start and stop the cycle counter."""

    cycle_cnt_cfg_start = bits(0, 10)
    cycle_cnt_cfg_stop = bits(16, 10)


class AxiChannelSelect(PmuRegister):
    """Which AXI transfers the latency events watch."""

    ch_sel = bits(0, 4)
    axi_cnt_sel = bits(8, 2)
    bw_ch_sel_en = flag(10)


class EventType(PmuRegister):
    """The event that a counter counts."""

    ev_type = bits(0, 10)
