// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_TIMING_ADAPTER_H
#define ETHOSMITH_HAL_TIMING_ADAPTER_H

/**
 * Sets the timing adapters between the NPU and its memories as platform.h says. One that is absent
 * is skipped, also where reading it is a bus fault: the open board and some FPGA images have none.
 */
void timing_adapter_start(void);

#endif
