// SPDX-License-Identifier: Apache-2.0
// What the board offers to the layers above. The CPU stays in the secure state throughout:
// the SAU is left off, so all memory is secure, and so are the NPU's accesses.
#ifndef ETHOSMITH_HAL_HAL_H
#define ETHOSMITH_HAL_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hal_exit_code {
    HAL_EXIT_PASS = 0,
    HAL_EXIT_FAIL = 1,
    HAL_EXIT_FAULT = 2,
};

// Start-up calls this before the constructors of static objects.
void hal_start(void);

void hal_console_write(const char *text);

// Ends the program: EOT and the code on the UART, then sleep for ever.
_Noreturn void hal_exit(enum hal_exit_code code);

// Milliseconds since hal_start(); wraps after 49 days.
uint32_t hal_clock_ms(void);

// Processor cycles since hal_start().
uint64_t hal_clock_cycles(void);

// Sleeps until `*done` is set by an interrupt handler; false if that takes too long.
bool hal_wait(const volatile bool *done, uint32_t timeout_ms);

void hal_interrupt_enable(uint32_t irq);

// The handler of the NPU's interrupt, in the vector table; the program has to define it.
void npu_irq_handler(void);

// Makes what the CPU wrote visible to the NPU.
void hal_cache_clean(const void *start, size_t size_bytes);

// Drops the cache's copy of what the NPU wrote. The lines must not hold CPU writes.
void hal_cache_invalidate(const void *start, size_t size_bytes);

// The deepest that the stack has been, exceptions included.
uint32_t hal_stack_used_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
