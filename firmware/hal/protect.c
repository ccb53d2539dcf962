// SPDX-License-Identifier: Apache-2.0
// The MPU of Armv8-M. What no region covers keeps the default memory map.
#include "protect.h"

#include <stddef.h>
#include <stdint.h>

#include "core.h"

struct read_only {
    uintptr_t start;
    size_t size_bytes; // a multiple of 32
    uint32_t execute_never;
};

// From the linker script.
extern const struct read_only __read_only_table_start[];
extern const struct read_only __read_only_table_end[];

static const uint32_t NORMAL_WRITE_BACK = 0xFF;
static const uint32_t READ_ONLY = 3u << MPU_RBAR_AP_Pos; // bit 0 of RBAR is XN

static void add_region(uint32_t number, const struct read_only *area) {
    uintptr_t last = area->start + area->size_bytes - 1;
    MPU->RNR = number;
    MPU->RBAR = (area->start & MPU_RBAR_BASE_Msk) | READ_ONLY | area->execute_never;
    MPU->RLAR = (last & MPU_RLAR_LIMIT_Msk) | MPU_RLAR_EN_Msk; // attributes 0
}

void protect_start(void) {
    MPU->MAIR0 = NORMAL_WRITE_BACK;
    uint32_t number = 0;
    for (const struct read_only *area = __read_only_table_start; area < __read_only_table_end;
         area++) {
        if (area->size_bytes != 0) {
            add_region(number++, area);
        }
    }
    MPU->CTRL = MPU_CTRL_ENABLE_Msk | MPU_CTRL_PRIVDEFENA_Msk;
    __DSB();
    __ISB();
}
