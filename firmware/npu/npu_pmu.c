// SPDX-License-Identifier: Apache-2.0
#include "npu_pmu.h"

#include "npu_access.h"
#include "npu_registers.h"

enum { FEWEST_COUNTERS = 4 }; // of Ethos-U55 and Ethos-U65

static uint32_t counters(const struct npu *npu) {
    return npu->u85 ? NPU_EVENT_COUNTERS : FEWEST_COUNTERS;
}

static uint32_t all_counters(const struct npu *npu) {
    return NPU_PMCNTEN_CYCLE_CNT | ((1u << counters(npu)) - 1);
}

static void pmu_write(const struct npu *npu, uint32_t offset, uint32_t value) {
    npu_write(npu, npu->u85 ? offset + NPU_U85_PMU_OFFSET : offset, value);
}

static uint32_t pmu_read(const struct npu *npu, uint32_t offset) {
    return npu_read(npu, npu->u85 ? offset + NPU_U85_PMU_OFFSET : offset);
}

void npu_pmu_start(const struct npu *npu, const uint32_t events[NPU_EVENT_COUNTERS]) {
    pmu_write(npu, NPU_PMCNTENCLR, all_counters(npu));
    pmu_write(npu, NPU_PMINTCLR, all_counters(npu));
    pmu_write(npu, NPU_PMOVSCLR, all_counters(npu));
    for (uint32_t i = 0; i < counters(npu); i++) {
        pmu_write(npu, NPU_PMEVTYPER0 + 4 * i, events[i]);
    }
    pmu_write(npu, NPU_PMCR, NPU_PMCR_CNT_EN | NPU_PMCR_EVENT_CNT_RST | NPU_PMCR_CYCLE_CNT_RST);
    pmu_write(npu, NPU_PMCNTENSET, all_counters(npu));
}

void npu_pmu_stop(const struct npu *npu, struct npu_counts *counts) {
    pmu_write(npu, NPU_PMCNTENCLR, all_counters(npu));
    uint64_t low = pmu_read(npu, NPU_PMCCNTR_LO);
    uint64_t high = pmu_read(npu, NPU_PMCCNTR_HI);
    counts->cycles = high << 32 | low;
    for (uint32_t i = 0; i < counters(npu); i++) {
        counts->events[i] = pmu_read(npu, NPU_PMEVCNTR0 + 4 * i);
    }
}
