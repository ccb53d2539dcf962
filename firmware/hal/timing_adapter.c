// SPDX-License-Identifier: Apache-2.0
// The timing adapters of Corstone: bridges in front of the NPU's memories that delay and cap its
// accesses, so that a fast FPGA or simulator memory behaves like the one of a product.
#include "timing_adapter.h"

#include <stddef.h>
#include <stdint.h>

#include "platform.h"
#include "probe.h"
#include "registers.h"

// Offsets, in the order of PLATFORM_TIMING_ADAPTERS. 0x2C, MAXPENDING, is read-only.
static const uint8_t OFFSETS[PLATFORM_TIMING_ADAPTER_REGISTERS] = {
    0x00, // MAXR
    0x04, // MAXW
    0x08, // MAXRW
    0x0C, // RLATENCY
    0x10, // WLATENCY
    0x14, // PULSE_ON
    0x18, // PULSE_OFF
    0x1C, // BWCAP
    0x20, // PERFCTRL
    0x24, // PERFCNT
    0x28, // MODE
    0x30, // HISTBIN
    0x34, // HISTCNT
};

static const uint32_t VERSION_OFFSET = 0x38;
static const uint32_t VERSION = 0x1117;

static void set(uintptr_t address, const uint32_t values[PLATFORM_TIMING_ADAPTER_REGISTERS]) {
    uint32_t version;
    if (!probe_read(address + VERSION_OFFSET, &version) || version != VERSION) {
        return;
    }
    for (size_t i = 0; i < PLATFORM_TIMING_ADAPTER_REGISTERS; i++) {
        REGISTER(address + OFFSETS[i]) = values[i];
    }
}

#define SET(address, ...) set(address, (const uint32_t[]){__VA_ARGS__});

void timing_adapter_start(void) {
    (void)set; // the platform may have none
    PLATFORM_TIMING_ADAPTERS(SET)
}
