/* SPDX-License-Identifier: Apache-2.0 */
#include "ethosu_driver.h"

#include <cmsis_compiler.h>
#include <stdlib.h>

#include "ethosu_device.h"

enum { FAST_MEMORY_INDEX = 2, ALIGNMENT = 16 };
enum { ACTION_CONFIG = 1, ACTION_STREAM = 2, ACTION_NOP = 5 };

static const uint32_t FOURCC = 0x31504F43;

static struct ethosu_driver *registered;
static void *mutex;
static void *available;

__WEAK void ethosu_flush_dcache(const uint64_t *base_addr, const size_t *base_addr_size,
                                int num_base_addr) {
    (void)base_addr;
    (void)base_addr_size;
    (void)num_base_addr;
}

__WEAK void ethosu_invalidate_dcache(const uint64_t *base_addr, const size_t *base_addr_size,
                                     int num_base_addr) {
    (void)base_addr;
    (void)base_addr_size;
    (void)num_base_addr;
}

__WEAK void *ethosu_mutex_create(void) { return &mutex; }

__WEAK int ethosu_mutex_lock(void *one) {
    (void)one;
    return 0;
}

__WEAK int ethosu_mutex_unlock(void *one) {
    (void)one;
    return 0;
}

/* As upstream's, these need a heap: an image that is linked with them has not replaced them. */
__WEAK void *ethosu_semaphore_create(void) { return calloc(1, 1); }

__WEAK int ethosu_semaphore_take(void *sem, uint64_t timeout) {
    (void)timeout;
    volatile uint8_t *count = sem;
    while (*count == 0) {
    }
    --*count;
    return 0;
}

__WEAK int ethosu_semaphore_give(void *sem) {
    ++*(volatile uint8_t *)sem;
    return 0;
}

__WEAK void ethosu_inference_begin(struct ethosu_driver *drv, void *user_arg) {
    (void)drv;
    (void)user_arg;
}

__WEAK void ethosu_inference_end(struct ethosu_driver *drv, void *user_arg) {
    (void)drv;
    (void)user_arg;
}

__WEAK void ethosu_irq_handler(struct ethosu_driver *drv) {
    bool good = ethosu_dev_handle_interrupt(&drv->dev);
    drv->job.state = ETHOSU_JOB_DONE;
    drv->job.result = good ? ETHOSU_JOB_RESULT_OK : ETHOSU_JOB_RESULT_ERROR;
    ethosu_semaphore_give(drv->semaphore);
}

int ethosu_init(struct ethosu_driver *drv, void *const base_address, const void *fast_memory,
                const size_t fast_memory_size, uint32_t secure_enable, uint32_t privilege_enable) {
    mutex = mutex ? mutex : ethosu_mutex_create();
    available = available ? available : ethosu_semaphore_create();
    drv->semaphore = ethosu_semaphore_create();
    if (!mutex || !available || !drv->semaphore) {
        return -1;
    }
    drv->fast_memory = (uintptr_t)fast_memory;
    drv->fast_memory_size = fast_memory_size;
    if (!ethosu_dev_init(&drv->dev, base_address, secure_enable, privilege_enable)) {
        return -1;
    }
    registered = drv;
    ethosu_semaphore_give(available);
    return 0;
}

int ethosu_soft_reset(struct ethosu_driver *drv) {
    return ethosu_dev_soft_reset(&drv->dev) ? 0 : -1;
}

int ethosu_request_power(struct ethosu_driver *drv) {
    if (ethosu_soft_reset(drv) != 0) {
        return -1;
    }
    ethosu_dev_gate(&drv->dev, false);
    return 0;
}

void ethosu_release_power(struct ethosu_driver *drv) { ethosu_dev_gate(&drv->dev, true); }

