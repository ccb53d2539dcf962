// SPDX-License-Identifier: Apache-2.0
// abort() and __cxa_pure_virtual() without stdio or heap.
#include "hal.h"

_Noreturn void abort(void);
_Noreturn void __cxa_pure_virtual(void);

_Noreturn void abort(void) {
    hal_console_write("fail: abort() was called\n");
    hal_exit(HAL_EXIT_FAIL);
}

_Noreturn void __cxa_pure_virtual(void) { abort(); }
