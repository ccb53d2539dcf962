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

// What to add to the offset of a register of the PMU.
static uint32_t pmu_offset(const struct npu *npu) {
    uint32_t offset = npu->u85 ? NPU_U85_PMU_OFFSET : 0;
    __asm("" : "+r"(offset)); // one base for all registers: their accesses stay next to each other
    return offset;
}

// Writing 0 to PMOVSSET and PMINTSET does nothing.
void npu_pmu_start(const struct npu *npu, const uint32_t events[NPU_EVENT_COUNTERS]) {
    uint32_t pmu = pmu_offset(npu);
    uint32_t all = all_counters(npu);
    const uint32_t cleared[] = {0, all, 0, all}; // PMOVSSET, PMOVSCLR, PMINTSET, PMINTCLR
    npu_write_words(npu, pmu + NPU_PMOVSSET, cleared, 4);
    npu_write_words(npu, pmu + NPU_PMEVTYPER0, events, counters(npu));
    const uint32_t control = NPU_PMCR_CNT_EN | NPU_PMCR_EVENT_CNT_RST | NPU_PMCR_CYCLE_CNT_RST;
    npu_write(npu, pmu + NPU_PMCNTENCLR, all);
    npu_write(npu, pmu + NPU_PMCR, control);
    npu_write(npu, pmu + NPU_PMCNTENSET, all);
}

void npu_pmu_stop(const struct npu *npu, struct npu_counts *counts) {
    uint32_t pmu = pmu_offset(npu);
    uint32_t all = all_counters(npu);
    npu_write(npu, pmu + NPU_PMCNTENCLR, all);
    uint32_t low = npu_read(npu, pmu + NPU_PMCCNTR_LO);
    uint32_t high = npu_read(npu, pmu + NPU_PMCCNTR_HI);
    npu_read_words(npu, pmu + NPU_PMEVCNTR0, counts->events, counters(npu));
    counts->cycles = (uint64_t)high << 32 | low;
}
