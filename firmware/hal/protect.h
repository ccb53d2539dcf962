// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_PROTECT_H
#define ETHOSMITH_HAL_PROTECT_H

/**
 * Makes vectors, code and constants read-only, and constants not executable: a write through a
 * stray pointer, the null pointer included where code begins at 0, ends in a MemManage fault.
 */
void protect_start(void);

#endif
