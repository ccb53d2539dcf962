# SPDX-License-Identifier: Apache-2.0
"""Small bare-metal programs for the board, built from a few lines of C."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_BOARD = r"""
typedef unsigned int u32;
typedef unsigned char u8;
#define NPU ((volatile u32 *)0x58102000)
#define NPU_NONSECURE ((volatile u32 *)0x48102000)
#define REG(address) (*(volatile u32 *)(address))
static volatile u32 *const uart = (volatile u32 *)0x49303000;
static void put(char c) { while (uart[1] & 1) {} uart[0] = (u8)c; }
static void print(const char *text) { while (*text) put(*text++); }
static void __attribute__((unused, noreturn)) end(int code) {
    put(4); put((char)code); for (;;) {}
}
extern u32 stack_top[], bss_start[], bss_end[];
void reset(void);
void hard_fault(void);
void npu_irq(void);
__attribute__((section(".vectors"), used)) const void *const vectors[16 + 57] = {
    [0] = stack_top, [1] = reset, [3] = hard_fault, [16 + 56] = npu_irq,
};
int program(void);
static void __attribute__((unused)) run_npu(void) {
    NPU[2] = 1;
    while (NPU[1] & 1) {}
}
void reset(void) {
    for (volatile u32 *word = bss_start; word < bss_end; word++) *word = 0;
    uart[4] = 16; uart[2] = 1;
    REG(0xE000ED88) = 0xF << 20;  /* CPACR: let the program use the FPU and Helium */
    end(program());
}
"""

_LINKER_SCRIPT = """
SECTIONS {
    . = 0;
    .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
    .bss 0x20000000 (NOLOAD) : {
        bss_start = .; *(.data* .bss* COMMON) . = ALIGN(4); bss_end = .;
    }
    stack_top = 0x20080000;
}
"""

_OPTIONS = (
    *("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=softfp", "-O1", "-ffreestanding"),
    *("-nostdlib", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"),
)

PASSING = 'int program(void) { print("hello\\n"); return 0; }'
HANGING = 'int program(void) { print("hello\\n"); for (;;) {} }'


def tool(name: str) -> str:
    """Return the path of a program of the Arm toolchain; the tests cannot do without."""
    path = shutil.which(f"arm-none-eabi-{name}")
    assert path is not None, f"arm-none-eabi-{name} is not on PATH"
    return path


def build(folder: Path, body: str, name: str = "program") -> Path:
    """Compile and link ``body``, which defines ``int program(void)``; return the ELF file."""
    source, script, axf = (folder / f"{name}{end}" for end in (".c", ".ld", ".axf"))
    unused = (handler for handler in ("hard_fault", "npu_irq") if f"void {handler}(" not in body)
    handlers = "".join(f"void {handler}(void) {{ for (;;) {{}} }}\n" for handler in unused)
    source.write_text(_BOARD + handlers + body)
    script.write_text(_LINKER_SCRIPT)
    subprocess.run(
        [tool("gcc"), *_OPTIONS, "-T", script, source, "-o", axf],
        check=True,
        capture_output=True,
    )
    return axf


def raw_image(axf: Path) -> Path:
    """Return the program's bytes from address 0, as a file."""
    image = axf.with_suffix(".bin")
    subprocess.run([tool("objcopy"), "-O", "binary", axf, image], check=True)
    return image


def linked_with_map(axf: Path) -> bytes:
    """Link a program that `build` has linked once more, and return the linker's map."""
    source, script, made = (axf.with_suffix(end) for end in (".c", ".ld", ".map"))
    subprocess.run(
        [tool("gcc"), *_OPTIONS, f"-Wl,-Map={made}", "-T", script, source, "-o", axf],
        check=True,
        capture_output=True,
    )
    return made.read_bytes()
