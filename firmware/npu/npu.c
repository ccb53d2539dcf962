// SPDX-License-Identifier: Apache-2.0
#include "npu.h"

#include "npu_access.h"
#include "npu_pmu.h"
#include "npu_registers.h"

enum { RESET_TIMEOUT_MS = 100, STOP_TIMEOUT_MS = 100, SHORT_WAIT_READS = 8 };

// What Arm's driver sets at most for the SRAM ports of Ethos-U85.
enum { U85_SRAM_MAX_OUTSTANDING_READS = 12, U85_SRAM_MAX_OUTSTANDING_WRITES = 16 };

static const uint32_t PROTECTION = NPU_RESET_PENDING_CPL_PRIVILEGED; // and secure

static enum npu_error mismatch(struct npu *npu, enum npu_error error, uint32_t expected,
                               uint32_t found) {
    npu->expected = expected;
    npu->found = found;
    return error;
}

static uint32_t max_beats_code(uint32_t max_beats_bytes) {
    return max_beats_bytes >= 256 ? 2 : max_beats_bytes >= 128 ? 1 : 0;
}

static void set_axi_limits(const struct npu *npu) {
    const struct npu_setup *setup = npu->setup;
    uint32_t reads = setup->max_outstanding_reads - 1;
    uint32_t writes = setup->max_outstanding_writes - 1;
    uint32_t limit = max_beats_code(setup->max_beats_bytes) |
                     reads << NPU_AXI_LIMIT_MAX_OUTSTANDING_READ_M1_SHIFT |
                     writes << NPU_AXI_LIMIT_MAX_OUTSTANDING_WRITE_M1_SHIFT;
    for (uint32_t i = 0; i < NPU_AXI_LIMITS; i++) {
        npu_write(npu, NPU_AXI_LIMIT0 + 4 * i, limit);
    }
}

static uint32_t at_most(uint32_t value, uint32_t limit) { return value < limit ? value : limit; }

static uint32_t port_limit(const struct npu_setup *setup, uint32_t max_reads, uint32_t max_writes) {
    uint32_t reads = at_most(setup->max_outstanding_reads, max_reads) - 1;
    uint32_t writes = at_most(setup->max_outstanding_writes, max_writes) - 1;
    return reads | writes << NPU_AXI_PORT_MAX_OUTSTANDING_WRITE_M1_SHIFT |
           max_beats_code(setup->max_beats_bytes) << NPU_AXI_PORT_MAX_BEATS_SHIFT;
}

// As on the others, numbers 0 and 1 are the ports to SRAM, 2 and 3 those to external memory.
static void set_ports(const struct npu *npu) {
    const struct npu_setup *setup = npu->setup;
    static const uint32_t ATTRIBUTES[NPU_AXI_LIMITS] = {0, 0, NPU_MEM_ATTR_AXI_PORT_EXT,
                                                        NPU_MEM_ATTR_AXI_PORT_EXT};
    npu_write_words(npu, NPU_MEM_ATTR0, ATTRIBUTES, NPU_AXI_LIMITS);
    npu_write(npu, NPU_AXI_SRAM,
              port_limit(setup, U85_SRAM_MAX_OUTSTANDING_READS, U85_SRAM_MAX_OUTSTANDING_WRITES));
    npu_write(npu, NPU_AXI_EXT, port_limit(setup, UINT32_MAX, UINT32_MAX));
    npu_write(npu, NPU_POWER_CTRL, 0); // the MAC array starts at once
}

static bool status_clears(const struct npu *npu, uint32_t bit, uint32_t timeout_ms) {
    const struct npu_system *system = &npu->setup->system;
    // Most waits are too short to look at a clock.
    for (uint32_t i = 0; i < SHORT_WAIT_READS; i++) {
        if ((npu_read(npu, NPU_STATUS) & bit) == 0) {
            return true;
        }
    }
    uint32_t start_ms = system->clock_ms(system->context);
    while ((npu_read(npu, NPU_STATUS) & bit) != 0) {
        if (system->clock_ms(system->context) - start_ms > timeout_ms) {
            return false;
        }
    }
    return true;
}

static enum npu_error reset(struct npu *npu) {
    npu->ready = false;
    npu_write(npu, NPU_RESET, PROTECTION);
    if (!status_clears(npu, NPU_STATUS_RESET_STATUS, RESET_TIMEOUT_MS)) {
        return NPU_RESET_TIMEOUT;
    }
    uint32_t protection = npu_read(npu, NPU_PROT);
    uint32_t config = npu_read(npu, NPU_CONFIG);
    protection &= NPU_PROT_MASK;
    if (protection != PROTECTION) {
        return mismatch(npu, NPU_ABSENT, PROTECTION, protection);
    }
    // A reset allows clock and power to go off, and registers are lost with the power.
    npu_write(npu, NPU_CMD, 0);
    npu->u85 = NPU_CONFIG_PRODUCT(config) == NPU_PRODUCT_U85;
    (npu->u85 ? set_ports : set_axi_limits)(npu);
    npu->ready = true;
    return NPU_OK;
}

