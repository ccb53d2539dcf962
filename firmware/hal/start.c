// SPDX-License-Identifier: Apache-2.0
#include "cache.h"
#include "clock.h"
#include "console.h"
#include "hal.h"
#include "timing_adapter.h"

void hal_start(void) {
    console_start();
    cache_start();
    clock_start();
    timing_adapter_start();
}
