# SPDX-License-Identifier: Apache-2.0
"""A program that stays booted: one sample after another, and why there is no answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ethosmith.accuracy.samples_window import Window
from ethosmith.core.errors import EthosmithError
from ethosmith.live.board import LiveBoard, LiveImage
from ethosu_model.config import AcceleratorConfig
from tests.support.board import programs

_WINDOW = Window("DDR", 0x68000000, 16 << 20)
_PROGRAM = """
struct window {
    const char *name; const u8 *data; u32 size; const char *file;
    u32 sequence; u8 *inputs; u32 capacity; u32 used;
};
#define WINDOW ((volatile struct window *)0x68000000)
__attribute__((noinline)) void live_exchange(void) { __asm volatile("" ::: "memory"); }
int program(void) {
    print("booted\\n");
    for (;;) {
        print("ready\\n");
        live_exchange();
        const u8 kind = WINDOW->data[0];
        if (kind == 'f') { print("fail: the sample is bad\\n"); return 1; }
        while (kind == 'h') {}
        for (u32 i = 0; i < WINDOW->size; i++) WINDOW->inputs[i] = WINDOW->data[i] + 1;
        WINDOW->used = WINDOW->size;
        print("sample "); print((const char *)WINDOW->name);
        print(": answer=\\"heard\\" score=0.5000 npu_cycles=7\\n");
        if (kind == 't') print("sample other: answer=\\"twice\\" score=0.5000 npu_cycles=7\\n");
    }
}
"""


@pytest.fixture(scope="module")
def axf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return programs.build(tmp_path_factory.mktemp("live"), _PROGRAM)


@pytest.fixture
def board(axf: Path) -> Iterator[LiveBoard]:
    accelerator = AcceleratorConfig.parse("ethos-u55-128")
    with closing(LiveBoard(LiveImage(axf, accelerator, _WINDOW, time_limit_s=2.0))) as made:
        yield made
    assert not _qemus()


def _qemus() -> list[int]:
    """Return the processes of QEMU that this process has started: there is a shell between."""
    parents: dict[int, int] = {}
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, others = place.read_text("utf-8").partition(" ")
        except OSError:
            continue
        name, _, fields = others.rpartition(") ")
        parents[int(pid)] = int(fields.split()[1])
        if name.startswith("(qemu-system"):
            found.append(int(pid))
    return [pid for pid in found if parents.get(parents.get(pid, 0)) == os.getpid()]


def test_a_program_is_booted_once_and_answers_each_sample(board: LiveBoard) -> None:
    assert board.boot() == "booted\n"
    (qemu,) = _qemus()
    for name, data in (("one", b"abc"), ("two", b"x" * 100_000), ("three", b"q")):
        answer = board.answer(name, data)
        assert (answer.sample.name, answer.sample.answer) == (name, "heard")
        assert answer.inputs == bytes(byte + 1 for byte in data)
        assert answer.sample.counts == {"npu_cycles": 7}
    assert _qemus() == [qemu]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"f", "^the program ended: the sample is bad$"),
        (b"h", "^the board stopped: time limit: no end within the limit of 2 s; the CPU was in "),
        (b"t", "^the device did not report exactly one sample$"),
    ],
)
def test_a_sample_without_an_answer_has_a_cause_and_the_next_one_boots_again(
    board: LiveBoard, data: bytes, cause: str
) -> None:
    with pytest.raises(EthosmithError, match=cause):
        board.answer("bad", data)
    assert board.answer("good", b"g").sample.answer == "heard"


def test_a_board_that_dies_between_two_samples_is_reported_and_replaced(board: LiveBoard) -> None:
    board.answer("before", b"b")
    (qemu,) = _qemus()
    os.kill(qemu, signal.SIGKILL)
    with pytest.raises(EthosmithError, match=r"the board stopped: .*ended by signal 9"):
        board.answer("lost", b"l")
    assert board.answer("after", b"a").sample.answer == "heard"


def test_a_sample_that_is_too_large_is_refused_before_the_board_sees_it(board: LiveBoard) -> None:
    with pytest.raises(EthosmithError, match=r"bytes, the device has room for 8,388,[0-9]+ in DDR"):
        board.answer("large", bytes(9 << 20))


def test_a_program_that_never_waits_for_samples_is_not_waited_for(tmp_path: Path) -> None:
    body = f"void live_exchange(void) {{}} {programs.PASSING}"
    axf = programs.build(tmp_path, body)
    accelerator = AcceleratorConfig.parse("ethos-u55-128")
    with closing(LiveBoard(LiveImage(axf, accelerator, _WINDOW, 2.0))) as board:
        with pytest.raises(EthosmithError, match=r"^the program ended: exit code 0$"):
            board.boot()
        with pytest.raises(EthosmithError, match=r"^the program ended: exit code 0$"):
            board.answer("one", b"o")
