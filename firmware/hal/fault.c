// SPDX-License-Identifier: Apache-2.0
// Prints a fault's name and registers, then ends the program as failed.
#include "fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "core.h"
#include "hal.h"
#include "probe.h"
#include "stack.h"
#include "text.h"

// What the processor pushes on exception entry, lowest address first.
struct frame {
    uint32_t r0;
    uint32_t r1;
    uint32_t r2;
    uint32_t r3;
    uint32_t r12;
    uint32_t lr;
    uint32_t pc;
    uint32_t xpsr;
};

struct named_bit {
    uint32_t mask;
    const char *name;
};

enum { LINE_BYTES = 80 };

static const struct named_bit CAUSES[] = {
    {1u << 0, "instruction access violation"},
    {1u << 1, "data access violation"},
    {1u << 3, "unstacking access violation"},
    {SCB_CFSR_MSTKERR_Msk, "stacking access violation"},
    {1u << 5, "lazy FP access violation"},
    {1u << 8, "instruction bus error"},
    {1u << 9, "precise data bus error"},
    {1u << 10, "imprecise data bus error"},
    {1u << 11, "unstacking bus error"},
    {SCB_CFSR_STKERR_Msk, "stacking bus error"},
    {1u << 13, "lazy FP bus error"},
    {1u << 16, "undefined instruction"},
    {1u << 17, "invalid state"},
    {1u << 18, "invalid PC"},
    {1u << 19, "no coprocessor"},
    {SCB_CFSR_STKOF_Msk, "stack overflow"},
    {1u << 24, "unaligned access"},
    {1u << 25, "division by zero"},
};

// Written so that the reserve under the stack's limit is enough for it. If it returns, the
// processor returns from the exception.
__attribute__((used)) void fault_report(struct frame *frame);

// The limit is lifted first: after a stack overflow the reserve beneath it is all there is.
__attribute__((naked)) void Default_Handler(void) {
    __asm volatile("movs r1, #0\n\t"
                   "msr msplim, r1\n\t"
                   "tst lr, #4\n\t"
                   "ite eq\n\t"
                   "mrseq r0, msp\n\t"
                   "mrsne r0, psp\n\t"
                   "b fault_report\n\t");
}

#define DEFAULT __attribute__((weak, alias("Default_Handler")))

DEFAULT void NMI_Handler(void);
DEFAULT void HardFault_Handler(void);
DEFAULT void MemManage_Handler(void);
DEFAULT void BusFault_Handler(void);
DEFAULT void UsageFault_Handler(void);
DEFAULT void SecureFault_Handler(void);
DEFAULT void SVC_Handler(void);
DEFAULT void DebugMon_Handler(void);
DEFAULT void PendSV_Handler(void);
DEFAULT void ETHOSU_IRQHandler(void);

static const char *exception_name(uint32_t number) {
    switch (number) {
    case EXCEPTION_NMI:
        return "NMI";
    case EXCEPTION_HARD_FAULT:
        return "HardFault";
    case EXCEPTION_MEM_MANAGE:
        return "MemManage";
    case EXCEPTION_BUS_FAULT:
        return "BusFault";
    case EXCEPTION_USAGE_FAULT:
        return "UsageFault";
    case EXCEPTION_SECURE_FAULT:
        return "SecureFault";
    default:
        return "unexpected exception";
    }
}

static void append_name(struct text *line) {
    uint32_t number = __get_IPSR();
    text_string(line, exception_name(number));
    if (number > EXCEPTION_SECURE_FAULT) {
        text_character(line, ' ');
        text_unsigned(line, number);
    }
}

static void append_causes(struct text *line, uint32_t cfsr) {
    const char *separator = " (";
    for (size_t i = 0; i < sizeof CAUSES / sizeof CAUSES[0]; i++) {
        if ((cfsr & CAUSES[i].mask) != 0) {
            text_string(line, separator);
            text_string(line, CAUSES[i].name);
            separator = ", ";
        }
    }
    if (cfsr != 0) {
        text_character(line, ')');
    }
}

static void print_line(struct text *line) {
    hal_console_write(line->start);
    hal_console_write("\n");
}

static void print_registers(const char *const names[4], const uint32_t values[4]) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    for (size_t i = 0; i < 4; i++) {
        text_string(&line, i == 0 ? "" : " ");
        text_string(&line, names[i]);
        text_string(&line, "=0x");
        text_hex(&line, values[i], 8);
    }
    print_line(&line);
}

static void print_frame(const struct frame *frame) {
    static const char *const FIRST[] = {"r0", "r1", "r2", "r3"};
    static const char *const SECOND[] = {"r12", "lr", "pc", "xpsr"};
    print_registers(FIRST, (const uint32_t[]){frame->r0, frame->r1, frame->r2, frame->r3});
    print_registers(SECOND, (const uint32_t[]){frame->r12, frame->lr, frame->pc, frame->xpsr});
}

static void print_status(uint32_t cfsr) {
    static const char *const FAULT[] = {"cfsr", "hfsr", "mmfar", "bfar"};
    static const char *const SECURE[] = {"sfsr", "sfar", "icsr", "shcsr"};
    print_registers(FAULT, (const uint32_t[]){cfsr, SCB->HFSR, SCB->MMFAR, SCB->BFAR});
    print_registers(SECURE, (const uint32_t[]){SCB->SFSR, SCB->SFAR, SCB->ICSR, SCB->SHCSR});
}

static bool frame_is_readable(const struct frame *frame, uint32_t cfsr) {
    uintptr_t start = (uintptr_t)frame;
    bool stacked = (cfsr & (SCB_CFSR_STKOF_Msk | SCB_CFSR_STKERR_Msk | SCB_CFSR_MSTKERR_Msk)) == 0;
    return stacked && start % sizeof(uint32_t) == 0 && start >= (uintptr_t)__stack_limit &&
           start + sizeof *frame <= (uintptr_t)__stack_top;
}

static void print_failure(const struct frame *frame) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    text_string(&line, "fail: ");
    append_name(&line);
    if (frame != NULL) {
        text_string(&line, " at 0x");
        text_hex(&line, frame->pc, 8);
    }
    print_line(&line);
}

static void print_fault(uint32_t cfsr) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    text_string(&line, "fault: ");
    append_name(&line);
    append_causes(&line, cfsr);
    print_line(&line);
}

static bool continue_probe(struct frame *frame) {
    uint32_t instruction_bytes = __get_IPSR() == EXCEPTION_BUS_FAULT ? probe_catch() : 0;
    if (instruction_bytes == 0) {
        return false;
    }
    frame->pc += instruction_bytes;
    SCB->CFSR = SCB_CFSR_PRECISERR_Msk | SCB_CFSR_BFARVALID_Msk; // cleared by writing 1
    stack_set_limit();
    return true;
}

void fault_report(struct frame *frame) {
    if (continue_probe(frame)) {
        return;
    }
    uint32_t cfsr = SCB->CFSR;
    console_start(); // the fault may have come before hal_start()
    print_fault(cfsr);
    bool readable = frame_is_readable(frame, cfsr);
    if (readable) {
        print_frame(frame);
    }
    print_status(cfsr);
    print_failure(readable ? frame : NULL);
    hal_exit(HAL_EXIT_FAULT);
}
