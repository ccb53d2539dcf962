// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the board offers to the layers above. The CPU stays in the secure state throughout: the SAU
 * is left off, so all memory is secure, and so are the NPU's accesses.
 */
#ifndef ETHOSMITH_HAL_HAL_H
#define ETHOSMITH_HAL_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a program ends; the simulators and the build read it. */
enum hal_exit_code {
    HAL_EXIT_PASS = 0,
    HAL_EXIT_FAIL = 1,
    HAL_EXIT_FAULT = 2,
};

/** Starts UART, caches, clock and timing adapters; before the constructors of static objects. */
void hal_start(void);

/**
 * Writes to the UART and waits until it has taken everything.
 *
 * @param text terminated; each line feed becomes the platform's line end.
 */
void hal_console_write(const char *text);

/**
 * Ends the program: EOT and the code on the UART, then sleep for ever.
 *
 * @param code one byte.
 */
__attribute__((noreturn)) void hal_exit(enum hal_exit_code code);

/**
 * Reads the clock.
 *
 * @return milliseconds since hal_start(); wraps around after 49 days.
 */
uint32_t hal_clock_ms(void);

/**
 * Reads the clock. It never goes back; it stands still if interrupts are masked for longer than a
 * millisecond and nobody reads it meanwhile.
 *
 * @return processor cycles since hal_start().
 */
uint64_t hal_clock_cycles(void);

/**
 * Sleeps until an interrupt handler sets `*done`.
 *
 * Interrupts are enabled while it sleeps, also for a caller that has masked them, and masked again
 * when it returns to such a caller.
 *
 * @param done set by an interrupt handler.
 * @param timeout_ms the time limit in milliseconds.
 * @return the value of `*done`: false if the time limit passed first.
 */
bool hal_wait(const volatile bool *done, uint32_t timeout_ms);

/**
 * Enables an interrupt.
 *
 * @param irq its number in the NVIC, from 0.
 */
void hal_interrupt_enable(uint32_t irq);

/** Handles the NPU's interrupt; in the vector table. A program without it has an unexpected one. */
void ETHOSU_IRQHandler(void);

/**
 * Makes visible to the NPU what the CPU wrote.
 *
 * @param start of the memory; whole cache lines are cleaned.
 * @param size_bytes of the memory.
 */
void hal_cache_clean(const void *start, size_t size_bytes);

/**
 * Makes visible to the CPU what the NPU wrote.
 *
 * @param start of the memory; whole cache lines are dropped, so none may hold CPU writes.
 * @param size_bytes of the memory.
 */
void hal_cache_invalidate(const void *start, size_t size_bytes);

/**
 * Measures the stack.
 *
 * @return the deepest that it has been, exceptions included, in bytes.
 */
uint32_t hal_stack_used_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
