// SPDX-License-Identifier: Apache-2.0
// Driver of the Ethos-U55 and Ethos-U65, for one job at a time on bare metal.
//
// It knows nothing of the board: addresses come with npu_setup, and what the driver needs of
// the system (sleep, caches) comes as functions.
#ifndef ETHOSMITH_NPU_NPU_H
#define ETHOSMITH_NPU_NPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npu_payload.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NPU_REGIONS = 8, NPU_AXI_LIMITS = 4, NPU_EVENT_COUNTERS = 4, NPU_ALIGNMENT_BYTES = 16 };

// What the driver needs of the system. All of them must be given.
struct npu_system {
    // Sleeps until `*done` is set by npu_interrupt(); false after the time-out.
    bool (*wait)(const volatile bool *done, uint32_t timeout_ms);
    uint32_t (*clock_ms)(void);
    // Makes CPU writes visible to the NPU.
    void (*cache_clean)(const void *start, size_t size_bytes);
    // Makes NPU writes visible to the CPU.
    void (*cache_invalidate)(const void *start, size_t size_bytes);
};

struct npu_setup {
    uintptr_t address; // of the register page
    uint32_t timeout_ms;
    // The same for all AXI limit counters.
    uint32_t max_beats_bytes; // 64, 128 or 256
    uint32_t max_outstanding_reads;
    uint32_t max_outstanding_writes;
    struct npu_system system;
};

// Memory that the command stream names by its index.
struct npu_region {
    const void *start;
    uint32_t size_bytes; // 0: the job does not use the region
    uint32_t axi_limit;  // 0 and 1: port AXI0, 2 and 3: port AXI1
    bool written;        // by the NPU
};

struct npu_job {
    struct npu_payload payload;
    uint32_t stream_axi_limit;
    struct npu_region regions[NPU_REGIONS];
};

struct npu_counts {
    uint64_t cycles;
    uint32_t events[NPU_EVENT_COUNTERS];
};

enum npu_error {
    NPU_OK,
    NPU_RESET_TIMEOUT,
    NPU_ABSENT,
    NPU_WRONG_MACS,
    NPU_WRONG_CONFIG,
    NPU_WRONG_ARCHITECTURE,
    NPU_WRONG_STREAM_VERSION,
    NPU_BAD_ADDRESS,
    NPU_TIMEOUT,
    NPU_FAILED,
};

struct npu {
    const struct npu_setup *setup;
    volatile bool done;
    volatile uint32_t status; // STATUS as the interrupt found it
    // What npu_describe() tells of the last error.
    uint32_t expected;
    uint32_t found;
    uint32_t queue_read_bytes;
};

// Resets the NPU and checks that there is one.
enum npu_error npu_init(struct npu *npu, const struct npu_setup *setup);

// Checks that the NPU is the one that `payload` was made for, with `macs` per cycle.
enum npu_error npu_check(struct npu *npu, const struct npu_payload *payload, uint32_t macs);

// Runs a job to its end and counts `events` (values of npu_pmu_event) on the way.
// After an error the NPU is reset, so that the next job may run.
enum npu_error npu_run(struct npu *npu, const struct npu_job *job,
                       const uint32_t events[NPU_EVENT_COUNTERS], struct npu_counts *counts);

// To be called by the handler of the NPU's interrupt.
void npu_interrupt(struct npu *npu);

// Appends one line's worth of words about `error`, as the last call on `npu` returned it.
void npu_describe(const struct npu *npu, enum npu_error error, struct text *text);

#ifdef __cplusplus
}
#endif

#endif
