/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_PMU_ETHOSU_H
#define FAKE_PMU_ETHOSU_H

#include "ethosu_driver.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As the original: only the driver's own build defines the product. */
#if !defined(ETHOSU55) && !defined(ETHOSU65) && !defined(ETHOSU85)
#error No NPU target defined
#endif

#define ETHOSU_PMU_NCOUNTERS 4
#define ETHOSU_PMU_CCNT_Msk (1UL << 31)

/* Names of events; the numbers are the device's own matter. */
enum ethosu_pmu_event_type {
    ETHOSU_PMU_NO_EVENT,
    ETHOSU_PMU_CYCLE,
    ETHOSU_PMU_NPU_IDLE,
    ETHOSU_PMU_NPU_ACTIVE,
    ETHOSU_PMU_AXI0_RD_DATA_BEAT_RECEIVED,
    ETHOSU_PMU_AXI0_WR_DATA_BEAT_WRITTEN,
    ETHOSU_PMU_AXI1_RD_DATA_BEAT_RECEIVED,
    ETHOSU_PMU_AXI1_WR_DATA_BEAT_WRITTEN,
    ETHOSU_PMU_SENTINEL
};

void ETHOSU_PMU_Enable(struct ethosu_driver *drv);
void ETHOSU_PMU_Set_EVTYPER(struct ethosu_driver *drv, uint32_t num,
                            enum ethosu_pmu_event_type type);
void ETHOSU_PMU_CYCCNT_Reset(struct ethosu_driver *drv);
void ETHOSU_PMU_EVCNTR_ALL_Reset(struct ethosu_driver *drv);
void ETHOSU_PMU_CNTR_Enable(struct ethosu_driver *drv, uint32_t mask);
void ETHOSU_PMU_CNTR_Disable(struct ethosu_driver *drv, uint32_t mask);
uint64_t ETHOSU_PMU_Get_CCNTR(struct ethosu_driver *drv);
uint32_t ETHOSU_PMU_Get_EVCNTR(struct ethosu_driver *drv, uint32_t num);

#ifdef __cplusplus
}
#endif

#endif
