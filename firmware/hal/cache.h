// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_CACHE_H
#define ETHOSMITH_HAL_CACHE_H

/** Invalidates both caches of the processor and enables them. */
void cache_start(void);

#endif
