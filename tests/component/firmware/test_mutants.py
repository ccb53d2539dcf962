# SPDX-License-Identifier: Apache-2.0
"""Strict mode ends firmware that a board would not bear, and QEMU with the NPU model lets pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from ethosu.vela.api import NpuAccelerator
from ethosu.vela.driver_actions import npu_create_driver_payload
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1

from ethosu_model.config import AcceleratorConfig
from open_board.job import BoardJob, BoardResult
from open_board.open_board import OpenBoard
from open_board.realism import FORGIVING, STRICT, Realism
from tests.support.firmware.compile import FIRMWARE, HERE
from tests.support.firmware.device import Firmware, compile_firmware
from tests.support.firmware.mutants import MUTANTS, Mutant
from tests.support.npu.streams import encode, word

_U55 = AcceleratorConfig.parse("ethos-u55-128")
_DMA = cmd0.NPU_OP_DMA_START
# One of each kind; the others are slow only because they are many.
_QUICK = ("non-secure NPU", "input not cleaned", "output not invalidated", "UART not waited for")


def _copy(region: int, source: int, destination: int, size_bytes: int) -> bytes:
    settings: dict[cmd0 | cmd1, int] = {
        cmd0.NPU_SET_DMA0_SRC_REGION: region,
        cmd0.NPU_SET_DMA0_DST_REGION: 1,
        cmd1.NPU_SET_DMA0_SRC: source,
        cmd1.NPU_SET_DMA0_DST: destination,
        cmd1.NPU_SET_DMA0_LEN: size_bytes,
    }
    return encode(settings) + word(_DMA) + word(cmd0.NPU_OP_DMA_WAIT)


def _stream_define() -> str:
    stream = _copy(1, 16, 272, 96) + _copy(0, 0, 368, 32)
    # The NPU reuses a line of the input, where both samples have the same bytes.
    stream += _copy(0, 0, 64, 32) + word(cmd0.NPU_OP_STOP, 0xFFFF)
    words = [int.from_bytes(stream[at : at + 4], "little") for at in range(0, len(stream), 4)]
    payload = npu_create_driver_payload(words, NpuAccelerator.Ethos_U55_128)
    return "-DSTREAM_BYTES=" + ",".join(map(str, payload))


@dataclass(frozen=True)
class _Build:
    firmware: Firmware
    program: Path

    def image(self, folder: Path, mutant: Mutant | None) -> Path:
        changed = {} if mutant is None else {mutant.source: mutated(mutant)}
        return self.firmware.image_of(folder, [self.program], changed)


def mutated(mutant: Mutant) -> str:
    """Return the source with its fault."""
    text = (FIRMWARE / mutant.source).read_text(encoding="utf-8")
    assert text.count(mutant.original) == 1, f"{mutant.source}: {mutant.original!r}"
    return text.replace(mutant.original, mutant.fault)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> _Build:
    folder = tmp_path_factory.mktemp("firmware")
    firmware = compile_firmware(folder, system_config="Ethos_U55_High_End_Embedded")
    return _Build(firmware, firmware.compiled(HERE / "mutant_application.c", [_stream_define()]))


def _run(axf: Path, realism: Realism) -> BoardResult:
    return OpenBoard(realism=realism).run(BoardJob(_U55, axf, time_limit_s=30))


def test_the_sound_firmware_passes_in_strict_mode(build: _Build, tmp_path: Path) -> None:
    result = _run(build.image(tmp_path, None), STRICT)
    assert result.passed, result.reason or result.text
    assert "2 samples" in result.text.splitlines()[-1]


@pytest.mark.parametrize(
    "name",
    [name if name in _QUICK else pytest.param(name, marks=pytest.mark.slow) for name in MUTANTS],
)
def test_a_fault_that_a_simulator_forgives_is_refused(
    build: _Build, tmp_path: Path, name: str
) -> None:
    axf = build.image(tmp_path, MUTANTS[name])
    forgiving = _run(axf, FORGIVING)
    assert forgiving.passed, forgiving.reason or forgiving.text
    strict = _run(axf, STRICT)
    assert not strict.passed
    assert MUTANTS[name].reason in (strict.reason or strict.text)
