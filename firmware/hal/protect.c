// SPDX-License-Identifier: Apache-2.0
// The MPU of Armv8-M. What no region covers keeps the default memory map.
#include "protect.h"

#include <stddef.h>
#include <stdint.h>

#include "armv8m.h"

struct read_only {
    uintptr_t start;
    size_t size_bytes; // a multiple of 32
    uint32_t execute_never;
};

// From the linker script.
extern const struct read_only __read_only_table_start[];
extern const struct read_only __read_only_table_end[];

static const uint32_t NORMAL_WRITE_BACK = 0xFF;

static void add_region(uint32_t number, const struct read_only *area) {
    uintptr_t last = area->start + area->size_bytes - 1;
    MPU_RNR = number;
    MPU_RBAR = (area->start & MPU_ADDRESS_MASK) | MPU_RBAR_READ_ONLY | area->execute_never;
    MPU_RLAR = (last & MPU_ADDRESS_MASK) | MPU_RLAR_ENABLE; // attributes 0
}

void protect_start(void) {
    MPU_MAIR0 = NORMAL_WRITE_BACK;
    uint32_t number = 0;
    for (const struct read_only *area = __read_only_table_start; area < __read_only_table_end;
         area++) {
        if (area->size_bytes != 0) {
            add_region(number++, area);
        }
    }
    MPU_CTRL = MPU_CTRL_ENABLE | MPU_CTRL_PRIVDEFENA;
    barrier();
}
