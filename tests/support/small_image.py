# SPDX-License-Identifier: Apache-2.0
"""Link small real images for the tests, in a folder whose name has a space."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from ethosmith.descriptors.memory import MemoryRegion, Sector

CPU = ("-mcpu=cortex-m55", "-mfloat-abi=hard", "-Os", "-ffunction-sections", "-fdata-sections")

REGIONS = (
    MemoryRegion(
        name="ITCM",
        address=0x0,
        alias=0x10000000,
        size_kib=64,
        npu=False,
        sector=Sector(file="itcm.bin", card_address=0x0),
    ),
    MemoryRegion(name="DTCM", address=0x20000000, size_kib=64, npu=False),
    MemoryRegion(name="SRAM", address=0x31000000, alias=0x21000000, size_kib=64, npu=True),
    MemoryRegion(
        name="DDR",
        address=0x70000000,
        alias=0x60000000,
        size_kib=256,
        npu=True,
        sector=Sector(file="ddr.bin", card_address=0x0C000000),
    ),
)

SCRIPT = """
ENTRY(reset_handler)
MEMORY
{
    ITCM : ORIGIN = 0x00000000, LENGTH = 64K
    DTCM : ORIGIN = 0x20000000, LENGTH = 64K
    SRAM : ORIGIN = 0x31000000, LENGTH = 64K
    DDR  : ORIGIN = 0x70000000, LENGTH = 256K
    AWAY : ORIGIN = 0x80000000, LENGTH = 64K
}
SECTIONS
{
    .vectors : { KEEP(*(.vectors)) } > ITCM
    .text : { *(.text .text.*) } > ITCM
    .rodata : { *(.rodata .rodata.*) } > ITCM
    .stack (NOLOAD) : { . += 2048; } > DTCM
    .data : { *(.data .data.*) } > DTCM AT> ITCM
    .bss (NOLOAD) : { *(.bss .bss.*) *(COMMON) } > DTCM
    .scratch (NOLOAD) : ALIGN(32) { *(.scratch) } > SRAM
    .model.weights : ALIGN(64) { KEEP(*(.model.weights)) . = ALIGN(32); } > DDR
    /* A gap, which must become zeros. */
    .samples 0x70001000 : { KEEP(*(.samples)) } > DDR
    .away : { KEEP(*(.away)) } > AWAY
    .misplaced : { KEEP(*(.misplaced)) } > DTCM
    /DISCARD/ : { *(.ARM.exidx* .eh_frame*) }
}
"""

MAIN = """
#include <string.h>
int add(int a, int b);
void reset_handler(void);
static char message[300];
int initialised[3] = {5, 6, 7};
const int table[4] = {1, 2, 3, 4};
__attribute__((section(".model.weights"), used)) const unsigned char weights[100] = {1, 2, 3};
__attribute__((section(".samples"), used)) const short sample_yes[50] = {-1, -2};
__attribute__((section(".scratch"))) unsigned char scratch[4096];
extern void *const vectors[];
__attribute__((section(".vectors"), used)) void *const vectors[2] = {0, (void *)reset_handler};
int unused(void) { return 1234567; }
__attribute__((noinline)) static int deep(int n) {
    volatile char room[200];
    room[0] = (char)n;
    return room[0] + add(n, 1);
}
__attribute__((noinline)) static int shallow(int n) {
    volatile char room[16];
    room[0] = (char)n;
    return room[0];
}
void reset_handler(void) {
    memset(message, initialised[1], sizeof message);
    scratch[0] = (unsigned char)table[initialised[0] & 3];
    initialised[2] = deep(shallow(message[3]));
    for (;;) {}
}
"""
ADD = "int add(int a, int b) { return a + b; }\n"


# A pattern of memset's origin: newlib's members are called lib_a-* or, since 4.4, libc_a-*.
NANO_MEMSET = r"libc_nano\.a\(libc?_a-memset\.o\)"


@dataclass(frozen=True)
class Linked:
    """A linked image and its map."""

    axf: Path
    map: Path


def run(*command: object, cwd: Path) -> str:
    """Run a command of the toolchain; return its output."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=cwd, check=True, capture_output=True, text=True).stdout


def link(
    folder: Path,
    main: str = MAIN,
    script: str = SCRIPT,
    *,
    name: str = "small",
    options: tuple[str, ...] = (),
) -> Linked:
    """Compile ``main``, and ``add`` in an archive, and link them with newlib."""
    library = folder / "own libraries"
    library.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.c").write_text(main)
    (folder / f"{name}.ld").write_text(script)
    (library / "add.c").write_text(ADD)
    run("arm-none-eabi-gcc", *CPU, *options, "-c", "add.c", cwd=library)
    run("arm-none-eabi-gcc-ar", "rcs", "libadd.a", "add.o", cwd=library)
    run("arm-none-eabi-gcc", *CPU, *options, "-c", f"{name}.c", cwd=folder)
    run(
        "arm-none-eabi-gcc",
        *CPU,
        *options,
        "-nostartfiles",
        "--specs=nano.specs",
        "-T",
        f"{name}.ld",
        "-Wl,--gc-sections,--no-warn-rwx-segments",
        f"-Wl,-Map={name}.map",
        f"{name}.o",
        "own libraries/libadd.a",
        "-o",
        f"{name}.axf",
        cwd=folder,
    )
    return Linked(folder / f"{name}.axf", folder / f"{name}.map")
