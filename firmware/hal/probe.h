// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_PROBE_H
#define ETHOSMITH_HAL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Reads a device register that may not exist: a bus fault is an answer, not the end.
 *
 * @param address of the register, 4-byte aligned.
 * @param value read; unchanged if the read faults.
 * @return false if the read faults.
 */
bool probe_read(uintptr_t address, uint32_t *value);

/**
 * Asks from the bus fault's handler whether the fault is that of probe_read().
 *
 * @return the size in bytes of the instruction to skip; 0 for any other fault.
 */
uint32_t probe_catch(void);

#endif
