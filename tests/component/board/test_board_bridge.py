# SPDX-License-Identifier: Apache-2.0
"""The bridge carries out loads and stores exactly as the CPU does: QEMU itself is the oracle.

Each snippet runs twice, once with r4 in SRAM, where QEMU executes it, and once with r4 in
the NPU's page, where the bridge does, with what lies between two accesses. Afterwards registers,
flags and memory must agree.
"""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from open_board.bridge import NpuBridge
from open_board.functions import Function, read_functions
from open_board.job import BoardJob
from open_board.loaded import segments_of
from open_board.open_board import OpenBoard
from open_board.served import Served
from tests.component.board.conftest import U55, RunProgram
from tests.support.board import programs
from tests.support.board.between import BETWEEN
from tests.support.board.fake_npu import remembering
from tests.support.board.snippets import frame, snippet, state_words

SNIPPETS = {
    "ldr immediate": "ldr r3, [r4, #0x28]",
    "ldr negative": "ldr r3, [r4, #-4]",
    "ldr wide immediate": "ldr.w r3, [r4, #0x88]",
    "ldr post-index": "ldr r3, [r4], #4",
    "ldr post-index down": "ldr r3, [r4], #-8",
    "ldr pre-index": "ldr r3, [r4, #8]!",
    "ldr pre-index down": "ldr r3, [r4, #-8]!",
    "ldr register": "ldr r3, [r4, r5]",
    "ldr shifted register": "ldr r3, [r4, r5, lsl #2]",
    "ldr to base": "ldr r4, [r4, #4]",
    "ldr to high register": "ldr r10, [r4, #4]",
    "ldrb": "ldrb r3, [r4, #5]",
    "ldrsb negative": "ldrsb r3, [r4, #7]",
    "ldrsb positive": "ldrsb r3, [r4, #3]",
    "ldrsh positive": "ldrsh r3, [r4, #2]",
    "ldrsb register": "ldrsb r3, [r4, r5]",
    "ldrh": "ldrh r3, [r4, #6]",
    "ldrsh post-index": "ldrsh r3, [r4], #2",
    "ldrt": "ldrt r3, [r4, #4]",
    "ldrd": "ldrd r2, r3, [r4, #8]",
    "ldrd pre-index": "ldrd r2, r3, [r4, #8]!",
    "ldrd post-index down": "ldrd r2, r3, [r4], #-8",
    "lda": "lda r3, [r4]",
    "ldm": "ldm r4, {r1, r2, r3}",
    "ldm writeback": "ldmia r4!, {r1, r3, r9}",
    "ldmdb": "ldmdb r4, {r1, r2, r3}",
    "ldmdb writeback": "ldmdb r4!, {r1, r2, r3}",
    "str immediate": "str r3, [r4, #0x28]",
    "str wide immediate": "str.w r3, [r4, #0x88]",
    "str post-index": "str r3, [r4], #4",
    "str pre-index": "str r3, [r4, #-4]!",
    "str shifted register": "str r3, [r4, r5, lsl #2]",
    "strb": "strb r3, [r4, #5]",
    "strb post-index": "strb r3, [r4], #1",
    "strh register": "strh r3, [r4, r5, lsl #1]",
    "strd": "strd r2, r3, [r4, #-8]",
    "strd writeback": "strd r2, r3, [r4, #8]!",
    "stl": "stl r3, [r4]",
    "stm writeback": "stmia r4!, {r1, r2, r3}",
    "stmdb writeback": "stmdb r4!, {r1, r2, r3}",
    "it, condition true": "cmp r0, r0; itt eq; ldreq r3, [r4, #4]; addeq r1, #1",
    "it, condition false": "cmp r0, r0; it ne; ldrne r3, [r4, #4]",
    "itete": "cmp r0, r0; itete eq; ldreq r3, [r4]; addne r1, #1; streq r2, [r4, #8]; addne r2, #1",
    "ittt": "cmp r0, r0; ittt eq; addeq r1, #1; ldreq r3, [r4, #4]; addeq r2, #2",
    "group": "str r1, [r4]; ldr r2, [r4, #4]; strd r2, r3, [r4, #8]; ldm r4, {r5, r6}; mov r1, r6",
    "group moves its base": "str r1, [r4], #4; ldr r2, [r4], #4; stmia r4!, {r2, r3}; ldr r3, [r4]",
    "group loses its base": "ldr r2, [r4, #4]; ldr r4, [sp]; ldr r3, [r4]",
    "group after it": "cmp r0, r0; it eq; ldreq r3, [r4, #4]; str r3, [r4, #8]; ldr r1, [r4, #8]",
    "it in a group": "cmp r0, r5; str r3, [r4]; it ne; ldrne r1, [r4]; str r1, [r4, #4]",
    "long group": "str r0, [r4]; str r1, [r4, #4]; str.w r2, [r4, #8]; str.w r3, [r4, #12]; "
    "str.w r10, [r4, #16]; str.w r11, [r4, #20]; ldr.w r8, [r4, #24]; ldr.w r9, [r4, #28]; "
    "ldr.w r10, [r4, #16]; ldr.w r11, [r4, #12]",
    "it ends, then plain code": "cmp r0, r5; it ne; strne r3, [r4]; adds r1, #1; adds r2, #1",
}
SNIPPETS |= {
    f"between: {name}": " ".join(
        f"ldr r1, [r4]; ldr r2, [r4, #4]; {code}; str r3, [r4, #8]".split()
    )
    for name, code in BETWEEN.items()
}

