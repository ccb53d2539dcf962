// SPDX-License-Identifier: Apache-2.0
// The driver with the test as its hardware and system; called by way of ctypes.
#include "npu_registers.h"
#include <stdlib.h>
#include <string.h>

struct functions {
    uint32_t (*read)(uint32_t offset);
    void (*write)(uint32_t offset, uint32_t value);
    bool (*wait)(uint32_t timeout_ms);
    uint32_t (*clock_ms)(void);
    void (*cache)(bool clean, uint64_t start, uint64_t size_bytes);
};

static struct functions test;
static struct npu npu;
static struct npu_job job;

uint32_t fake_read(uint32_t offset) { return test.read(offset); }

void fake_write(uint32_t offset, uint32_t value) { test.write(offset, value); }

// The driver has to pass its context to each callback.
static const struct functions *given(void *context) {
    if (context != &test) {
        abort();
    }
    return context;
}

static bool wait(void *context, const volatile bool *done, uint32_t timeout_ms) {
    bool in_time = given(context)->wait(timeout_ms);
    return in_time && *done;
}

static uint32_t clock_ms(void *context) { return given(context)->clock_ms(); }

static void clean(void *context, const void *start, size_t size_bytes) {
    given(context)->cache(true, (uintptr_t)start, size_bytes);
}

static void invalidate(void *context, const void *start, size_t size_bytes) {
    given(context)->cache(false, (uintptr_t)start, size_bytes);
}

static const struct npu_setup SETUP = {.address = 0x58102000,
                                       .timeout_ms = 250,
                                       .max_beats_bytes = 128,
                                       .max_outstanding_reads = 32,
                                       .max_outstanding_writes = 16,
                                       .system = {&test, wait, clock_ms, clean, invalidate}};

void harness_connect(const void *functions) { memcpy(&test, functions, sizeof test); }

enum npu_error harness_init(void) { return npu_init(&npu, &SETUP); }

enum npu_error harness_check(uint32_t config, uint32_t id, uint32_t macs) {
    struct npu_payload payload = {.config = config, .id = id};
    return npu_check(&npu, &payload, macs);
}

// `regions`: start, size and AXI limit of each of the eight. An output is the second half of the
// input.
enum npu_error harness_prepare(uint64_t stream, uint32_t stream_bytes, uint32_t axi_limit,
                               const uint64_t *regions, uint64_t input, uint32_t input_bytes) {
    static struct npu_buffer buffers[2];
    buffers[0] = (struct npu_buffer){(const void *)(uintptr_t)input, input_bytes};
    buffers[1] =
        (struct npu_buffer){(const void *)(uintptr_t)(input + input_bytes / 2), input_bytes / 2};
    job = (struct npu_job){
        .payload = {.stream = (const uint8_t *)(uintptr_t)stream, .stream_bytes = stream_bytes},
        .stream_axi_limit = axi_limit,
        .inputs = &buffers[0],
        .input_count = 1,
        .outputs = &buffers[1],
        .output_count = 1};
    for (size_t i = 0; i < NPU_REGIONS; i++) {
        const uint64_t *row = regions + 3 * i;
        job.regions[i] = (struct npu_region){(const void *)(uintptr_t)row[0], (uint32_t)row[1],
                                             (uint32_t)row[2]};
    }
    return npu_prepare(&npu, &job);
}

enum npu_error harness_run(struct npu_counts *counts) {
    static const uint32_t EVENTS[NPU_EVENT_COUNTERS] = {
        NPU_PMU_NPU_ACTIVE, NPU_PMU_AXI0_RD_DATA_BEAT_RECEIVED, NPU_PMU_AXI0_WR_DATA_BEAT_WRITTEN,
        NPU_PMU_AXI1_RD_DATA_BEAT_RECEIVED};
    return npu_run(&npu, &job, EVENTS, counts);
}

void harness_interrupt(void) { npu_interrupt(&npu); }

void harness_strerror(enum npu_error error, char *buffer, uint32_t capacity_bytes) {
    npu_strerror(&npu, error, buffer, capacity_bytes);
}
