// SPDX-License-Identifier: Apache-2.0
#include "npu.h"

#include "npu_access.h"
#include "npu_pmu.h"
#include "npu_registers.h"

enum { RESET_TIMEOUT_MS = 100 };

static const uint32_t PROTECTION = NPU_RESET_PENDING_CPL_PRIVILEGED; // and secure

static enum npu_error differs(struct npu *npu, enum npu_error error, uint32_t expected,
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

static enum npu_error reset(struct npu *npu) {
    npu_write(npu, NPU_RESET, PROTECTION);
    uint32_t start_ms = npu->setup->system.clock_ms();
    while ((npu_read(npu, NPU_STATUS) & NPU_STATUS_RESET_STATUS) != 0) {
        if (npu->setup->system.clock_ms() - start_ms > RESET_TIMEOUT_MS) {
            return NPU_RESET_TIMEOUT;
        }
    }
    uint32_t protection = npu_read(npu, NPU_PROT) & NPU_PROT_MASK;
    if (protection != PROTECTION) {
        return differs(npu, NPU_ABSENT, PROTECTION, protection);
    }
    set_axi_limits(npu);
    return NPU_OK;
}

enum npu_error npu_init(struct npu *npu, const struct npu_setup *setup) {
    *npu = (struct npu){.setup = setup};
    return reset(npu);
}

static enum npu_error check_architecture(struct npu *npu, uint32_t stream_id) {
    uint32_t id = npu_read(npu, NPU_ID);
    bool same_major = NPU_ID_ARCH_MAJOR_REV(id) == NPU_ID_ARCH_MAJOR_REV(stream_id);
    // A minor revision only adds to the ones before it.
    bool has_minor = NPU_ID_ARCH_MINOR_REV(id) >= NPU_ID_ARCH_MINOR_REV(stream_id);
    return same_major && has_minor ? NPU_OK : differs(npu, NPU_WRONG_ARCHITECTURE, stream_id, id);
}

enum npu_error npu_check(struct npu *npu, const struct npu_payload *payload, uint32_t macs) {
    uint32_t config = npu_read(npu, NPU_CONFIG);
    uint32_t have_macs = 1u << NPU_CONFIG_MACS_PER_CC(config);
    uint32_t version = NPU_CONFIG_CMD_STREAM_VERSION(config);
    uint32_t stream_version = NPU_CONFIG_CMD_STREAM_VERSION(payload->config);
    if (have_macs != macs) {
        return differs(npu, NPU_WRONG_MACS, macs, have_macs);
    }
    if (version != stream_version) {
        return differs(npu, NPU_WRONG_STREAM_VERSION, stream_version, version);
    }
    if (((config ^ payload->config) & NPU_CONFIG_MASK) != 0) {
        return differs(npu, NPU_WRONG_CONFIG, payload->config, config);
    }
    return check_architecture(npu, payload->id);
}

static bool is_aligned(const void *start) { return (uintptr_t)start % NPU_ALIGNMENT_BYTES == 0; }

static enum npu_error check_regions(struct npu *npu, const struct npu_job *job) {
    for (uint32_t i = 0; i < NPU_REGIONS; i++) {
        const struct npu_region *region = &job->regions[i];
        bool usable = is_aligned(region->start) && region->axi_limit < NPU_AXI_LIMITS;
        if (region->size_bytes != 0 && !usable) {
            return differs(npu, NPU_BAD_ADDRESS, i, (uint32_t)(uintptr_t)region->start);
        }
    }
    return NPU_OK;
}

static void write_address(const struct npu *npu, uint32_t low_register, const void *start) {
    uint64_t address = (uintptr_t)start;
    npu_write(npu, low_register, (uint32_t)address);
    npu_write(npu, low_register + 4, (uint32_t)(address >> 32));
}

static void set_regions(const struct npu *npu, const struct npu_job *job) {
    uint32_t region_config = 0;
    for (uint32_t i = 0; i < NPU_REGIONS; i++) {
        const struct npu_region *region = &job->regions[i];
        bool used = region->size_bytes != 0;
        write_address(npu, NPU_BASEP0 + 8 * i, used ? region->start : NULL);
        region_config |= (used ? region->axi_limit : 0) << (2 * i);
    }
    npu_write(npu, NPU_REGIONCFG, region_config);
}

static void set_queue(const struct npu *npu, const struct npu_job *job) {
    write_address(npu, NPU_QBASE0, job->payload.stream);
    npu_write(npu, NPU_QSIZE, job->payload.stream_bytes);
    npu_write(npu, NPU_QCONFIG, job->stream_axi_limit);
}

static void clean_caches(const struct npu *npu, const struct npu_job *job) {
    npu->setup->system.cache_clean(job->payload.stream, job->payload.stream_bytes);
    for (uint32_t i = 0; i < NPU_REGIONS; i++) {
        if (job->regions[i].size_bytes != 0) {
            npu->setup->system.cache_clean(job->regions[i].start, job->regions[i].size_bytes);
        }
    }
}

static void invalidate_caches(const struct npu *npu, const struct npu_job *job) {
    for (uint32_t i = 0; i < NPU_REGIONS; i++) {
        const struct npu_region *region = &job->regions[i];
        if (region->size_bytes != 0 && region->written) {
            npu->setup->system.cache_invalidate(region->start, region->size_bytes);
        }
    }
}

// Keeps clock and power on for the job: the PMU counts only then.
static bool execute(struct npu *npu) {
    npu->done = false;
    npu_write(npu, NPU_CMD, NPU_CMD_TRANSITION_TO_RUNNING_STATE);
    return npu->setup->system.wait(&npu->done, npu->setup->timeout_ms);
}

static enum npu_error outcome(struct npu *npu, bool in_time) {
    npu->queue_read_bytes = npu_read(npu, NPU_QREAD);
    if (!in_time) {
        npu->status = npu_read(npu, NPU_STATUS);
        return NPU_TIMEOUT;
    }
    bool ended = (npu->status & NPU_STATUS_CMD_END_REACHED) != 0;
    return ended && (npu->status & NPU_STATUS_ERRORS) == 0 ? NPU_OK : NPU_FAILED;
}

enum npu_error npu_run(struct npu *npu, const struct npu_job *job,
                       const uint32_t events[NPU_EVENT_COUNTERS], struct npu_counts *counts) {
    enum npu_error error = check_regions(npu, job);
    if (error != NPU_OK) {
        return error;
    }
    set_regions(npu, job);
    set_queue(npu, job);
    clean_caches(npu, job);
    npu_pmu_start(npu, events);
    bool in_time = execute(npu);
    npu_pmu_stop(npu, counts);
    invalidate_caches(npu, job);
    error = outcome(npu, in_time);
    npu_write(npu, NPU_CMD, NPU_CMD_CLOCK_Q_ENABLE | NPU_CMD_POWER_Q_ENABLE);
    if (error != NPU_OK) {
        (void)reset(npu); // the first error is the one to tell
    }
    return error;
}

void npu_interrupt(struct npu *npu) {
    npu->status = npu_read(npu, NPU_STATUS);
    npu_write(npu, NPU_CMD, NPU_CMD_CLEAR_IRQ);
    // Read back, so that the line has fallen before the handler returns.
    (void)npu_read(npu, NPU_STATUS);
    npu->done = true;
}
