/* SPDX-License-Identifier: Apache-2.0 */
#include "pmu_ethosu.h"

#include "ethosu_device.h"

enum { PMCR_ENABLE = 1 << 0, PMCR_RESET_EVENTS = 1 << 1, PMCR_RESET_CYCLES = 1 << 2 };

static const uint16_t NUMBERS[ETHOSU_PMU_SENTINEL] = {
    [ETHOSU_PMU_CYCLE] = 0x11,
    [ETHOSU_PMU_NPU_IDLE] = 0x20,
    [ETHOSU_PMU_NPU_ACTIVE] = 0x23,
    [ETHOSU_PMU_AXI0_RD_DATA_BEAT_RECEIVED] = 0x82,
    [ETHOSU_PMU_AXI0_WR_DATA_BEAT_WRITTEN] = 0x87,
    [ETHOSU_PMU_AXI1_RD_DATA_BEAT_RECEIVED] = 0x182,
    [ETHOSU_PMU_AXI1_WR_DATA_BEAT_WRITTEN] = 0x187,
};

void ETHOSU_PMU_Enable(struct ethosu_driver *drv) { write_reg(&drv->dev, REG_PMCR, PMCR_ENABLE); }

void ETHOSU_PMU_Set_EVTYPER(struct ethosu_driver *drv, uint32_t num,
                            enum ethosu_pmu_event_type type) {
    write_reg(&drv->dev, REG_PMEVTYPER0 + 4 * num, NUMBERS[type]);
}

void ETHOSU_PMU_CYCCNT_Reset(struct ethosu_driver *drv) {
    write_reg(&drv->dev, REG_PMCR, PMCR_ENABLE | PMCR_RESET_CYCLES);
}

void ETHOSU_PMU_EVCNTR_ALL_Reset(struct ethosu_driver *drv) {
    write_reg(&drv->dev, REG_PMCR, PMCR_ENABLE | PMCR_RESET_EVENTS);
}

void ETHOSU_PMU_CNTR_Enable(struct ethosu_driver *drv, uint32_t mask) {
    write_reg(&drv->dev, REG_PMCNTENSET, mask);
}

void ETHOSU_PMU_CNTR_Disable(struct ethosu_driver *drv, uint32_t mask) {
    write_reg(&drv->dev, REG_PMCNTENCLR, mask);
}

uint64_t ETHOSU_PMU_Get_CCNTR(struct ethosu_driver *drv) {
    uint64_t low = read_reg(&drv->dev, REG_PMCCNTR_LO);
    return (uint64_t)read_reg(&drv->dev, REG_PMCCNTR_HI) << 32 | low;
}

uint32_t ETHOSU_PMU_Get_EVCNTR(struct ethosu_driver *drv, uint32_t num) {
    return read_reg(&drv->dev, REG_PMEVCNTR0 + 4 * num);
}