_WORDS = 48
_FIRST_ACCESS = bytes.fromhex("2168")  # ldr r1, [r4]
_PAGES = {"secure": 0x58102200, "non-secure": 0x48102200}


def _all_snippets() -> str:
    functions = [snippet(index, code) for index, code in enumerate(SNIPPETS.values())]
    calls = [
        f"compare({index}, snippet_{index}, 0x{page:x});"
        for page in _PAGES.values()
        for index in range(len(SNIPPETS))
    ]
    return f"{frame(_WORDS)}{''.join(functions)}int program(void) {{ {' '.join(calls)} return 0; }}"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of all snippets."""
    return programs.build(tmp_path_factory.mktemp("snippets"), _all_snippets())


@pytest.fixture(scope="module")
def stops() -> list[int]:
    """Where the CPU stopped at accesses in the run of `first_differences`."""
    return []


@pytest.fixture(scope="module")
def first_differences(image: Path, stops: list[int]) -> dict[tuple[str, str], int]:
    """For each page and snippet the first word of the state that differs."""
    serve = NpuBridge.serve

    def serve_and_note(bridge: NpuBridge) -> Served:
        served = serve(bridge)
        stops.append(served.registers.pc)
        return served

    with mock.patch.object(NpuBridge, "serve", serve_and_note):
        result = OpenBoard(make_npu=remembering).run(BoardJob(U55, image, time_limit_s=200.0))
    assert result.passed, f"{result.reason} after {result.text[-10:]!r}"
    keys = [(page, snippet) for page in _PAGES for snippet in SNIPPETS]
    words = [int(line.split()[1]) for line in result.text.splitlines()]
    return dict(zip(keys, words, strict=True))


@pytest.mark.parametrize("page", _PAGES)
@pytest.mark.parametrize("snippet", SNIPPETS)
def test_bridge_executes_as_the_cpu_does(
    snippet: str, page: str, first_differences: dict[tuple[str, str], int]
) -> None:
    assert first_differences[page, snippet] == state_words(_WORDS)


@pytest.mark.parametrize("snippet", [f"between: {name}" for name in BETWEEN])
def test_the_cpu_does_not_stop_between_accesses(
    snippet: str,
    image: Path,
    stops: list[int],
    first_differences: dict[tuple[str, str], int],
) -> None:
    assert first_differences
    (function,) = (
        item
        for item in read_functions(image)
        if item.name == f"snippet_{list(SNIPPETS).index(snippet)}"
    )
    first = _code(image, function).index(_FIRST_ACCESS)
    # Where a snippet uses the stack, it has to be known how low it is: two loads and a push later.
    allowed = {first, first + 6} if snippet.endswith(("memory", "return")) else {first}
    inside = {at for pc in stops if 0 <= (at := pc - function.address) < function.size_bytes}
    assert inside <= allowed


def _code(image: Path, function: Function) -> bytes:
    segment = segments_of(BoardJob(U55, image))[0]
    assert segment.address == 0
    return segment.data[function.address : function.address + function.size_bytes]


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("ldrex r3, [r4]", "ldrex"),
        ("vldr s0, [r4]", "vldr"),
        ("vldrw.u32 q0, [r4]", "reaches the NPU's registers in a way"),
    ],
)
def test_access_that_is_not_modelled_is_named(
    code: str, named: str, run_program: RunProgram
) -> None:
    body = f'int program(void) {{ __asm volatile("mov r4, %0\\n {code}" :: "r"(NPU)); return 0; }}'

    result = run_program(body)

    assert not result.passed
    assert result.outcome.value == "bad access"
    assert named in result.reason


def test_unaligned_access_is_named(run_program: RunProgram) -> None:
    result = run_program("int program(void) { return REG(0x58102001) == 0; }")

    assert result.outcome.value == "bad access"
    assert "0x58102001" in result.reason
    assert "not aligned" in result.reason
