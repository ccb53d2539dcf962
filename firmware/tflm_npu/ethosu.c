// SPDX-License-Identifier: Apache-2.0
// Arm's Ethos-U core driver on this board: its start, its hooks, its counters.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// pmu_ethosu.h wants the product, which only the driver's own build is told. What is used of it
// here is the same for the U55 and the U65.
#ifndef ETHOSU65
#define ETHOSU65
#endif
#include <ethosu_driver.h>
#include <pmu_ethosu.h>

#include "accelerator.h"
#include "hal.h"
#include "model_check.h"
#include "npu.h"
#include "npu_access.h"
#include "npu_registers.h"
#include "platform.h"

enum { SEMAPHORES = 2 };

// One for the list of drivers, one for the interrupt.
struct semaphore {
    volatile bool given;
};

static const struct npu_setup SETUP = {
    .address = PLATFORM_NPU_ADDRESS,
    .timeout_ms = PLATFORM_NPU_TIMEOUT_MS,
};

static struct ethosu_driver driver;
static struct semaphore semaphores[SEMAPHORES];
static struct inference_counts counted;
// What our own driver would record of a failure, for npu_strerror().
static struct npu npu = {.setup = &SETUP};
static enum npu_error error;
static char message[NPU_MESSAGE_BYTES];

static const char *describe(void) { return npu_strerror(&npu, error, message, sizeof message); }

static bool has_macs(uint32_t macs) {
    struct ethosu_hw_info info;
    ethosu_get_hw_info(&driver, &info);
    npu.expected = macs;
    npu.found = 1u << info.cfg.macs_per_cc;
    return npu.found == macs;
}

const char *accelerator_start(const struct model *m) {
    const char *reason = model_check_npu(m);
    if (reason != NULL) {
        return reason;
    }
    void *address = (void *)(uintptr_t)PLATFORM_NPU_ADDRESS;
    if (ethosu_init(&driver, address, m->scratch_fast, m->scratch_fast_bytes, 1, 1) != 0) {
        return "NPU: Arm's driver did not recognise it";
    }
    if (!has_macs(m->macs)) {
        error = NPU_WRONG_MACS;
        return describe();
    }
    hal_interrupt_enable(PLATFORM_NPU_IRQ);
    return NULL;
}

void accelerator_begin(void) {
    counted = (struct inference_counts){0};
    error = NPU_OK;
}

void accelerator_counts(struct inference_counts *counts) { *counts = counted; }

const char *accelerator_failure(void) { return error == NPU_OK ? NULL : describe(); }

void ETHOSU_IRQHandler(void) {
    // Before the driver's handler resets the NPU after an error.
    npu.status = npu_read(&npu, NPU_STATUS);
    npu.queue_read_bytes = npu_read(&npu, NPU_QREAD);
    bool ended = (npu.status & NPU_STATUS_CMD_END_REACHED) != 0;
    error = ended && (npu.status & NPU_STATUS_ERRORS) == 0 ? NPU_OK : NPU_FAILED;
    ethosu_irq_handler(&driver);
}

// The driver's own take memory from the heap.
void *ethosu_semaphore_create(void) {
    static uint32_t used;
    return used < SEMAPHORES ? &semaphores[used++] : NULL;
}

int ethosu_semaphore_take(void *semaphore, uint64_t timeout) {
    (void)timeout; // the platform's, whatever the driver was built with
    struct semaphore *one = semaphore;
    if (!hal_wait(&one->given, PLATFORM_NPU_TIMEOUT_MS)) {
        npu.status = npu_read(&npu, NPU_STATUS);
        npu.queue_read_bytes = npu_read(&npu, NPU_QREAD);
        error = NPU_TIMEOUT;
        return -1;
    }
    one->given = false;
    return 0;
}

int ethosu_semaphore_give(void *semaphore) {
    ((struct semaphore *)semaphore)->given = true;
    return 0;
}

// The driver's older versions call these for one range, newer ones for tables of addresses and
// sizes. The labels let one definition serve both: its parameters come in the same registers.
enum {
    ONE_RANGE =
        __builtin_types_compatible_p(__typeof__(ethosu_flush_dcache), void(uint32_t *, size_t)),
};

void flush_hook(uintptr_t first, uintptr_t second, int count) __asm__("ethosu_flush_dcache");
void invalidate_hook(uintptr_t first, uintptr_t second,
                     int count) __asm__("ethosu_invalidate_dcache");

