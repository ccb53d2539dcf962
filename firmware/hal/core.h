// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Registers and intrinsics of Cortex-M55 and Cortex-M85 by CMSIS-Core's names, as far as the hal
 * needs them.
 *
 * No header that other code includes brings these in, so a vendor's header can define the same
 * names. To use the vendor's here too, define CMSIS_device_header as its name in quotes, as CMSIS
 * projects do.
 */
#ifndef ETHOSMITH_HAL_CORE_H
#define ETHOSMITH_HAL_CORE_H

#include <stdint.h>

#ifdef CMSIS_device_header

#include CMSIS_device_header

#else

typedef struct {
    volatile uint32_t CTRL;
    volatile uint32_t LOAD;
    volatile uint32_t VAL;
} SysTick_Type;

typedef struct {
    volatile uint32_t ISER[16];
} NVIC_Type;

typedef struct {
    uint32_t RESERVED0;
    volatile uint32_t ICSR;
    volatile uint32_t VTOR;
    uint32_t RESERVED1[2];
    volatile uint32_t CCR;
    uint32_t RESERVED2[3];
    volatile uint32_t SHCSR;
    volatile uint32_t CFSR;
    volatile uint32_t HFSR;
    uint32_t RESERVED3;
    volatile uint32_t MMFAR;
    volatile uint32_t BFAR;
    uint32_t RESERVED4[17];
    const volatile uint32_t CCSIDR;
    volatile uint32_t CSSELR;
    volatile uint32_t CPACR;
    uint32_t RESERVED5[22];
    volatile uint32_t SFSR;
    volatile uint32_t SFAR;
    uint32_t RESERVED6[89];
    volatile uint32_t ICIALLU;
    uint32_t RESERVED7[2];
    volatile uint32_t DCIMVAC;
    volatile uint32_t DCISW;
    uint32_t RESERVED8;
    volatile uint32_t DCCMVAC;
    volatile uint32_t DCCSW;
} SCB_Type;

typedef struct {
    uint32_t RESERVED0;
    volatile uint32_t CTRL;
    volatile uint32_t RNR;
    volatile uint32_t RBAR;
    volatile uint32_t RLAR;
    uint32_t RESERVED1[7];
    volatile uint32_t MAIR0;
} MPU_Type;

// The state that each part of the core goes into when it has nothing to do: 0 on, 1 clock off,
// 2 retention, 3 off. Reset: off.
typedef struct {
    volatile uint32_t CPDLPSTATE;
} PwrModCtl_Type;

#define SysTick ((SysTick_Type *)0xE000E010u)
#define NVIC ((NVIC_Type *)0xE000E100u)
#define SCB ((SCB_Type *)0xE000ED00u)
#define MPU ((MPU_Type *)0xE000ED90u)
#define PWRMODCTL ((PwrModCtl_Type *)0xE001E300u)

#define SysTick_CTRL_ENABLE_Msk (1u << 0)
#define SysTick_CTRL_TICKINT_Msk (1u << 1)
#define SysTick_CTRL_CLKSOURCE_Msk (1u << 2)

#define SCB_ICSR_PENDSTCLR_Msk (1u << 25)
#define SCB_ICSR_PENDSTSET_Msk (1u << 26)
#define SCB_CCR_DC_Msk (1u << 16)
#define SCB_CCR_IC_Msk (1u << 17)
#define SCB_CCR_BP_Msk (1u << 18)
#define SCB_CCR_LOB_Msk (1u << 19)
#define SCB_SHCSR_MEMFAULTENA_Msk (1u << 16)
#define SCB_SHCSR_BUSFAULTENA_Msk (1u << 17)
#define SCB_SHCSR_USGFAULTENA_Msk (1u << 18)
#define SCB_SHCSR_SECUREFAULTENA_Msk (1u << 19)
#define SCB_CFSR_MSTKERR_Msk (1u << 4)
#define SCB_CFSR_PRECISERR_Msk (1u << 9)
#define SCB_CFSR_STKERR_Msk (1u << 12)
#define SCB_CFSR_BFARVALID_Msk (1u << 15)
#define SCB_CFSR_STKOF_Msk (1u << 20)

#define MPU_CTRL_ENABLE_Msk (1u << 0)
#define MPU_CTRL_PRIVDEFENA_Msk (1u << 2)
#define MPU_RBAR_BASE_Msk 0xFFFFFFE0u
#define MPU_RBAR_AP_Pos 1u // 3: read-only for all
#define MPU_RLAR_LIMIT_Msk 0xFFFFFFE0u
#define MPU_RLAR_EN_Msk (1u << 0)

#define PWRMODCTL_CPDLPSTATE_CLPSTATE_Msk (3u << 0)
#define PWRMODCTL_CPDLPSTATE_ELPSTATE_Pos 4u
#define PWRMODCTL_CPDLPSTATE_ELPSTATE_Msk (3u << 4)
#define PWRMODCTL_CPDLPSTATE_RLPSTATE_Msk (3u << 8)

static inline void __DSB(void) { __asm volatile("dsb sy" ::: "memory"); }

static inline void __ISB(void) { __asm volatile("isb sy" ::: "memory"); }

static inline void __WFI(void) { __asm volatile("wfi" ::: "memory"); }

static inline void __disable_irq(void) { __asm volatile("cpsid i" ::: "memory"); }

static inline void __enable_irq(void) { __asm volatile("cpsie i" ::: "memory"); }

static inline uint32_t __get_PRIMASK(void) {
    uint32_t value;
    __asm volatile("mrs %0, primask" : "=r"(value)::"memory");
    return value;
}

static inline void __set_PRIMASK(uint32_t value) {
    __asm volatile("msr primask, %0" ::"r"(value) : "memory");
}

static inline uint32_t __get_IPSR(void) {
    uint32_t value;
    __asm volatile("mrs %0, ipsr" : "=r"(value));
    return value;
}

static inline void __set_MSPLIM(uint32_t value) { __asm volatile("msr msplim, %0" ::"r"(value)); }

#endif

/** Numbers of the exceptions, as IPSR and the vector table have them. */
enum {
    EXCEPTION_NMI = 2,
    EXCEPTION_HARD_FAULT = 3,
    EXCEPTION_MEM_MANAGE = 4,
    EXCEPTION_BUS_FAULT = 5,
    EXCEPTION_USAGE_FAULT = 6,
    EXCEPTION_SECURE_FAULT = 7,
    EXCEPTION_SVCALL = 11,
    EXCEPTION_DEBUG_MONITOR = 12,
    EXCEPTION_PENDSV = 14,
    EXCEPTION_SYSTICK = 15,
    EXCEPTION_IRQ0 = 16,
};

#endif
