// SPDX-License-Identifier: Apache-2.0
// Runs the model on the NPU without an interpreter: sizes and offsets are known at build time.
// Joins a model, the NPU driver and the board. The platform is fixed when this is compiled.
#include "inference.h"

#include <string.h>

#include "hal.h"
#include "npu.h"
#include "npu_registers.h"
#include "platform.h"
#include "text.h"

enum { MESSAGE_BYTES = 160 };

struct memory {
    const char *name;
    uintptr_t address;
    uint32_t size_bytes;
    bool npu;
};

#define MEMORY_ROW(name, address, bytes, npu) {(name), (address), (bytes), (npu)},

static const struct memory MEMORIES[] = {PLATFORM_MEMORY_REGIONS(MEMORY_ROW)};

static const struct npu_setup SETUP = {
    .address = PLATFORM_NPU_ADDRESS,
    .timeout_ms = PLATFORM_NPU_TIMEOUT_MS,
    .max_beats_bytes = PLATFORM_NPU_MAX_BEATS_BYTES,
    .max_outstanding_reads = PLATFORM_NPU_MAX_OUTSTANDING_READS,
    .max_outstanding_writes = PLATFORM_NPU_MAX_OUTSTANDING_WRITES,
    .system =
        {
            .wait = hal_wait,
            .clock_ms = hal_clock_ms,
            .cache_clean = hal_cache_clean,
            .cache_invalidate = hal_cache_invalidate,
        },
};

enum { COUNT_ACTIVE, COUNT_AXI0_READ, COUNT_AXI0_WRITE, COUNT_AXI1_READ };

static const uint32_t EVENTS[NPU_EVENT_COUNTERS] = {
    [COUNT_ACTIVE] = NPU_PMU_NPU_ACTIVE,
    [COUNT_AXI0_READ] = NPU_PMU_AXI0_RD_DATA_BEAT_RECEIVED,
    [COUNT_AXI0_WRITE] = NPU_PMU_AXI0_WR_DATA_BEAT_WRITTEN,
    [COUNT_AXI1_READ] = NPU_PMU_AXI1_RD_DATA_BEAT_RECEIVED,
};

static struct npu npu;
static struct npu_job job;
static char message[MESSAGE_BYTES];

void npu_irq_handler(void) { npu_interrupt(&npu); }

static const char *failure(const char *what, const char *which, const char *why) {
    struct text text = text_in(message, sizeof message);
    text_string(&text, what);
    text_string(&text, which);
    text_string(&text, why);
    return message;
}

static const char *npu_failure(enum npu_error error) {
    if (error == NPU_OK) {
        return NULL;
    }
    struct text text = text_in(message, sizeof message);
    npu_describe(&npu, error, &text);
    return message;
}

static bool within(const void *start, uint32_t size_bytes, const struct memory *memory) {
    uintptr_t offset = (uintptr_t)start - memory->address;
    return offset <= memory->size_bytes && size_bytes <= memory->size_bytes - offset;
}

static bool npu_reaches(const void *start, uint32_t size_bytes) {
    for (size_t i = 0; i < sizeof MEMORIES / sizeof MEMORIES[0]; i++) {
        if (MEMORIES[i].npu && within(start, size_bytes, &MEMORIES[i])) {
            return true;
        }
    }
    return false;
}

static const char *add_region(const char *name, uint32_t index, const struct npu_region *region) {
    if (region->size_bytes == 0) {
        return NULL;
    }
    if (index >= NPU_REGIONS) {
        return failure("model: no such NPU region for its ", name, "");
    }
    if (job.regions[index].size_bytes != 0) {
        return failure("model: two parts in the NPU region of its ", name, "");
    }
    if (!npu_reaches(region->start, region->size_bytes)) {
        return failure("model: the NPU does not reach its ", name, "");
    }
    job.regions[index] = *region;
    return NULL;
}

static const char *add_weights(const struct model *m) {
    struct npu_region region = {m->weights, m->weights_bytes, PLATFORM_WEIGHTS_AXI_LIMIT, false};
    return add_region("weights", m->weights_region, &region);
}

static const char *add_scratch(const struct model *m) {
    struct npu_region region = {m->scratch, m->scratch_bytes, PLATFORM_SCRATCH_AXI_LIMIT, true};
    return add_region("scratch", m->scratch_region, &region);
}

