# SPDX-License-Identifier: Apache-2.0
"""The device program on the board: its exact words, with a network that returns its input.

The command stream is a lone NPU_OP_STOP, and input and output are the same bytes.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from ethosu.vela.api import NpuAccelerator
from ethosu.vela.driver_actions import npu_create_driver_payload

from ethosmith.verify.image_identity import ImageIdentity, identity_in_log, identity_of_image
from tests.support.firmware.compile import HERE
from tests.support.firmware.device import Firmware, boot, run_on_board

STOP = 0xFFFF0000
Fields = dict[str, object]

_MODEL = """
#include "model.h"
static const uint8_t stream[] __attribute__((section(".model.command_stream"), aligned(16))) =
    {%(payload)s};
static uint8_t scratch[64] __attribute__((section("%(scratch_section)s"), aligned(16)));
static const struct tensor_info tensor[] = {{.name = "both", .dtype = TENSOR_INT8, .rank = 2,
    .shape = {1, 4}, .size_bytes = 4, .region = 1, .offset = %(offset)s, .scale = 0.5f,
    .zero_point = 1}};
const struct model model = {.name = "copy", .accelerator_config = "ethos-u55-128", .macs = 128,
    .memory_mode = "%(memory_mode)s", .command_stream = stream,
    .command_stream_bytes = %(stream_bytes)s, .weights = scratch,
    .weights_bytes = %(weights_bytes)s, .weights_region = %(weights_region)s,
    .scratch = scratch, .scratch_bytes = sizeof scratch, .scratch_region = 1,
    .inputs = tensor, .input_count = 1, .outputs = tensor, .output_count = 1};