void ethosu_get_hw_info(struct ethosu_driver *drv, struct ethosu_hw_info *hw) {
    uint32_t config = read_reg(&drv->dev, REG_CONFIG), id = read_reg(&drv->dev, REG_ID);
    *hw = (struct ethosu_hw_info){0};
    hw->cfg.macs_per_cc = config & 0xF;
    hw->cfg.cmd_stream_version = config >> 4 & 0xF;
    hw->version.arch_major_rev = id >> 28;
}

static bool aligned(const uint64_t *base_addr, int count) {
    for (int i = 0; i < count; i++) {
        if (base_addr[i] % ALIGNMENT != 0) {
            return false;
        }
    }
    return true;
}

static int run_stream(struct ethosu_driver *drv, const uint32_t *stream, uint32_t words,
                      uint64_t *base_addr, const size_t *sizes, int count, void *user_arg) {
    if ((uintptr_t)stream % ALIGNMENT != 0 || !aligned(base_addr, count)) {
        return -1;
    }
    ethosu_flush_dcache(base_addr, sizes, count);
    if (ethosu_request_power(drv) != 0) {
        return -1;
    }
    drv->job.state = ETHOSU_JOB_RUNNING;
    drv->job.result = ETHOSU_JOB_RESULT_OK;
    ethosu_inference_begin(drv, user_arg);
    ethosu_dev_run_command_stream(&drv->dev, (const uint8_t *)stream, words * 4, base_addr, count);
    if (ethosu_semaphore_take(drv->semaphore, ETHOSU_SEMAPHORE_WAIT_FOREVER) != 0) {
        drv->job.result = ETHOSU_JOB_RESULT_TIMEOUT;
    }
    ethosu_invalidate_dcache(base_addr, sizes, count);
    ethosu_inference_end(drv, user_arg);
    if (drv->job.result != ETHOSU_JOB_RESULT_OK) {
        ethosu_soft_reset(drv);
    }
    ethosu_release_power(drv);
    drv->job.state = ETHOSU_JOB_IDLE;
    return drv->job.result == ETHOSU_JOB_RESULT_OK ? 0 : -1;
}

int ethosu_invoke_v3(struct ethosu_driver *drv, const void *custom_data_ptr,
                     const int custom_data_size, uint64_t *const base_addr,
                     const size_t *base_addr_size, const int num_base_addr, void *user_arg) {
    const uint32_t *at = custom_data_ptr;
    const uint32_t *end = at + custom_data_size / 4;
    if (*at++ != FOURCC) {
        return -1;
    }
    if (drv->fast_memory != 0 && num_base_addr > FAST_MEMORY_INDEX) {
        if (base_addr_size[FAST_MEMORY_INDEX] > drv->fast_memory_size) {
            return -1;
        }
        base_addr[FAST_MEMORY_INDEX] = drv->fast_memory;
    }
    int result = 0;
    while (result == 0 && at < end) {
        uint32_t tag = *at++, words = (tag >> 16) | (tag >> 8 & 0xFF) << 16;
        switch (tag & 0xFF) {
        case ACTION_CONFIG:
            result = ethosu_dev_verify_optimizer_config(&drv->dev, at[0], at[1]) ? 0 : -1;
            at += 2;
            break;
        case ACTION_STREAM:
            result = run_stream(drv, at, words, base_addr, base_addr_size, num_base_addr, user_arg);
            at += words;
            break;
        case ACTION_NOP:
            break;
        default:
            result = -1;
        }
    }
    return result;
}

struct ethosu_driver *ethosu_reserve_driver(void) {
    ethosu_semaphore_take(available, ETHOSU_SEMAPHORE_WAIT_FOREVER);
    ethosu_mutex_lock(mutex);
    registered->reserved = true;
    ethosu_mutex_unlock(mutex);
    return registered;
}

void ethosu_release_driver(struct ethosu_driver *drv) {
    ethosu_mutex_lock(mutex);
    drv->reserved = false;
    ethosu_mutex_unlock(mutex);
    ethosu_semaphore_give(available);
}
