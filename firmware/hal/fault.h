// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_FAULT_H
#define ETHOSMITH_HAL_FAULT_H

/** Reports the exception that is active, and ends the program. */
void Default_Handler(void);

/** @name Handlers in the vector table, by CMSIS's names.
 * Each is Default_Handler() unless the program defines it.
 */
///@{
void NMI_Handler(void);
void HardFault_Handler(void);
void MemManage_Handler(void);
void BusFault_Handler(void);
void UsageFault_Handler(void);
void SecureFault_Handler(void);
void SVC_Handler(void);
void DebugMon_Handler(void);
void PendSV_Handler(void);
///@}

#endif
