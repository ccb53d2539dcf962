// SPDX-License-Identifier: Apache-2.0
/** @file The registers of Ethos-U that the driver uses, by the manual's names. */
#ifndef ETHOSMITH_NPU_NPU_REGISTERS_H
#define ETHOSMITH_NPU_NPU_REGISTERS_H

#include <stdint.h>

enum npu_register {
    NPU_ID = 0x000,
    NPU_STATUS = 0x004,
    NPU_CMD = 0x008,
    NPU_RESET = 0x00C,
    NPU_QBASE0 = 0x010,
    NPU_QBASE1 = 0x014,
    NPU_QREAD = 0x018,
    NPU_QCONFIG = 0x01C,
    NPU_QSIZE = 0x020,
    NPU_PROT = 0x024,
    NPU_CONFIG = 0x028,
    NPU_POWER_CTRL = 0x038, // Ethos-U85 alone
    NPU_REGIONCFG = 0x03C,
    NPU_AXI_LIMIT0 = 0x040, // four, 4 bytes apart; not on Ethos-U85
    NPU_MEM_ATTR0 = 0x040,  // the same place on Ethos-U85: four, 4 bytes apart
    NPU_AXI_SRAM = 0x050,   // Ethos-U85 alone
    NPU_AXI_EXT = 0x054,    // Ethos-U85 alone
    NPU_BASEP0 = 0x080,     // eight pairs of low and high word, 8 bytes apart
    // The PMU; on Ethos-U85 it is NPU_U85_PMU_OFFSET further up.
    NPU_PMCR = 0x180,
    NPU_PMCNTENSET = 0x184,
    NPU_PMCNTENCLR = 0x188,
    NPU_PMOVSSET = 0x18C,
    NPU_PMOVSCLR = 0x190,
    NPU_PMINTSET = 0x194,
    NPU_PMINTCLR = 0x198,
    NPU_PMCCNTR_LO = 0x1A0,
    NPU_PMCCNTR_HI = 0x1A4,
    NPU_PMEVCNTR0 = 0x300,  // four, 4 bytes apart; eight on Ethos-U85
    NPU_PMEVTYPER0 = 0x380, // likewise
};

#define NPU_U85_PMU_OFFSET 0x1000u

#define NPU_STATUS_STATE_RUNNING (1u << 0)
#define NPU_STATUS_IRQ_RAISED (1u << 1)
#define NPU_STATUS_BUS_STATUS (1u << 2)
#define NPU_STATUS_RESET_STATUS (1u << 3)
#define NPU_STATUS_CMD_PARSE_ERROR (1u << 4)
#define NPU_STATUS_CMD_END_REACHED (1u << 5)
#define NPU_STATUS_WD_FAULT (1u << 7) // reads 0 on Ethos-U85
#define NPU_STATUS_ECC_FAULT (1u << 8)
#define NPU_STATUS_BRANCH_FAULT (1u << 9) // reads 0 on Ethos-U55 and Ethos-U65
#define NPU_STATUS_ERRORS                                                                          \
    (NPU_STATUS_BUS_STATUS | NPU_STATUS_CMD_PARSE_ERROR | NPU_STATUS_WD_FAULT |                    \
     NPU_STATUS_ECC_FAULT | NPU_STATUS_BRANCH_FAULT)
#define NPU_STATUS_FAULTING_INTERFACE (1u << 11)
#define NPU_STATUS_FAULTING_CHANNEL(status) (((status) >> 12) & 0xFu)

#define NPU_CMD_TRANSITION_TO_RUNNING_STATE (1u << 0)
#define NPU_CMD_CLEAR_IRQ (1u << 1)
#define NPU_CMD_CLOCK_Q_ENABLE (1u << 2)
#define NPU_CMD_POWER_Q_ENABLE (1u << 3)
#define NPU_CMD_STOP_REQUEST (1u << 4)

#define NPU_RESET_PENDING_CPL_PRIVILEGED (1u << 0)
#define NPU_RESET_PENDING_CSL_NON_SECURE (1u << 1)
#define NPU_PROT_MASK 3u

#define NPU_CONFIG_MACS_PER_CC(config) ((config)&0xFu) // log2
#define NPU_CONFIG_CMD_STREAM_VERSION(config) (((config) >> 4) & 0xFu)
#define NPU_CONFIG_PRODUCT(config) ((config) >> 28)
// Product, stream version and MACs; the SHRAM size, or on Ethos-U85 ports and weight decoders.
#define NPU_CONFIG_MASK 0xF000FFFFu

#define NPU_PRODUCT_U85 2u

#define NPU_ID_ARCH_MAJOR_REV(id) ((id) >> 28)
#define NPU_ID_ARCH_MINOR_REV(id) (((id) >> 20) & 0xFFu)

#define NPU_AXI_LIMIT_MAX_OUTSTANDING_READ_M1_SHIFT 16
#define NPU_AXI_LIMIT_MAX_OUTSTANDING_WRITE_M1_SHIFT 24

// AXI_SRAM and AXI_EXT of Ethos-U85; reads in bits 5:0.
#define NPU_AXI_PORT_MAX_OUTSTANDING_WRITE_M1_SHIFT 8
#define NPU_AXI_PORT_MAX_BEATS_SHIFT 16
#define NPU_MEM_ATTR_AXI_PORT_EXT (1u << 2)

#define NPU_PMCR_CNT_EN (1u << 0)
#define NPU_PMCR_EVENT_CNT_RST (1u << 1)
#define NPU_PMCR_CYCLE_CNT_RST (1u << 2)
#define NPU_PMCNTEN_CYCLE_CNT (1u << 31)

/** Values of PMEVTYPER. */
enum npu_pmu_event {
    NPU_PMU_NO_EVENT = 0,
    NPU_PMU_NPU_ACTIVE = 0x23,
    // Port AXI0 is the SRAM ports of Ethos-U85, AXI1 its EXT ports.
    NPU_PMU_AXI0_RD_DATA_BEAT_RECEIVED = 0x82,
    NPU_PMU_AXI0_WR_DATA_BEAT_WRITTEN = 0x87,
    NPU_PMU_AXI1_RD_DATA_BEAT_RECEIVED = 0x182,
    NPU_PMU_AXI1_WR_DATA_BEAT_WRITTEN = 0x187, // Ethos-U55 does not write there
};

#endif