"""


def _fields() -> Fields:
    payload = npu_create_driver_payload([STOP], NpuAccelerator.Ethos_U55_128)
    return {
        "payload": ",".join(map(str, payload)),
        "stream_bytes": len(payload),
        "scratch_section": ".scratch",
        "memory_mode": "Shared_Sram",
        "offset": 16,
        "weights_bytes": 0,
        "weights_region": 0,
    }


def _image(
    firmware: Firmware,
    folder: Path,
    changes: Fields | None = None,
    sample_size: int = 4,
    further: Sequence[str] = (),
) -> Path:
    model = folder / "model.c"
    model.write_text(_MODEL % (_fields() | (changes or {})), encoding="utf-8")
    defines = ["-DSAMPLE_COUNT=2", f"-DSAMPLE_SIZE={sample_size}", *further]
    return firmware.image(folder, [model, HERE / "echo_application.c"], defines)


HEADER = "ethosmith: echo model=copy npu=ethos-u55-128 memory_mode=Shared_Sram samples=2"


def test_every_line_of_a_run_that_passes(firmware: Firmware, tmp_path: Path) -> None:
    # -3, 0, 100, 7 and 1, 2, then what lies behind them, in steps of 0.5 around 1.
    code, lines = run_on_board(_image(firmware, tmp_path))
    counts = r" npu_cycles=\d+ npu_active=\d+ axi0_rd=\d+ axi0_wr=\d+ axi1_rd=\d+"
    assert code == 0
    assert lines[0] == HEADER
    assert re.fullmatch(r'sample numbers: answer="third" score=63\.0000' + counts, lines[1])
    assert lines[2] == "tensor numbers 0 int8 1x4 fb017f0f"
    assert re.fullmatch(r"sample few: answer=\"\w+\" score=\d+\.\d{4}" + counts, lines[3])
    assert lines[4].startswith("tensor few 0 int8 1x4 0305")
    assert re.fullmatch(r"stack: \d+ of 16384 bytes used", lines[5])
    assert lines[6:] == ["ran: 2 samples"]


_OPTIONS = """
extern const char build_options[];
const char build_options[] = "platform=fvp toolchain=gcc";
"""
_HASH = "0123456789abcdef0123"


def test_the_board_says_what_is_in_its_image(firmware: Firmware, tmp_path: Path) -> None:
    found = []
    for number, hash_ in enumerate((_HASH, _HASH, _HASH.replace("1", "2"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "options.c").write_text(_OPTIONS, encoding="utf-8")
        model = (_MODEL % _fields()).replace(".name", ".hash = model_hash, .name", 2)
        model = model.replace(".hash = model_hash, .name", ".name", 1)
        text = model.replace(
            '#include "model.h"', f'#include "model.h"\nconst char model_hash[] = "{hash_}";'
        )
        (folder / "model.c").write_text(text, encoding="utf-8")
        sources = [folder / "model.c", folder / "options.c", HERE / "echo_application.c"]
        axf = firmware.image(folder, sources, ["-DSAMPLE_COUNT=2", "-DSAMPLE_SIZE=4"])
        _, lines = boot(axf)
        said = identity_in_log("\n".join(lines))
        assert said == identity_of_image(axf)
        found.append(said)
    first, again, other = found
    assert (
        first
        == again
        == ImageIdentity(first.image, _HASH[:16], {"platform": "fvp", "toolchain": "gcc"})
    )
    assert len(first.image) == 16
    assert other.image != first.image and other.model != first.model


def _image_with_windows(firmware: Firmware, folder: Path, samples: int) -> Path:
    model = folder / "model.c"
    model.write_text(_MODEL % _fields(), encoding="utf-8")
    application = HERE / "windows_application.c"
    return firmware.image(folder, [model, application], [f"-DSAMPLE_COUNT={samples}"])


def test_every_line_of_a_sample_with_windows(firmware: Firmware, tmp_path: Path) -> None:
    code, lines = run_on_board(_image_with_windows(firmware, tmp_path, 2))
    assert code == 0
    counts = r" npu_cycles=(\d+) npu_active=\d+ axi0_rd=\d+ axi0_wr=\d+ axi1_rd=\d+"
    first = re.fullmatch("window two 0:" + counts, lines[1])
    assert lines[2] == "tensor two 0 int8 1x4 fb017f0f"
    second = re.fullmatch("window two 1:" + counts, lines[3])
    assert lines[4] == "tensor two 0 int8 1x4 0305077f"
    # 100 and 101 both saturate at 63, so the first window stays the answer.
    both = re.fullmatch(r'sample two: answer="first" score=63\.0000 windows=2' + counts, lines[5])
    assert first and second and both
    assert int(both[1]) == int(first[1]) + int(second[1])
    assert re.fullmatch(r'sample one: answer="first" score=9\.0000' + counts, lines[6])
    assert lines[7] == "tensor one 0 int8 1x4 13110f0d"
    assert lines[9:] == ["ran: 2 samples"]


def test_a_sample_without_a_window_is_named(firmware: Firmware, tmp_path: Path) -> None:
    code, lines = run_on_board(_image_with_windows(firmware, tmp_path, 3))
    assert code == 1
    assert lines[-1] == "fail: 4 values expected, 3 found in none.csv (sample none)"


BROKEN: dict[str, tuple[Fields, str]] = {
    "memory mode": (
        {"memory_mode": "Sram_Only"},
        "model: compiled for Sram_Only, the firmware for Shared_Sram",
    ),
    "stream cut off": (
        {"stream_bytes": 32},
        "model: its command stream ends within an action",
    ),
    "tensor beyond scratch": (
        {"offset": 61},
        "model: tensor both lies outside the scratch buffers",
    ),
    "tensor far beyond scratch": (
        {"offset": "0xfffffffeu"},
        "model: tensor both lies outside the scratch buffers",
    ),
    "scratch in DTCM": (
        {"scratch_section": ".bss.scratch"},
        "model: the NPU cannot access its scratch",
    ),
    "ninth region": (
        {"weights_bytes": 16, "weights_region": 8},
        "model: no such NPU region for its weights",
    ),
    "one region for two parts": (
        {"weights_bytes": 16, "weights_region": 1},
        "model: two parts in the NPU region of its scratch",
    ),
    "weights longer than SRAM": (
        {"weights_bytes": "0xfffffff0u"},
        "model: the NPU cannot access its weights",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_model_that_cannot_run_is_refused(firmware: Firmware, tmp_path: Path, what: str) -> None:
    changes, reason = BROKEN[what]
    code, lines = run_on_board(_image(firmware, tmp_path, changes))
    assert code == 1
    assert lines[1:] == [f"fail: {reason}"]


def test_a_sample_that_does_not_suit_is_named(firmware: Firmware, tmp_path: Path) -> None:
    code, lines = run_on_board(_image(firmware, tmp_path, sample_size=2))
    assert code == 1
    assert lines[-1] == "fail: 4 values expected, 2 found in few.csv (sample few)"


def test_inference_keeps_its_contract(firmware: Firmware, tmp_path: Path) -> None:
    code, lines = run_on_board(_image(firmware, tmp_path, further=["-DCONTRACT"]))
    assert (code, lines[-1]) == (0, "ran: 2 samples")


# Also of the host program.
SPOILT_ANSWERS = {
    "answer->text = NULL": "gives an answer without text",
    "answer->ranked_count = 6": "ranks 6 answers, expected 5 at most",
    "answer->ranked_count = 0xFFFFFFFFu": "ranks 4294967295 answers, expected 5 at most",
    "answer->ranked_count = 2; answer->ranked[0].text = answer->text": (
        "gives ranked answer 1 without text"
    ),
}


@pytest.mark.parametrize("fault", SPOILT_ANSWERS)
def test_an_answer_that_cannot_be_printed_is_refused(
    firmware: Firmware, tmp_path: Path, fault: str
) -> None:
    code, lines = run_on_board(_image(firmware, tmp_path, further=[f"-DSPOIL(answer)={fault}"]))
    assert code == 1
    reason = SPOILT_ANSWERS[fault]
    assert lines[1:] == [f"fail: application_postprocess() {reason} (sample numbers)"]


INPUT_WINDOWS = {
    "zeros": (b"EWIN" + (4).to_bytes(12, "little") + bytes(4), "00000000"),
    "a pattern": (bytes.fromhex("cfdfdfdf") * 8, "fb017f0f"),
}


@pytest.mark.parametrize("what", INPUT_WINDOWS)
def test_the_input_window_replaces_samples_only_if_it_was_filled(
    firmware: Firmware, tmp_path: Path, what: str
) -> None:
    window = tmp_path / "window"
    window.write_bytes(INPUT_WINDOWS[what][0])
    image = _image(firmware, tmp_path, further=["-DRAW_INPUTS"])
    code, lines = run_on_board(image, "--data", f"{window}@0x92000000")
    assert code == 0
    assert lines[2] == f"tensor numbers 0 int8 1x4 {INPUT_WINDOWS[what][1]}"


def test_an_input_window_of_another_size_fails_the_run(firmware: Firmware, tmp_path: Path) -> None:
    window = tmp_path / "window"
    window.write_bytes(b"EWIN" + (5).to_bytes(12, "little") + bytes(5))
    image = _image(firmware, tmp_path, further=["-DRAW_INPUTS"])
    code, lines = run_on_board(image, "--data", f"{window}@0x92000000")
    assert code == 1
    assert lines[1:] == ["fail: input window: inputs of 5 bytes, expected 4 (sample numbers)"]


NPU_FAILURES = {
    ("--inject", "no-irq"): "no interrupt within 5000 ms at byte",
    ("--inject", "bus-fault"): "bus error on AXI1 reading commands at byte 0",
    ("--inject", "parse-error"): "illegal command at byte 0",
    ("--inject", "stuck-reset"): "reset timed out",
    ("--npu", "ethos-u55-256"): "model compiled for 128 MACs/cycle, this NPU has 256",
}


@pytest.mark.parametrize("options", NPU_FAILURES, ids=" ".join)
def test_a_failing_npu_is_a_failed_run(
    firmware: Firmware, tmp_path: Path, options: tuple[str, str]
) -> None:
    code, lines = run_on_board(_image(firmware, tmp_path), *options)
    assert code == 1
    assert lines[0] == HEADER
    assert lines[-1].startswith(f"fail: NPU: {NPU_FAILURES[options]}")


@pytest.mark.parametrize("moment", ["early-irq", "late-irq"])
def test_an_interrupt_may_come_at_any_time(firmware: Firmware, tmp_path: Path, moment: str) -> None:
    code, lines = run_on_board(_image(firmware, tmp_path), "--inject", moment)
    assert code == 0
    assert lines[2] == "tensor numbers 0 int8 1x4 fb017f0f"


def test_without_an_npu_the_run_fails_too(firmware: Firmware, tmp_path: Path) -> None:
    axf = _image(firmware, tmp_path)
    # QEMU alone: it never ends by itself, so it is ended here.
    command = ["qemu-system-arm", "-M", "mps3-an547", "-nographic", "-monitor", "none"]
    with subprocess.Popen(
        [*command, "-serial", "stdio", "-kernel", str(axf)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as qemu:
        uart = qemu.stdout
        assert uart is not None
        watchdog = threading.Timer(20, qemu.kill)
        watchdog.start()
        said = b"".join(iter(lambda: uart.read(1) or b"\x04", b"\x04"))
        code = uart.read(1)
        watchdog.cancel()
        qemu.kill()
    assert said.splitlines()[2].startswith(b"fail: NPU: no NPU at 0x58102000")
    assert code == b"\x01"
