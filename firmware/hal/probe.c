// SPDX-License-Identifier: Apache-2.0
#include "probe.h"

#include "core.h"

enum { WIDE_INSTRUCTION_BYTES = 4 };

static volatile bool probing;
static volatile bool faulted;

bool probe_read(uintptr_t address, uint32_t *value) {
    uint32_t read = 0;
    faulted = false;
    probing = true;
    __asm volatile("dsb sy\n\tldr.w %0, [%1]\n\tdsb sy" : "+r"(read) : "r"(address) : "memory");
    probing = false;
    if (!faulted) {
        *value = read;
    }
    return !faulted;
}

uint32_t probe_catch(void) {
    if (!probing) {
        return 0;
    }
    probing = false;
    faulted = true;
    return WIDE_INSTRUCTION_BYTES;
}
