# SPDX-License-Identifier: Apache-2.0
"""Programs that run snippets twice: on memory, where the CPU does, and on the NPU's page."""

from __future__ import annotations

_FRAME = r"""
static u32 ram[WORDS] __attribute__((section(".bss.ram")));
struct state { u32 r[12]; u32 flags; u32 words[WORDS]; };
static struct state seen[2];
static u32 seed;
typedef void snippet(u32 base, u32 *registers);

static void fill(volatile u32 *words) {
    for (int i = 0; i < WORDS; i++)
        words[i] = (i & 1 ? 0x80f0817fu : 0x7f0f8e81u) + (u32)i + seed * 0x01010101u;
}
static void collect(struct state *state, volatile u32 *words, u32 base) {
    for (int i = 0; i < 12; i++)
        if (state->r[i] - base < 0x400) state->r[i] -= base;
    for (int i = 0; i < WORDS; i++) state->words[i] = words[i];
}
static void number(u32 value) {
    if (value >= 10) number(value / 10);
    put((char)('0' + value % 10));
}
static void compare(u32 index, snippet *run, u32 npu) {
    volatile u32 *page = (volatile u32 *)npu;
    fill(ram); run((u32)ram, seen[0].r); collect(&seen[0], ram, (u32)ram);
    fill(page); run(npu, seen[1].r); collect(&seen[1], page, npu);
    const u32 *a = (const u32 *)&seen[0], *b = (const u32 *)&seen[1];
    u32 i = 0;
    while (i < sizeof seen[0] / 4 && a[i] == b[i]) i++;
    number(index); put(' '); number(i); put('\n');
}
"""

_SNIPPET = r"""
__attribute__((naked)) static void snippet_{index}(u32 base, u32 *registers) {{
    __asm volatile(
        "push {{r0, r1, r4-r11, lr}}\n"
        "mov r4, r0\n add r4, #0x20\n"
        "mov r0, #3\n ldr r1, =0x11223344\n ldr r2, =0x99887766\n ldr r3, =0x8badf00d\n"
        "mov r5, #4\n mov r6, #6\n mov r7, #7\n mov r8, #8\n mov r9, #9\n"
        "mov r10, #10\n mov r11, #11\n"
        "{code}\n"
        "push {{r0-r3}}\n mrs r0, apsr\n ldr r1, [sp, #20]\n"
        "add r2, r1, #16\n stmia r2!, {{r4-r11}}\n str r0, [r2]\n"
        "pop {{r4-r7}}\n stmia r1, {{r4-r7}}\n"
        "pop {{r0, r1, r4-r11, pc}}\n"
        ".ltorg\n" ::: "memory");
}}
"""


def state_words(words: int) -> int:
    """Return how many words are compared."""
    return 12 + 1 + words


def frame(words: int) -> str:
    """Return what goes before snippets that work on so many words of memory, or of the page."""
    return f"\n#define WORDS {words}\n{_FRAME}"


def snippet(index: int, code: str) -> str:
    """Return a C function that runs instructions, which are separated by semicolons."""
    return _SNIPPET.format(index=index, code=code.replace("; ", "\\n "))