static const char *add_scratch_fast(const struct model *m) {
    struct npu_region region = {m->scratch_fast, m->scratch_fast_bytes,
                                PLATFORM_SCRATCH_FAST_AXI_LIMIT, true};
    return add_region("scratch_fast", m->scratch_fast_region, &region);
}

static const char *add_command_stream(const struct model *m) {
    enum npu_payload_error error =
        npu_payload_parse(m->command_stream, m->command_stream_bytes, &job.payload);
    if (error != NPU_PAYLOAD_OK) {
        return failure("model: its command stream ", npu_payload_error_text(error), "");
    }
    if (!npu_reaches(job.payload.stream, job.payload.stream_bytes)) {
        return failure("model: the NPU does not reach its ", "command stream", "");
    }
    job.stream_axi_limit = PLATFORM_COMMAND_STREAM_AXI_LIMIT;
    return NULL;
}

static const char *check_tensors(const struct model *m, const struct tensor_info *tensors,
                                 uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (tensors[i].rank > TENSOR_MAX_RANK || inference_tensor(m, &tensors[i]) == NULL) {
            return failure("model: tensor ", tensors[i].name, " lies outside of the work areas");
        }
    }
    return NULL;
}

static const char *check_built_for(const struct model *m) {
    if (strcmp(m->accelerator_config, PLATFORM_NPU_CONFIG) != 0) {
        return failure("model: compiled for ", m->accelerator_config,
                       ", the firmware for " PLATFORM_NPU_CONFIG);
    }
    if (strcmp(m->memory_mode, PLATFORM_MEMORY_MODE) != 0) {
        return failure("model: compiled for ", m->memory_mode,
                       ", the firmware for " PLATFORM_MEMORY_MODE);
    }
    return NULL;
}

static const char *describe_job(const struct model *m) {
    job = (struct npu_job){0};
    const char *reason = check_built_for(m);
    reason = reason != NULL ? reason : add_command_stream(m);
    reason = reason != NULL ? reason : add_weights(m);
    reason = reason != NULL ? reason : add_scratch(m);
    reason = reason != NULL ? reason : add_scratch_fast(m);
    reason = reason != NULL ? reason : check_tensors(m, m->inputs, m->input_count);
    return reason != NULL ? reason : check_tensors(m, m->outputs, m->output_count);
}

const char *inference_init(const struct model *m) {
    const char *reason = describe_job(m);
    if (reason != NULL) {
        return reason;
    }
    enum npu_error error = npu_init(&npu, &SETUP);
    if (error == NPU_OK) {
        error = npu_check(&npu, &job.payload, m->macs);
    }
    if (error == NPU_OK) {
        hal_interrupt_enable(PLATFORM_NPU_IRQ);
    }
    return npu_failure(error);
}

const char *inference_run(const struct model *m, struct inference_counts *counts) {
    (void)m; // the job was made from it
    struct npu_counts raw = {0};
    enum npu_error error = npu_run(&npu, &job, EVENTS, &raw);
    *counts = (struct inference_counts){
        .cycles = raw.cycles,
        .active = raw.events[COUNT_ACTIVE],
        .axi0_read_beats = raw.events[COUNT_AXI0_READ],
        .axi0_write_beats = raw.events[COUNT_AXI0_WRITE],
        .axi1_read_beats = raw.events[COUNT_AXI1_READ],
    };
    return npu_failure(error);
}

static void *in_area(uint8_t *area, uint32_t area_bytes, const struct tensor_info *info) {
    bool fits = info->offset <= area_bytes && info->size_bytes <= area_bytes - info->offset;
    return fits ? area + info->offset : NULL;
}

void *inference_tensor(const struct model *m, const struct tensor_info *info) {
    if (info->region == m->scratch_region) {
        return in_area(m->scratch, m->scratch_bytes, info);
    }
    if (m->scratch_fast_bytes != 0 && info->region == m->scratch_fast_region) {
        return in_area(m->scratch_fast, m->scratch_fast_bytes, info);
    }
    return NULL;
}

void inference_describe(const struct model *m, struct text *lines) {
    (void)m;
    (void)lines;
}
