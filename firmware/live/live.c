// SPDX-License-Identifier: Apache-2.0
#include "live.h"

#include <stddef.h>
#include <string.h>

#include "hal.h"
#include "samples.h"

__attribute__((noinline)) void live_exchange(void) { __asm volatile("" ::: "memory"); }

const struct sample *samples_next(const struct sample *previous) {
    (void)previous;
    uint32_t before = live_window.sequence;
    hal_console_write("ready\n");
    live_exchange();
    // Without a host there is nothing to do.
    return live_window.sequence == before ? NULL : &live_window.sample;
}

void samples_prepared(const struct input *inputs) {
    for (; inputs->info != NULL; inputs++) {
        uint32_t size_bytes = inputs->info->size_bytes;
        uint32_t used_bytes = live_window.inputs_bytes;
        if (size_bytes <= live_window.inputs_capacity_bytes - used_bytes) {
            memcpy(live_window.inputs + used_bytes, inputs->data, size_bytes);
            live_window.inputs_bytes = used_bytes + size_bytes;
        }
    }
}
