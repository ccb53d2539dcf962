// SPDX-License-Identifier: Apache-2.0
// Runs the model on the NPU without an interpreter: sizes and offsets are known at build time.
// Joins a model, the NPU driver and the board. The platform is fixed when this is compiled.
#include "inference.h"

#include "application.h"
#include "hal.h"
#include "model_check.h"
#include "model_partition.h"
#include "npu.h"
#include "npu_registers.h"
#include "platform.h"

struct memory {
    const char *name;
    uintptr_t address;
    uint32_t size_bytes;
    bool npu;
};

#define MEMORY_ROW(name, address, bytes, npu) {(name), (address), (bytes), (npu)},

static const struct memory MEMORIES[] = {PLATFORM_MEMORY_REGIONS(MEMORY_ROW)};

static bool wait(void *context, const volatile bool *done, uint32_t timeout_ms) {
    (void)context;
    return hal_wait(done, timeout_ms);
}

static uint32_t clock_ms(void *context) {
    (void)context;
    return hal_clock_ms();
}

static void cache_clean(void *context, const void *start, size_t size_bytes) {
    (void)context;
    hal_cache_clean(start, size_bytes);
}

static void cache_invalidate(void *context, const void *start, size_t size_bytes) {
    (void)context;
    hal_cache_invalidate(start, size_bytes);
}

static const struct npu_setup SETUP = {
    .address = PLATFORM_NPU_ADDRESS,
    .timeout_ms = PLATFORM_NPU_TIMEOUT_MS,
    .max_beats_bytes = PLATFORM_NPU_MAX_BEATS_BYTES,
    .max_outstanding_reads = PLATFORM_NPU_MAX_OUTSTANDING_READS,
    .max_outstanding_writes = PLATFORM_NPU_MAX_OUTSTANDING_WRITES,
    .system =
        {
            .wait = wait,
            .clock_ms = clock_ms,
            .cache_clean = cache_clean,
            .cache_invalidate = cache_invalidate,
        },
};

// The last one is for the fifth counter, which only Ethos-U85 has.
enum {
    COUNT_ACTIVE_OR_AXI1_WRITE,
    COUNT_AXI0_READ,
    COUNT_AXI0_WRITE,
    COUNT_AXI1_READ,
    COUNT_ACTIVE
};

static const uint32_t EVENTS[NPU_EVENT_COUNTERS] = {
    [COUNT_ACTIVE_OR_AXI1_WRITE] =
        PLATFORM_NPU_AXI1_WRITES ? NPU_PMU_AXI1_WR_DATA_BEAT_WRITTEN : NPU_PMU_NPU_ACTIVE,
    [COUNT_AXI0_READ] = NPU_PMU_AXI0_RD_DATA_BEAT_RECEIVED,
    [COUNT_AXI0_WRITE] = NPU_PMU_AXI0_WR_DATA_BEAT_WRITTEN,
    [COUNT_AXI1_READ] = NPU_PMU_AXI1_RD_DATA_BEAT_RECEIVED,
    [COUNT_ACTIVE] = NPU_PMU_NPU_ACTIVE,
};

static const struct model *accepted; // by inference_init()
static struct npu npu;
static struct npu_job job;
static struct npu_buffer input_buffers[APPLICATION_MAX_TENSORS];
static struct npu_buffer output_buffers[APPLICATION_MAX_TENSORS];

void ETHOSU_IRQHandler(void) { npu_interrupt(&npu); }

static const char *npu_reason(enum npu_error error) {
    static char message[NPU_MESSAGE_BYTES];
    return error == NPU_OK ? NULL : npu_strerror(&npu, error, message, sizeof message);
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
        return model_reason("model: no such NPU region for its ", name, "");
    }
    if (job.regions[index].size_bytes != 0) {
        return model_reason("model: two parts in the NPU region of its ", name, "");
    }
    if (!npu_reaches(region->start, region->size_bytes)) {
        return model_reason("model: the NPU cannot access its ", name, "");
    }
    job.regions[index] = *region;
    return NULL;
}

static const char *add_weights(const struct model *m) {
    struct npu_region region = {m->weights, m->weights_bytes, PLATFORM_WEIGHTS_AXI_LIMIT};
    return add_region("weights", m->weights_region, &region);
}

static const char *add_scratch(const struct model *m) {
    struct npu_region region = {m->scratch, m->scratch_bytes, PLATFORM_SCRATCH_AXI_LIMIT};
    return add_region("scratch", m->scratch_region, &region);
}

static const char *add_scratch_fast(const struct model *m) {
    struct npu_region region = {m->scratch_fast, m->scratch_fast_bytes,
                                PLATFORM_SCRATCH_FAST_AXI_LIMIT};
    return add_region("scratch_fast", m->scratch_fast_region, &region);
}

static const char *add_command_stream(const struct model *m) {
    if (m->command_stream == NULL) {
        return "model: it has no command stream";
    }
    enum npu_payload_error error =
        npu_payload_parse(m->command_stream, m->command_stream_bytes, &job.payload);
    if (error != NPU_PAYLOAD_OK) {
        return model_reason("model: its command stream ", npu_payload_strerror(error), "");
    }
    if (!npu_reaches(job.payload.stream, job.payload.stream_bytes)) {
        return model_reason("model: the NPU cannot access its ", "command stream", "");
    }
    job.stream_axi_limit = PLATFORM_COMMAND_STREAM_AXI_LIMIT;
    return NULL;
}

static void *in_scratch(uint8_t *scratch, uint32_t scratch_bytes, uint32_t offset,
                        uint32_t size_bytes) {
    bool fits = offset <= scratch_bytes && size_bytes <= scratch_bytes - offset;
    return fits ? scratch + offset : NULL;
}

