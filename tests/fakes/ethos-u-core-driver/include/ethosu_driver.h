/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ETHOSU_DRIVER_H
#define FAKE_ETHOSU_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ethosu_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ETHOSU_DRIVER_VERSION_MAJOR 1
#define ETHOSU_SEMAPHORE_WAIT_FOREVER (UINT64_MAX)

enum ethosu_job_state { ETHOSU_JOB_IDLE, ETHOSU_JOB_RUNNING, ETHOSU_JOB_DONE };
enum ethosu_job_result { ETHOSU_JOB_RESULT_OK, ETHOSU_JOB_RESULT_TIMEOUT, ETHOSU_JOB_RESULT_ERROR };

struct ethosu_device {
    uintptr_t reg;
    uint32_t secure, privileged;
};

struct ethosu_job {
    volatile enum ethosu_job_state state;
    volatile enum ethosu_job_result result;
};

struct ethosu_driver {
    struct ethosu_device dev;
    struct ethosu_job job;
    void *semaphore;
    uint64_t fast_memory;
    size_t fast_memory_size;
    bool reserved;
};

/* What a platform may define; each has a weak form. */
void ethosu_irq_handler(struct ethosu_driver *drv);
void ethosu_flush_dcache(const uint64_t *base_addr, const size_t *base_addr_size,
                         int num_base_addr);
void ethosu_invalidate_dcache(const uint64_t *base_addr, const size_t *base_addr_size,
                              int num_base_addr);
void *ethosu_mutex_create(void);
int ethosu_mutex_lock(void *mutex);
int ethosu_mutex_unlock(void *mutex);
void *ethosu_semaphore_create(void);
int ethosu_semaphore_take(void *sem, uint64_t timeout);
int ethosu_semaphore_give(void *sem);
void ethosu_inference_begin(struct ethosu_driver *drv, void *user_arg);
void ethosu_inference_end(struct ethosu_driver *drv, void *user_arg);
uint64_t ethosu_address_remap(uint64_t address, int index);
unsigned int ethosu_config_select(uint64_t address, int index);

int ethosu_init(struct ethosu_driver *drv, void *const base_address, const void *fast_memory,
                const size_t fast_memory_size, uint32_t secure_enable, uint32_t privilege_enable);
int ethosu_soft_reset(struct ethosu_driver *drv);
int ethosu_request_power(struct ethosu_driver *drv);
void ethosu_release_power(struct ethosu_driver *drv);
void ethosu_get_hw_info(struct ethosu_driver *drv, struct ethosu_hw_info *hw);
int ethosu_invoke_v3(struct ethosu_driver *drv, const void *custom_data_ptr,
                     const int custom_data_size, uint64_t *const base_addr,
                     const size_t *base_addr_size, const int num_base_addr, void *user_arg);
struct ethosu_driver *ethosu_reserve_driver(void);
void ethosu_release_driver(struct ethosu_driver *drv);

#ifdef __cplusplus
}
#endif

#endif
