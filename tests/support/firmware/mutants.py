# SPDX-License-Identifier: Apache-2.0
"""Firmware and driver with one fault each that a board would not forgive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        source: File in firmware/.
        original: Text in it, found exactly once.
        fault: What takes its place.
        reason: Part of why the strict board ends the run, or of what the program then prints.
    """

    source: str
    original: str
    fault: str
    reason: str


_NPU, _CACHE, _CONSOLE = "npu/npu.c", "hal/cache.c", "hal/console.c"
_AFTER_QUEUE = """\
    clean_inputs(npu, job);
    npu_pmu_start(npu, events);
    bool in_time = execute(npu);
    npu_pmu_stop(npu, counts);
    error = outcome(npu, in_time);
    if (error != NPU_OK) {
        recover(npu, error);
    }
    if (npu->ready) {
        allow_power_off(npu);
    }
    invalidate_outputs(npu, job);
    return error;
"""
_NOT_CLEANED = "which the CPU has written and not cleaned"
_NOT_INVALIDATED = "and the CPU not invalidated"
_LOST = "has written there is lost"

MUTANTS = {
    "non-secure NPU": Mutant(
        _NPU,
        "PROTECTION = NPU_RESET_PENDING_CPL_PRIVILEGED;",
        "PROTECTION = NPU_RESET_PENDING_CPL_PRIVILEGED | NPU_RESET_PENDING_CSL_NON_SECURE;",
        "fail: NPU: bus error",
    ),
    "NPU by its non-secure page": Mutant(
        "runtime/inference.c",
        ".address = PLATFORM_NPU_ADDRESS",
        ".address = PLATFORM_NPU_ADDRESS - 0x10000000u",
        "non-secure page cannot reset it to secure",
    ),
    "reset not waited for": Mutant(
        _NPU,
        "if (!status_clears(npu, NPU_STATUS_RESET_STATUS, RESET_TIMEOUT_MS)) {",
        "if (npu == NULL) {",
        "while its reset goes on",
    ),
    "no reset before a job": Mutant(
        _NPU,
        "    enum npu_error error = reset(npu);\n    if (error != NPU_OK) {\n        return error;",
        "    enum npu_error error = NPU_OK;\n    if (error != NPU_OK) {\n        return error;",
        "while CMD allows power-off",
    ),
    "power-off allowed before a job": Mutant(
        _NPU,
        "    bool in_time = execute(npu);",
        "    allow_power_off(npu);\n    bool in_time = execute(npu);",
        "while CMD allows power-off",
    ),
    "power-off allowed before the counters are read": Mutant(
        _NPU,
        "    npu_pmu_stop(npu, counts);",
        "    allow_power_off(npu);\n    npu_pmu_stop(npu, counts);",
        "while CMD allows power-off",
    ),
    "register written during a job": Mutant(
        _NPU,
        "    return system->wait(",
        "    npu_write(npu, NPU_QCONFIG, 0);\n    return system->wait(",
        "is written while a job runs",
    ),
    "job not waited for": Mutant(
        "runtime/inference.c",
        "    return hal_wait(done, timeout_ms);",
        "    return done != NULL && timeout_ms != 0;",
        "is written while a job runs",
    ),
    "input not cleaned": Mutant(
        _NPU, "    clean_inputs(npu, job);", "    (void)clean_inputs;", _NOT_CLEANED
    ),
    "input cleaned after the job": Mutant(
        _NPU,
        "    clean_inputs(npu, job);\n    npu_pmu_start(npu, events);\n"
        "    bool in_time = execute(npu);",
        "    npu_pmu_start(npu, events);\n    bool in_time = execute(npu);\n"
        "    clean_inputs(npu, job);",
        _NOT_CLEANED,
    ),
    "input invalidated instead of cleaned": Mutant(
        _NPU,
        "        clean_cache(npu, job->inputs[i].start, job->inputs[i].size_bytes);",
        "        const struct npu_system *s = &npu->setup->system;\n"
        "        s->cache_invalidate(s->context, job->inputs[i].start, job->inputs[i].size_bytes);",
        _LOST,
    ),
    "output not invalidated": Mutant(
        _NPU,
        "    invalidate_outputs(npu, job);\n    return error;",
        "    (void)invalidate_outputs;\n    return error;",
        _NOT_INVALIDATED,
    ),
    "output invalidated before the job": Mutant(
        _NPU,
        _AFTER_QUEUE,
        _AFTER_QUEUE.replace("    invalidate_outputs(npu, job);\n", "").replace(
            "    bool in", "    invalidate_outputs(npu, job);\n    bool in"
        ),
        _NOT_INVALIDATED,
    ),
    "output invalidated during the job": Mutant(
        "runtime/inference.c",
        "    return hal_wait(done, timeout_ms);",
        "    hal_cache_invalidate(model.scratch + 288, 64);\n"
        "    return hal_wait(done, timeout_ms);",
        "while the NPU may still write it",
    ),
    "command stream not cleaned": Mutant(
        _NPU,
        "    clean_cache(npu, job->payload.stream, job->payload.stream_bytes);",
        "    (void)clean_cache;",
        _NOT_CLEANED,
    ),
    "weights not cleaned": Mutant(
        _NPU,
        "        clean_cache(npu, job->regions[i].start, job->regions[i].size_bytes);",
        "        clean_cache(npu, job->regions[i].start, i == 0 ? 0 : job->regions[i].size_bytes);",
        _NOT_CLEANED,
    ),
    "all memory invalidated instead of cleaned": Mutant(
        _NPU,
        "        system->cache_clean(system->context, start, size_bytes);",
        "        system->cache_invalidate(system->context, (void *)start, size_bytes);",
        _LOST,
    ),
    "clean operation that invalidates": Mutant(
        _CACHE, "for_each_line(&SCB->DCCMVAC", "for_each_line(&SCB->DCIMVAC", _LOST
    ),
    "invalidate operation that cleans": Mutant(
        _CACHE,
        "for_each_line(&SCB->DCIMVAC",
        "for_each_line(&SCB->DCCMVAC",
        _NOT_INVALIDATED,
    ),
    "last line left out, start not aligned": Mutant(
        _CACHE,
        "(uintptr_t)start & ~(uintptr_t)(LINE_BYTES - 1)",
        "(uintptr_t)start",
        _NOT_CLEANED,
    ),
    "last line left out, end too early": Mutant(
        _CACHE, "line < end; line", "line + LINE_BYTES < end; line", _NOT_CLEANED
    ),
    "every second line left out": Mutant(
        _CACHE, "enum { LINE_BYTES = 32 };", "enum { LINE_BYTES = 64 };", _NOT_CLEANED
    ),
    "whole cache invalidated instead of cleaned": Mutant(
        _CACHE,
        "        for_each_line(&SCB->DCCMVAC, start, size_bytes);",
        "        (void)start;\n        for_each_set_and_way(&SCB->DCISW);",
        _LOST,
    ),
    "UART not waited for": Mutant(
        _CONSOLE,
        "            console_put((uint8_t)*text);",
        "            UART_DATA = (uint8_t)*text;",
        "is lost: the one before it is still being sent",
    ),
    "UART at another rate": Mutant(
        _CONSOLE,
        "PLATFORM_UART_CLOCK_HZ / PLATFORM_UART_BAUD",
        "PLATFORM_UART_CLOCK_HZ / 9600",
        "expected 115200",
    ),
    "UART's rate from the CPU's clock": Mutant(
        _CONSOLE, "PLATFORM_UART_CLOCK_HZ /", "PLATFORM_CLOCK_HZ /", "expected 115200"
    ),
    "input window without its mark": Mutant(
        "runtime/windows.c",
        "*found = header.magic == WINDOW_MAGIC;",
        "*found = header.magic != 0;",
        "fail: input window",
    ),
    ".bss not zeroed": Mutant(
        "hal/startup.c", "        zero_words(zero);", "        (void)zero_words;", "fail: "
    ),
    "timing adapter's register that is read-only": Mutant(
        "hal/timing_adapter.c",
        "    0x30, // HISTBIN",
        "    0x2C, // HISTBIN",
        "MAXPENDING is read-only",
    ),
}
