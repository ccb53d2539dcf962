// SPDX-License-Identifier: Apache-2.0
// The NPU's performance monitoring unit.
#ifndef ETHOSMITH_NPU_NPU_PMU_H
#define ETHOSMITH_NPU_NPU_PMU_H

#include "npu.h"

// Sets all counters to zero and lets them count cycles and `events`.
void npu_pmu_start(const struct npu *npu, const uint32_t events[NPU_EVENT_COUNTERS]);

// Stops and reads the counters.
void npu_pmu_stop(const struct npu *npu, struct npu_counts *counts);

#endif
