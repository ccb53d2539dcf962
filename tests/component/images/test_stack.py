# SPDX-License-Identifier: Apache-2.0
"""Frames and calls read from machine code are those that GCC reports of the same functions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ethosmith.images.elf import read_image, read_symbols
from ethosmith.images.stack import (
    EXCEPTION_FRAME_BYTES,
    Function,
    StackEstimate,
    estimate,
    exception_handlers,
    read_functions,
)
from tests.support.small_image import SCRIPT, link

PROGRAM = """
#include <string.h>
#define NEVER_INLINE __attribute__((noipa))
void use(void *);
int add(int a, int b);
double sink;
int (*callback)(int);
NEVER_INLINE void none(void) { __asm volatile("nop"); }
NEVER_INLINE int small_room(int n) { char room[24]; use(room); return n; }
NEVER_INLINE int big_room(int n) { char room[3000]; use(room); return n + small_room(n); }
NEVER_INLINE int huge_room(int n) { char room[70000]; use(room); return n; }
NEVER_INLINE int many(int a, int b, int c, int d, int e, int f) {
    return small_room(a) + small_room(b) * small_room(c) - small_room(d) * e + f;
}
NEVER_INLINE int arguments(int n) { return many(n, n, n, n, n, n); }
NEVER_INLINE double floats(double a, double b) {
    double c = a * b, d = a - b;
    none();
    sink = c;
    none();
    return c * d;
}
NEVER_INLINE long long wide(long long a, long long b) { none(); return a / b; }
NEVER_INLINE int variadic(int n, ...) {
    __builtin_va_list list;
    __builtin_va_start(list, n);
    int v = __builtin_va_arg(list, int);
    __builtin_va_end(list);
    return v + small_room(n);
}
NEVER_INLINE int dynamic(int n) { char room[n]; use(room); return room[0]; }
NEVER_INLINE int again(int n) { char room[40]; use(room); return n ? again(n - 1) + room[0] : 0; }
NEVER_INLINE int pointer(int n) { return callback(n) + 1; }
NEVER_INLINE int pointer_at_end(int n) { return callback(n); }
NEVER_INLINE void tail(int n) { none(); small_room(n); }
NEVER_INLINE int jump_table(int n) {
    switch (n) {
    case 0: return small_room(7);
    case 1: none(); return 9;
    case 2: return big_room(n);
    case 3: return add(n, 3);
    case 4: return arguments(3);
    case 5: return 77;
    default: return again(n);
    }
}
NEVER_INLINE void use(void *p) { *(volatile char *)p = 1; }
void interrupt(void) { char room[64]; use(room); }
ROOT
extern void *const vectors[];
__attribute__((section(".vectors"), used)) void *const vectors[] = {
    0, (void *)reset_handler, (void *)interrupt, (void *)0};
"""
WHOLE = """void reset_handler(void) {
    none(); huge_room(1); floats(2, 3); wide(1, 2); variadic(1, 2); dynamic(3);
    pointer(1); pointer_at_end(2); tail(3); jump_table(*(volatile int *)4); for (;;) {}
}"""
PLAIN = "void reset_handler(void) { for (;;) big_room(1); }"
# GCC does not count the registers that a variadic function saves above its frame.
UNREPORTED_BYTES = {"variadic": 16}
REPORTS = ("-fstack-usage", "-fcallgraph-info=su", "-ffreestanding")


def functions_of(folder: Path, root: str, *, level: str) -> tuple[dict[int, Function], int]:
    linked = link(
        folder, PROGRAM.replace("ROOT", root), SCRIPT, options=(*REPORTS, level, "-fno-ipa-ra")
    )
    image = read_image(linked.axf)
    return read_functions(image, read_symbols(image)), image.entry_address & ~1


def reported_frames(folder: Path) -> dict[str, tuple[int, str]]:
    lines = (line.split("\t") for line in (folder / "small.su").read_text().splitlines())
    return {place.rpartition(":")[2]: (int(size), kind) for place, size, kind in lines}


def reported_calls(folder: Path) -> dict[str, set[str]]:
    calls: dict[str, set[str]] = {}
    pattern = r'sourcename: "([^"]*)" targetname: "([^"]*)"'
    for source, target in re.findall(pattern, (folder / "small.ci").read_text()):
        calls.setdefault(source, set()).add(target)
    return calls


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O2"])
def test_frames_and_calls_are_those_that_gcc_reports(tmp_path: Path, level: str) -> None:
    functions, _ = functions_of(tmp_path, WHOLE, level=level)
    frames, calls = reported_frames(tmp_path), reported_calls(tmp_path)
    compared = 0
    for function in functions.values():
        if function.label not in frames:
            continue
        frame_bytes, kind = frames[function.label]
        assert function.bounded == (kind != "dynamic"), function.label
        if function.bounded:
            unreported_bytes = UNREPORTED_BYTES.get(function.label, 0)
            assert function.frame_bytes == frame_bytes + unreported_bytes, function.label
        wanted = calls.get(function.label, set())
        assert function.calls_pointer == ("__indirect_call" in wanted), function.label
        found = {functions[address].label for address in function.calls}
        assert {name for name in found if name in frames} == wanted & set(frames), function.label
        compared += 1
    assert compared == len(frames)


def estimate_of(folder: Path, root: str) -> StackEstimate:
    linked = link(folder, PROGRAM.replace("ROOT", root), options=REPORTS)
    image = read_image(linked.axf)
    functions = read_functions(image, read_symbols(image))
    found = estimate(functions, image.entry_address & ~1, exception_handlers(image))
    assert found is not None
    return found


def test_plain_program_has_a_complete_estimate(tmp_path: Path) -> None:
    found = estimate_of(tmp_path, PLAIN)
    frames = reported_frames(tmp_path)
    way = ("reset_handler", "big_room", "small_room", "use")
    assert tuple(function.label for function in found.deepest.path) == way
    assert found.deepest.size_bytes == sum(frames[name][0] for name in way)
    assert found.interrupt is not None
    assert found.interrupt.path[0].label == "interrupt"
    interrupt_bytes = frames["interrupt"][0] + frames["use"][0]
    assert found.size_bytes == found.deepest.size_bytes + EXCEPTION_FRAME_BYTES + interrupt_bytes
    assert found.complete


def test_what_an_estimate_cannot_know_is_named(tmp_path: Path) -> None:
    found = estimate_of(tmp_path, WHOLE)
    assert not found.complete
    assert found.recursive == ("again",)
    assert found.unbounded == ("dynamic",)
    assert set(found.indirect) >= {"pointer", "pointer_at_end"}


def test_deep_recursion_of_many_functions_ends() -> None:
    count = 5000
    functions = {
        number: Function(f"f{number}", 8, calls=(number + 1, 0)) for number in range(count)
    }
    found = estimate(functions, 0, [])
    assert found is not None
    assert found.deepest.size_bytes == 8 * count
    assert found.unbounded == (f"0x{count:08x}",)
    assert len(found.recursive) == count


def test_no_function_at_the_entry_gives_no_estimate() -> None:
    assert estimate({}, 0x100, [0x200]) is None