// The table names the scratch memory twice, and the inputs and outputs in it once more.
static bool is_in_earlier(const uint64_t *addresses, const size_t *sizes_bytes, int index) {
    uint64_t end = addresses[index] + sizes_bytes[index];
    for (int i = 0; i < index; i++) {
        if (addresses[i] <= addresses[index] && end <= addresses[i] + sizes_bytes[i]) {
            return true;
        }
    }
    return false;
}

static void maintain(void (*operation)(const void *, size_t), uintptr_t first, uintptr_t second,
                     int count) {
    if (ONE_RANGE) {
        operation((const void *)first, second);
        return;
    }
    const uint64_t *addresses = (const uint64_t *)first;
    const size_t *sizes_bytes = (const size_t *)second;
    for (int i = 0; i < count; i++) {
        if (!is_in_earlier(addresses, sizes_bytes, i)) {
            operation((const void *)(uintptr_t)addresses[i], sizes_bytes[i]);
        }
    }
}

void flush_hook(uintptr_t first, uintptr_t second, int count) {
    maintain(hal_cache_clean, first, second, count);
}

static bool is_in(const void *address, const uint8_t *first, uint32_t bytes) {
    return first != NULL && (uintptr_t)address - (uintptr_t)first < bytes;
}

// The network itself is constant: what the NPU cannot write needs no new look at the memory.
static void invalidate_written(const void *address, size_t bytes) {
    if (is_in(address, model.scratch, model.scratch_bytes) ||
        is_in(address, model.scratch_fast, model.scratch_fast_bytes)) {
        hal_cache_invalidate(address, bytes);
    }
}

// No CPU write is lost: the driver flushes the same lines before the job, and the CPU sleeps.
void invalidate_hook(uintptr_t first, uintptr_t second, int count) {
    maintain(invalidate_written, first, second, count);
}

// By which AXI limit counter the NPU reaches what Vela numbers so; -1 is the command stream.
// Older drivers do not ask, and go by the macros of their own configuration.
unsigned int ethosu_config_select(uint64_t address, int index) {
    (void)address;
    switch (index) {
    case -1:
        return PLATFORM_COMMAND_STREAM_AXI_LIMIT;
    case 0:
        return PLATFORM_WEIGHTS_AXI_LIMIT;
    case 2:
        return PLATFORM_SCRATCH_FAST_AXI_LIMIT;
    default: // scratch, and the inputs and outputs in it
        return PLATFORM_SCRATCH_AXI_LIMIT;
    }
}

static const enum ethosu_pmu_event_type EVENTS[] = {
    PLATFORM_NPU_AXI1_WRITES ? ETHOSU_PMU_AXI1_WR_DATA_BEAT_WRITTEN : ETHOSU_PMU_NPU_ACTIVE,
    ETHOSU_PMU_AXI0_RD_DATA_BEAT_RECEIVED,
    ETHOSU_PMU_AXI0_WR_DATA_BEAT_WRITTEN,
    ETHOSU_PMU_AXI1_RD_DATA_BEAT_RECEIVED,
};
enum { EVENT_COUNT = sizeof EVENTS / sizeof EVENTS[0] };

static const uint32_t ALL_COUNTERS = ETHOSU_PMU_CCNT_Msk | ((1u << EVENT_COUNT) - 1);

void ethosu_inference_begin(struct ethosu_driver *drv, void *argument) {
    (void)argument;
    ETHOSU_PMU_Enable(drv);
    for (uint32_t i = 0; i < EVENT_COUNT; i++) {
        ETHOSU_PMU_Set_EVTYPER(drv, i, EVENTS[i]);
    }
    ETHOSU_PMU_CYCCNT_Reset(drv);
    ETHOSU_PMU_EVCNTR_ALL_Reset(drv);
    ETHOSU_PMU_CNTR_Enable(drv, ALL_COUNTERS);
}

void ethosu_inference_end(struct ethosu_driver *drv, void *argument) {
    (void)argument;
    ETHOSU_PMU_CNTR_Disable(drv, ALL_COUNTERS);
    counted.cycles += ETHOSU_PMU_Get_CCNTR(drv);
    *(PLATFORM_NPU_AXI1_WRITES ? &counted.axi1_write_beats : &counted.active) +=
        ETHOSU_PMU_Get_EVCNTR(drv, 0);
    counted.axi0_read_beats += ETHOSU_PMU_Get_EVCNTR(drv, 1);
    counted.axi0_write_beats += ETHOSU_PMU_Get_EVCNTR(drv, 2);
    counted.axi1_read_beats += ETHOSU_PMU_Get_EVCNTR(drv, 3);
}
