// SPDX-License-Identifier: Apache-2.0
/** @file Access to a 32-bit device register at a fixed address. */
#ifndef ETHOSMITH_HAL_REGISTERS_H
#define ETHOSMITH_HAL_REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#endif
