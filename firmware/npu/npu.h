// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Driver of the Ethos-U55, Ethos-U65 and Ethos-U85 for bare metal: one NPU, one job at a time.
 *
 * It reads from the NPU which of them it is.
 *
 * It depends on nothing but the C headers below. Everything that differs between boards is in
 * struct npu_setup: the address of the register page and callbacks for sleep, time and caches.
 *
 * The order of calls: npu_init() once; npu_check() for each model; npu_prepare() for each job, and
 * again after the CPU has changed its command stream, its weights or anything else that is not an
 * input; npu_run() as often as needed.
 */
#ifndef ETHOSMITH_NPU_NPU_H
#define ETHOSMITH_NPU_NPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npu_payload.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NPU_REGIONS = 8,
    NPU_AXI_LIMITS = 4,
    NPU_EVENT_COUNTERS = 8, // of Ethos-U85; the others have the first four
    NPU_ALIGNMENT_BYTES = 16,
    NPU_MESSAGE_BYTES = 120, // enough for every text of npu_strerror()
};

/** What the driver needs of the system. All callbacks are required. */
struct npu_system {
    /** Passed to each callback. */
    void *context;

    /**
     * Sleeps until npu_interrupt() sets `*done`.
     *
     * @param context of this struct.
     * @param done set from the handler of the NPU's interrupt.
     * @param timeout_ms the time limit in milliseconds.
     * @return false if the time limit passed first.
     */
    bool (*wait)(void *context, const volatile bool *done, uint32_t timeout_ms);

    /**
     * Reads a clock that may wrap around.
     *
     * @param context of this struct.
     * @return milliseconds.
     */
    uint32_t (*clock_ms)(void *context);

    /**
     * Writes dirty cache lines back, so that the NPU sees what the CPU wrote.
     *
     * @param context of this struct.
     * @param start of the memory.
     * @param size_bytes of the memory, at least 1.
     */
    void (*cache_clean)(void *context, const void *start, size_t size_bytes);

    /**
     * Drops cache lines, so that the CPU sees what the NPU wrote.
     *
     * @param context of this struct.
     * @param start of the memory.
     * @param size_bytes of the memory, at least 1.
     */
    void (*cache_invalidate)(void *context, const void *start, size_t size_bytes);
};

/** An NPU and the system around it; must outlive the struct npu that refers to it. */
struct npu_setup {
    uintptr_t address;   // of the register page
    uint32_t timeout_ms; // of a job
    // Of all limit counters; of both kinds of ports of Ethos-U85, whose SRAM ports stop at 12 reads
    // and 16 writes.
    uint32_t max_beats_bytes;        // of an AXI burst: 64, 128 or 256
    uint32_t max_outstanding_reads;  // AXI transactions, 1 to 64
    uint32_t max_outstanding_writes; // AXI transactions, 1 to 32
    struct npu_system system;
};

/** Memory that the command stream refers to by the region's index. */
struct npu_region {
    const void *start;   // 16-byte aligned
    uint32_t size_bytes; // 0: the job does not use the region
    // AXI limit counter: 0 and 1 on port AXI0, 2 and 3 on port AXI1. On Ethos-U85 the memory
    // attribute: 0 and 1 are the SRAM ports, 2 and 3 the EXT ports.
    uint32_t axi_limit;
};

/** Memory that CPU and NPU exchange, inside a region. */
struct npu_buffer {
    const void *start;
    uint32_t size_bytes;
};

/** A command stream and the memory that it works on. */
struct npu_job {
    struct npu_payload payload; // from npu_payload_parse()
    uint32_t stream_axi_limit;  // of the command stream, as in struct npu_region
    struct npu_region regions[NPU_REGIONS];
    // What the CPU writes between jobs: its cache lines are cleaned before each. The NPU may use
    // the memory for something else during the job, so its contents are undefined afterwards.
    const struct npu_buffer *inputs;
    uint32_t input_count;
    // What the CPU reads after a job: its cache lines are invalidated then.
    const struct npu_buffer *outputs;
    uint32_t output_count;
    bool prepared; // set by npu_prepare()
};

