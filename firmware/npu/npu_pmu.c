// SPDX-License-Identifier: Apache-2.0
#include "npu_pmu.h"

#include "npu_access.h"
#include "npu_registers.h"

static const uint32_t ALL_COUNTERS = NPU_PMCNTEN_CYCLE_CNT | ((1u << NPU_EVENT_COUNTERS) - 1);

void npu_pmu_start(const struct npu *npu, const uint32_t events[NPU_EVENT_COUNTERS]) {
    npu_write(npu, NPU_PMCNTENCLR, ALL_COUNTERS);
    npu_write(npu, NPU_PMINTCLR, ALL_COUNTERS);
    npu_write(npu, NPU_PMOVSCLR, ALL_COUNTERS);
    for (uint32_t i = 0; i < NPU_EVENT_COUNTERS; i++) {
        npu_write(npu, NPU_PMEVTYPER0 + 4 * i, events[i]);
    }
    npu_write(npu, NPU_PMCR, NPU_PMCR_CNT_EN | NPU_PMCR_EVENT_CNT_RST | NPU_PMCR_CYCLE_CNT_RST);
    npu_write(npu, NPU_PMCNTENSET, ALL_COUNTERS);
}

void npu_pmu_stop(const struct npu *npu, struct npu_counts *counts) {
    npu_write(npu, NPU_PMCNTENCLR, ALL_COUNTERS);
    uint64_t low = npu_read(npu, NPU_PMCCNTR_LO);
    uint64_t high = npu_read(npu, NPU_PMCCNTR_HI);
    counts->cycles = high << 32 | low;
    for (uint32_t i = 0; i < NPU_EVENT_COUNTERS; i++) {
        counts->events[i] = npu_read(npu, NPU_PMEVCNTR0 + 4 * i);
    }
}