static void allow_power_off(const struct npu *npu) {
    npu_write(npu, NPU_CMD, NPU_CMD_CLOCK_Q_ENABLE | NPU_CMD_POWER_Q_ENABLE);
}

enum npu_error npu_init(struct npu *npu, const struct npu_setup *setup) {
    *npu = (struct npu){.setup = setup};
    enum npu_error error = reset(npu);
    if (error == NPU_OK) {
        allow_power_off(npu);
    }
    return error;
}

static enum npu_error check_architecture(struct npu *npu, uint32_t stream_id) {
    uint32_t id = npu_read(npu, NPU_ID);
    bool same_major = NPU_ID_ARCH_MAJOR_REV(id) == NPU_ID_ARCH_MAJOR_REV(stream_id);
    // A minor revision only adds to the ones before it.
    bool has_minor = NPU_ID_ARCH_MINOR_REV(id) >= NPU_ID_ARCH_MINOR_REV(stream_id);
    return same_major && has_minor ? NPU_OK : mismatch(npu, NPU_WRONG_ARCHITECTURE, stream_id, id);
}

enum npu_error npu_check(struct npu *npu, const struct npu_payload *payload, uint32_t macs) {
    if (!npu->ready) {
        return NPU_NOT_READY;
    }
    uint32_t config = npu_read(npu, NPU_CONFIG);
    uint32_t npu_macs = 1u << NPU_CONFIG_MACS_PER_CC(config);
    uint32_t version = NPU_CONFIG_CMD_STREAM_VERSION(config);
    uint32_t stream_version = NPU_CONFIG_CMD_STREAM_VERSION(payload->config);
    if (npu_macs != macs) {
        return mismatch(npu, NPU_WRONG_MACS, macs, npu_macs);
    }
    if (version != stream_version) {
        return mismatch(npu, NPU_WRONG_STREAM_VERSION, stream_version, version);
    }
    // The SHRAM size has to be equal too, though Arm's driver does not compare it: the stream
    // numbers SHRAM banks from the start, the NPU finds lookup tables from the end, and the
    // compiler kept the two apart for one size. Another size would give wrong results, no fault.
    // On Ethos-U85 there are as many weight streams as decoders.
    if (((config ^ payload->config) & NPU_CONFIG_MASK) != 0) {
        return mismatch(npu, NPU_WRONG_CONFIG, payload->config, config);
    }
    return check_architecture(npu, payload->id);
}

static enum npu_error check_memory(struct npu *npu, uint32_t place, const void *start,
                                   uint32_t axi_limit) {
    npu->place = place;
    if ((uintptr_t)start % NPU_ALIGNMENT_BYTES != 0) {
        return mismatch(npu, NPU_BAD_ADDRESS, NPU_ALIGNMENT_BYTES, (uint32_t)(uintptr_t)start);
    }
    if (axi_limit >= NPU_AXI_LIMITS) {
        return mismatch(npu, NPU_BAD_AXI_LIMIT, NPU_AXI_LIMITS - 1, axi_limit);
    }
    return NPU_OK;
}

static enum npu_error check_job(struct npu *npu, const struct npu_job *job) {
    enum npu_error error =
        check_memory(npu, NPU_REGIONS, job->payload.stream, job->stream_axi_limit);
    for (uint32_t i = 0; i < NPU_REGIONS && error == NPU_OK; i++) {
        const struct npu_region *region = &job->regions[i];
        if (region->size_bytes != 0) {
            error = check_memory(npu, i, region->start, region->axi_limit);
        }
    }
    return error;
}

static void clean_cache(const struct npu *npu, const void *start, uint32_t size_bytes) {
    const struct npu_system *system = &npu->setup->system;
    if (size_bytes != 0) {
        system->cache_clean(system->context, start, size_bytes);
    }
}

enum npu_error npu_prepare(struct npu *npu, struct npu_job *job) {
    job->prepared = false;
    enum npu_error error = check_job(npu, job);
    if (error != NPU_OK) {
        return error;
    }
    clean_cache(npu, job->payload.stream, job->payload.stream_bytes);
    for (uint32_t i = 0; i < NPU_REGIONS; i++) {
        clean_cache(npu, job->regions[i].start, job->regions[i].size_bytes);
    }
    job->prepared = true;
    return NPU_OK;
}

