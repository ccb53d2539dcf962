# SPDX-License-Identifier: Apache-2.0
"""What the bridge repeats is what the CPU would do, whatever has changed since: QEMU is the oracle.

Each snippet runs again and again, now and then with other words in the NPU's page, with other
memory, with other registers and with other code.
"""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from open_board.gdb_client import CoreRegisters
from open_board.job import BoardJob
from open_board.open_board import OpenBoard
from open_board.paths import Path as KnownPath
from open_board.paths import Paths
from tests.component.board.conftest import U55
from tests.support.board import programs
from tests.support.board.between import BETWEEN
from tests.support.board.fake_npu import remembering
from tests.support.board.snippets import frame, snippet, state_words

_DEPENDING = {
    # Of the words in the page: whether the path goes one way or the other.
    "words": "ldr r1, [r4]; lsls r2, r1, #31; bmi 1f; str r1, [r4, #8]; b 2f; "
    "1: str r2, [r4, #12]; 2: ldr r3, [r4, #4]",
    # Of memory: a word that the program changes, and one that it overwrites unread.
    "a word of memory": "ldr r6, =elsewhere; ldr r1, [r4]; ldr r2, [r6]; push {r2, r3}; "
    "str r2, [r4, #8]; pop {r2, r3}; adds r2, r2, #1; str r2, [r6, #4]; ldr r3, [r4, #4]; "
    "ldr r2, [r6, #4]; str r2, [r4, #12]; ldrb r5, [r6, #2]; ldr r8, [r4]",
    # Of a register, by way of another one.
    "registers": "ldr r6, =elsewhere; ldr r9, [r6]; ldr r1, [r4]; adds r2, r9, #3; "
    "str r2, [r4, #8]; movs r9, #5; str.w r9, [r4, #12]; ldr r3, [r4, #4]; mov r10, r3",
    # Of no register but those that are named: r7 stays what it was.
    "other registers": "ldr r6, =elsewhere; ldr r7, [r6]; movs r6, #0; ldr r1, [r4]; "
    "str r1, [r4, #8]; ldr r3, [r4, #4]",
    # Of flags.
    "flags": "ldr r6, =elsewhere; ldr r3, [r6]; lsls r3, r3, #31; ldr r1, [r4]; ite mi; "
    "addmi r2, r1, #1; addpl r2, r1, #2; str r2, [r4, #8]; ldr r3, [r4, #4]",
    # Of the code: the first byte of the addition is its number.
    "code": "ldr r1, [r4]; .global changed; changed: adds r1, #1; str r1, [r4, #8]; "
    "ldr r3, [r4, #4]",
}
_SNIPPETS = _DEPENDING | {
    name: " ".join(f"ldr r1, [r4]; ldr r2, [r4, #4]; {code}; str r3, [r4, #8]".split())
    for name, code in BETWEEN.items()
}
# Of the page's words, of the word elsewhere, and of the code.
_ROUNDS = [
    *((0, 0, 1), (0, 0, 1), (1, 0, 1), (0, 0, 1), (0, 1, 1), (0, 0, 1), (0, 1, 1)),
    *((0, 0, 2), (2, 7, 2), (1, 0, 1), (0, 1, 2), (0, 1, 2)),
]
_ELSEWHERE = "u32 elsewhere[2]; extern u8 changed[];"
_WORDS = 12
_ROUNDS_OF_ALL = 3
_ROUND = "seed = {}; elsewhere[0] = {}; changed[0] = {}; {}\n"


def _program() -> str:
    # What the bridge does not know, so that the CPU itself comes to the first access and stops.
    functions = [
        snippet(index, f"mrs r12, apsr; {code}") for index, code in enumerate(_SNIPPETS.values())
    ]
    calls = [f"compare({index}, snippet_{index}, 0x58102200);" for index in range(len(_SNIPPETS))]
    few = calls[: len(_DEPENDING)]
    rounds = "".join(
        _ROUND.format(*each, " ".join(few if index >= _ROUNDS_OF_ALL else calls))
        for index, each in enumerate(_ROUNDS)
    )
    return (
        f"{_ELSEWHERE}{frame(_WORDS)}{''.join(functions)}int program(void) {{ {rounds} return 0; }}"
    )


def _path(steps: int) -> KnownPath:
    """Return a path that depends on nothing."""
    after = CoreRegisters((0,) * 16, 0)
    return KnownPath((), 0, (), frozenset(), (mock.sentinel.step,) * steps, after, ())


def test_what_is_remembered_is_bounded() -> None:
    paths, sizes = Paths(), []
    for stop in range(3000):
        paths.keep(stop % 700, _path(steps=100 + stop % 7))
        kept = [len(path.steps) for each in paths._by_stop.values() for path in each]
        assert sum(kept) == paths.steps
        sizes.append(paths.steps)
    assert 10_000 < max(sizes) <= 1 << 14


def test_what_is_repeated_is_what_the_cpu_does(tmp_path: Path) -> None:
    axf, found = programs.build(tmp_path, _program()), []
    find = Paths.find

    def find_and_note(self: Paths, *arguments: object) -> object:
        path = find(self, *arguments)  # type: ignore[arg-type]
        found.append(path is not None)
        return path

    with mock.patch.object(Paths, "find", find_and_note):
        result = OpenBoard(make_npu=remembering).run(BoardJob(U55, axf, time_limit_s=200.0))

    assert result.passed, f"{result.reason} after {result.text[-40:]!r}"
    lines = [tuple(map(int, line.split())) for line in result.text.splitlines()]
    assert len(lines) == len(_ROUNDS) * len(_DEPENDING) + _ROUNDS_OF_ALL * len(BETWEEN)
    assert {line for line in lines if line[1] != state_words(_WORDS)} == set()
    assert found.count(True) > len(lines)