/** What the performance counters read at the end of a job. */
struct npu_counts {
    uint64_t cycles;
    uint32_t events[NPU_EVENT_COUNTERS];
};

enum npu_error {
    NPU_OK,
    NPU_RESET_TIMEOUT,
    NPU_ABSENT,
    NPU_NOT_READY,
    NPU_WRONG_MACS,
    NPU_WRONG_CONFIG,
    NPU_WRONG_ARCHITECTURE,
    NPU_WRONG_STREAM_VERSION,
    NPU_BAD_ADDRESS,
    NPU_BAD_AXI_LIMIT,
    NPU_NOT_PREPARED,
    NPU_TIMEOUT,
    NPU_FAILED,
};

/** The driver's state; its fields are the driver's own. */
struct npu {
    const struct npu_setup *setup;
    bool ready; // the last reset succeeded
    bool u85;   // which product it is, as the last reset found
    volatile bool done;
    volatile uint32_t status; // STATUS when the interrupt came, or at the time limit
    // Details of the last error, for npu_strerror().
    uint32_t place;
    uint32_t expected;
    uint32_t found;
    uint32_t queue_read_bytes;
};

/**
 * Resets the NPU to secure and privileged, and checks that there is one.
 *
 * The interrupt must stay disabled until this has returned.
 *
 * @param npu filled in, whatever the result.
 * @param setup must outlive `npu`.
 * @return NPU_OK, NPU_RESET_TIMEOUT or NPU_ABSENT.
 */
enum npu_error npu_init(struct npu *npu, const struct npu_setup *setup);

/**
 * Checks that a payload was compiled for this NPU.
 *
 * @param npu initialised.
 * @param payload from npu_payload_parse().
 * @param macs per cycle of the accelerator configuration that the model was compiled for.
 * @return NPU_OK; NPU_NOT_READY if the last reset failed; else the first difference:
 *     NPU_WRONG_MACS, NPU_WRONG_STREAM_VERSION, NPU_WRONG_CONFIG or NPU_WRONG_ARCHITECTURE.
 */
enum npu_error npu_check(struct npu *npu, const struct npu_payload *payload, uint32_t macs);

/**
 * Checks a job's memory and cleans the caches for all of it, so that npu_run() need not.
 *
 * @param npu initialised.
 * @param job marked as prepared on NPU_OK only.
 * @return NPU_OK, NPU_BAD_ADDRESS or NPU_BAD_AXI_LIMIT.
 */
enum npu_error npu_prepare(struct npu *npu, struct npu_job *job);

/**
 * Runs a job to its end and counts events on the way.
 *
 * The NPU is reset and its power kept on before its registers are set, and it is stopped and reset
 * after an error: whatever an earlier job left behind has no effect. If a reset fails, no job
 * starts until one succeeds; each call tries again.
 *
 * @param npu initialised.
 * @param job prepared.
 * @param events what to count, values of enum npu_pmu_event; those that the NPU has no counter for
 *     read as 0.
 * @param counts zero if no job was started.
 * @return NPU_OK, NPU_NOT_PREPARED, NPU_RESET_TIMEOUT, NPU_ABSENT, NPU_TIMEOUT or NPU_FAILED.
 */
enum npu_error npu_run(struct npu *npu, const struct npu_job *job,
                       const uint32_t events[NPU_EVENT_COUNTERS], struct npu_counts *counts);

/**
 * Ends the wait for a job; to be called by the handler of the NPU's interrupt.
 *
 * An interrupt that the NPU did not raise, such as one left pending by a job that was stopped, is
 * ignored.
 *
 * @param npu initialised.
 */
void npu_interrupt(struct npu *npu);

/**
 * Describes an error in one line.
 *
 * @param npu as the call that returned `error` left it.
 * @param error from a function above.
 * @param buffer for the text; NPU_MESSAGE_BYTES are always enough, a smaller one truncates it.
 * @param size_bytes of the buffer, at least 1.
 * @return `buffer`, always terminated.
 */
const char *npu_strerror(const struct npu *npu, enum npu_error error, char *buffer,
                         size_t size_bytes);

#ifdef __cplusplus
}
#endif

#endif