static void clean_inputs(const struct npu *npu, const struct npu_job *job) {
    for (uint32_t i = 0; i < job->input_count; i++) {
        clean_cache(npu, job->inputs[i].start, job->inputs[i].size_bytes);
    }
}

static void invalidate_outputs(const struct npu *npu, const struct npu_job *job) {
    const struct npu_system *system = &npu->setup->system;
    for (uint32_t i = 0; i < job->output_count; i++) {
        if (job->outputs[i].size_bytes != 0) {
            system->cache_invalidate(system->context, job->outputs[i].start,
                                     job->outputs[i].size_bytes);
        }
    }
}

static uint32_t low_word(const void *start) { return (uint32_t)(uintptr_t)start; }

static uint32_t high_word(const void *start) {
    uint64_t address = (uintptr_t)start;
    return (uint32_t)(address >> 32);
}

static void set_regions(const struct npu *npu, const struct npu_job *job) {
    uint32_t bases[2 * NPU_REGIONS] = {0};
    uint32_t region_config = 0;
    for (uint32_t i = 0; i < NPU_REGIONS; i++) {
        const struct npu_region *region = &job->regions[i];
        if (region->size_bytes != 0) {
            bases[2 * i] = low_word(region->start);
            bases[2 * i + 1] = high_word(region->start);
            region_config |= region->axi_limit << (2 * i);
        }
    }
    npu_write_words(npu, NPU_BASEP0, bases, 2 * NPU_REGIONS);
    npu_write(npu, NPU_REGIONCFG, region_config);
}

static void set_queue(const struct npu *npu, const struct npu_job *job) {
    const uint8_t *stream = job->payload.stream;
    uint32_t stream_bytes = job->payload.stream_bytes;
    uint32_t axi_limit = job->stream_axi_limit;
    npu_write(npu, NPU_QBASE0, low_word(stream));
    npu_write(npu, NPU_QBASE1, high_word(stream));
    npu_write(npu, NPU_QCONFIG, axi_limit);
    npu_write(npu, NPU_QSIZE, stream_bytes);
}

// Clock and power stay on during the job: the PMU counts only then.
static bool execute(struct npu *npu) {
    const struct npu_system *system = &npu->setup->system;
    npu->done = false;
    npu_write(npu, NPU_CMD, NPU_CMD_TRANSITION_TO_RUNNING_STATE);
    return system->wait(system->context, &npu->done, npu->setup->timeout_ms);
}

static enum npu_error outcome(struct npu *npu, bool in_time) {
    bool ended = (npu->status & NPU_STATUS_CMD_END_REACHED) != 0;
    if (in_time && ended && (npu->status & NPU_STATUS_ERRORS) == 0) {
        return NPU_OK;
    }
    npu->queue_read_bytes = npu_read(npu, NPU_QREAD);
    if (in_time) {
        return NPU_FAILED;
    }
    npu->status = npu_read(npu, NPU_STATUS);
    return NPU_TIMEOUT;
}

// The NPU writes memory until it has stopped: after a time-out it may be at work still. The error
// that led here is the one to report; if the reset fails, the next call finds out.
static void recover(struct npu *npu, enum npu_error error) {
    if (error == NPU_TIMEOUT) {
        npu_write(npu, NPU_CMD, NPU_CMD_STOP_REQUEST);
        (void)status_clears(npu, NPU_STATUS_STATE_RUNNING, STOP_TIMEOUT_MS);
    }
    (void)reset(npu);
}

enum npu_error npu_run(struct npu *npu, const struct npu_job *job,
                       const uint32_t events[NPU_EVENT_COUNTERS], struct npu_counts *counts) {
    *counts = (struct npu_counts){0};
    if (!job->prepared) {
        return NPU_NOT_PREPARED;
    }
    enum npu_error error = reset(npu);
    if (error != NPU_OK) {
        return error;
    }
    set_regions(npu, job);
    set_queue(npu, job);
    clean_inputs(npu, job);
    npu_pmu_start(npu, events);
    bool in_time = execute(npu);
    npu_pmu_stop(npu, counts);
    error = outcome(npu, in_time);
    if (error != NPU_OK) {
        recover(npu, error);
    }
    if (npu->ready) {
        allow_power_off(npu);
    }
    invalidate_outputs(npu, job);
    return error;
}

void npu_interrupt(struct npu *npu) {
    uint32_t status = npu_read(npu, NPU_STATUS);
    if ((status & NPU_STATUS_IRQ_RAISED) == 0) {
        return;
    }
    npu_write(npu, NPU_CMD, NPU_CMD_CLEAR_IRQ);
    // Read back, so that the line has fallen before the handler returns.
    (void)npu_read(npu, NPU_STATUS);
    npu->status = status;
    npu->done = true;
}
