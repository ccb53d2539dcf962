// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_FAULT_H
#define ETHOSMITH_HAL_FAULT_H

// Handles every exception that nothing else handles: tells what happened and ends the program.
void fault_handler(void);

#endif
