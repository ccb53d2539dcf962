// SPDX-License-Identifier: Apache-2.0
/** @file The NPU's performance monitoring unit. */
#ifndef ETHOSMITH_NPU_NPU_PMU_H
#define ETHOSMITH_NPU_NPU_PMU_H

#include "npu.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Zeroes all counters and starts them.
 *
 * @param npu initialised.
 * @param events what to count beside cycles, values of enum npu_pmu_event; Ethos-U55 and Ethos-U65
 *     count the first four.
 */
void npu_pmu_start(const struct npu *npu, const uint32_t events[NPU_EVENT_COUNTERS]);

/**
 * Stops all counters and reads them.
 *
 * @param npu initialised.
 * @param counts zero; filled in, but for the counters that the NPU does not have.
 */
void npu_pmu_stop(const struct npu *npu, struct npu_counts *counts);

#ifdef __cplusplus
}
#endif

#endif