static void *locate(const struct model *m, uint32_t region, uint32_t offset, uint32_t size_bytes) {
    if (region == m->scratch_region) {
        return in_scratch(m->scratch, m->scratch_bytes, offset, size_bytes);
    }
    if (m->scratch_fast_bytes != 0 && region == m->scratch_fast_region) {
        return in_scratch(m->scratch_fast, m->scratch_fast_bytes, offset, size_bytes);
    }
    return NULL;
}

static void *locate_tensor(const struct model *m, const struct tensor_info *info) {
    return locate(m, info->region, info->offset, info->size_bytes);
}

static void *locate_variable(const struct model *m, const struct model_variable *variable) {
    return locate(m, variable->region, variable->offset, variable->size_bytes);
}

static const char *add_buffers(const struct model *m, const struct tensor_info *tensors,
                               uint32_t count, struct npu_buffer *buffers) {
    for (uint32_t i = 0; i < count; i++) {
        buffers[i] = (struct npu_buffer){locate_tensor(m, &tensors[i]), tensors[i].size_bytes};
        if (buffers[i].start == NULL) {
            return model_reason("model: tensor ", tensors[i].name,
                                " lies outside the scratch buffers");
        }
    }
    return NULL;
}

static const char *add_tensors(const struct model *m) {
    job.inputs = input_buffers;
    job.input_count = m->input_count;
    job.outputs = output_buffers;
    job.output_count = m->output_count;
    const char *reason = add_buffers(m, m->inputs, m->input_count, input_buffers);
    return reason != NULL ? reason : add_buffers(m, m->outputs, m->output_count, output_buffers);
}

static const char *check_variables(const struct model *m) {
    for (uint32_t i = 0; i < m->variable_count; i++) {
        const struct model_variable *variable = &m->variables[i];
        if (locate_variable(m, variable) == NULL) {
            return "model: a variable lies outside the scratch buffers";
        }
        if (variable->element_bytes != 1 && variable->element_bytes != 2) {
            return "model: a variable is neither of 8 nor of 16 bits";
        }
    }
    return NULL;
}

static const char *describe_job(const struct model *m) {
    job = (struct npu_job){0};
    const char *reason = model_check_npu(m);
    reason = reason != NULL ? reason : model_check_tensors(m);
    reason = reason != NULL ? reason : add_command_stream(m);
    reason = reason != NULL ? reason : add_weights(m);
    reason = reason != NULL ? reason : add_scratch(m);
    reason = reason != NULL ? reason : add_scratch_fast(m);
    reason = reason != NULL ? reason : check_variables(m);
    return reason != NULL ? reason : add_tensors(m);
}

static enum npu_error start_npu(const struct model *m) {
    enum npu_error error = npu_init(&npu, &SETUP);
    if (error == NPU_OK) {
        error = npu_check(&npu, &job.payload, m->macs);
    }
    if (error == NPU_OK) {
        error = npu_prepare(&npu, &job);
    }
    return error;
}

// The NPU reads what is written here, so it leaves the cache.
static void reset_variables(const struct model *m) {
    for (uint32_t i = 0; i < m->variable_count; i++) {
        const struct model_variable *variable = &m->variables[i];
        uint8_t *bytes = locate_variable(m, variable);
        for (uint32_t at = 0; at < variable->size_bytes; at++) {
            uint32_t shift = 8 * (at % variable->element_bytes);
            bytes[at] = (uint8_t)((uint32_t)variable->zero_point >> shift);
        }
        hal_cache_clean(bytes, variable->size_bytes);
    }
}

const char *inference_select(const struct model *built_in, const struct model **selected) {
#ifdef PLATFORM_MODEL_PARTITION_ADDRESS
    const uint8_t *partition = (const uint8_t *)PLATFORM_MODEL_PARTITION_ADDRESS;
    return model_partition_read(partition, PLATFORM_MODEL_PARTITION_BYTES, built_in, selected);
#else
    *selected = built_in;
    return NULL;
#endif
}

const char *inference_init(const struct model *m) {
    if (accepted != NULL) {
        return "model: inference_init() was called twice";
    }
    const char *reason = describe_job(m);
    reason = reason != NULL ? reason : npu_reason(start_npu(m));
    if (reason == NULL) {
        accepted = m;
        hal_interrupt_enable(PLATFORM_NPU_IRQ);
        reset_variables(m);
    }
    return reason;
}

const char *inference_reset(const struct model *m) {
    if (m == NULL || m != accepted) {
        return "model: inference_init() has not accepted it";
    }
    reset_variables(m);
    return NULL;
}

const char *inference_run(const struct model *m, struct inference_counts *counts) {
    *counts = (struct inference_counts){0};
    if (m == NULL || m != accepted) {
        return "model: inference_init() has not accepted it";
    }
    struct npu_counts raw;
    enum npu_error error = npu_run(&npu, &job, EVENTS, &raw);
    counts->cycles = raw.cycles;
    counts->active = raw.events[COUNT_ACTIVE];
    *(PLATFORM_NPU_AXI1_WRITES ? &counts->axi1_write_beats : &counts->active) =
        raw.events[COUNT_ACTIVE_OR_AXI1_WRITE];
    counts->axi0_read_beats = raw.events[COUNT_AXI0_READ];
    counts->axi0_write_beats = raw.events[COUNT_AXI0_WRITE];
    counts->axi1_read_beats = raw.events[COUNT_AXI1_READ];
    return npu_reason(error);
}

void *inference_tensor(const struct model *m, const struct tensor_info *info) {
    return m != NULL && m == accepted && model_has_tensor(m, info) ? locate_tensor(m, info) : NULL;
}

void inference_describe(const struct model *m, struct text *lines) {
    (void)m;
    (void)lines;
}
