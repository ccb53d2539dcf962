# SPDX-License-Identifier: Apache-2.0
"""Running Vela's raw output on the host, and refusing payloads that are none."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from ethosu.vela.api import NpuAccelerator
from ethosu.vela.driver_actions import npu_create_driver_payload
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1

from ethosu_model.config import AcceleratorConfig
from ethosu_model.errors import ModelError
from ethosu_model.harness import HostRunner, NpuJobError, RawModel, RawTensor, command_stream
from tests.support.npu.streams import STOP, encode, word

COPY = {
    cmd0.NPU_SET_DMA0_SRC_REGION: 1,
    cmd0.NPU_SET_DMA0_DST_REGION: 1,
    cmd1.NPU_SET_DMA0_SRC: 0,
    cmd1.NPU_SET_DMA0_DST: 16,
    cmd1.NPU_SET_DMA0_LEN: 16,
}


def _payload(stream: bytes) -> bytes:
    words = list(struct.unpack(f"<{len(stream) // 4}I", stream))
    return bytes(npu_create_driver_payload(words, NpuAccelerator.Ethos_U55_128))


def _model(stream: bytes) -> RawModel:
    return RawModel(
        payload=_payload(stream),
        weights=b"",
        weights_region=0,
        scratch_bytes=32,
        scratch_region=1,
        scratch_fast_bytes=0,
        scratch_fast_region=1,
        inputs=(RawTensor((4, 4), np.dtype("i1"), 1, 0),),
        outputs=(RawTensor((2, 8), np.dtype("i1"), 1, 16),),
    )


def test_tensors_go_in_and_out_of_their_regions() -> None:
    stream = encode(COPY) + word(cmd0.NPU_OP_DMA_START) + STOP
    runner = HostRunner(_model(stream), AcceleratorConfig.parse("ethos-u55-128"))
    for start in (0, 5):
        values = np.arange(start, start + 16, dtype=np.int8)
        (output,) = runner.run([values.reshape(4, 4)])
        assert np.array_equal(output, values.reshape(2, 8))


def test_job_that_leaves_its_region_is_an_error_with_the_reason() -> None:
    stream = encode(COPY | {cmd1.NPU_SET_DMA0_DST: 32}) + word(cmd0.NPU_OP_DMA_START) + STOP
    runner = HostRunner(_model(stream), AcceleratorConfig.parse("ethos-u55-128"))
    with pytest.raises(NpuJobError, match="bus fault on AXI0, DMA_WRITE"):
        runner.run([np.zeros(16, dtype=np.int8)])


def test_command_stream_is_found_behind_velas_driver_actions() -> None:
    assert command_stream(_payload(STOP * 3)) == STOP * 3


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"", "no COP1"),
        (b"COP2" + bytes(12), "no COP1"),
        (b"COP1\0", "whole words"),
        (b"COP1" + struct.pack("<I", 9), "unknown action"),
        (b"COP1" + struct.pack("<I", 1), "ends before"),
        (b"COP1" + struct.pack("<II", 2 | 5 << 16, 0), "ends before"),
        (b"COP1" + struct.pack("<I", 5), "ends before"),
    ],
)
def test_malformed_payload_is_refused(payload: bytes, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        command_stream(payload)


def test_file_that_is_no_raw_output_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "net_vela.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(ModelError, match=r"net_vela\.npz: not a raw output"):
        RawModel.load(path)
    np.savez(path, cmd_data=np.zeros(4))
    with pytest.raises(ModelError, match="not a raw output"):
        RawModel.load(path)
