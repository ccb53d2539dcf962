# SPDX-License-Identifier: Apache-2.0
"""Command streams for single operations on small NHWC feature maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ethosu import mlw_codec
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1
from numpy.typing import NDArray

from ethosu_model.registers import Status
from tests.support.npu.streams import REGION, STOP, Bench, encode, word

Array = NDArray[Any]
Settings = dict[cmd0 | cmd1, int]
Scales = list[tuple[int, int, int]]

IFM, IFM2, OFM, WEIGHTS, SCALES = 0x0, 0x2000, 0x4000, 0x8000, 0xC000
PRECISION = {"u1": 0, "i1": 1, "u2": 4, "i2": 5, "i4": 9}


@dataclass(frozen=True)
class Kernel:
    """A kernel for a command stream."""

    height: int = 1
    width: int = 1
    stride_y: int = 1
    stride_x: int = 1
    dilation_y: int = 1
    dilation_x: int = 1
    part_kernel_first: bool = False

    @property
    def stride_register(self) -> int:
        """Value of KERNEL_STRIDE."""
        return (
            (self.stride_x - 1 & 1)
            | (self.stride_y - 1 & 1) << 1
            | self.part_kernel_first << 2
            | (self.dilation_x - 1) << 3
            | (self.dilation_y - 1) << 4
            | (self.stride_x - 1 >> 1) << 6
            | (self.stride_y - 1 >> 1) << 9
        )


def feature_map(name: str, array: Array, offset: int, zero_point: int = 0) -> Settings:
    """Return the settings of a dense NHWC feature map."""
    height, width, depth = array.shape
    size = array.dtype.itemsize
    settings: Settings = {
        cmd0[f"NPU_SET_{name}_REGION"]: 0,
        cmd1[f"NPU_SET_{name}_BASE0"]: offset,
        cmd0[f"NPU_SET_{name}_HEIGHT0_M1"]: height - 1,
        cmd0[f"NPU_SET_{name}_HEIGHT1_M1"]: height - 1,
        cmd0[f"NPU_SET_{name}_WIDTH0_M1"]: width - 1,
        cmd1[f"NPU_SET_{name}_STRIDE_Y"]: width * depth * size,
        cmd1[f"NPU_SET_{name}_STRIDE_X"]: depth * size,
        cmd1[f"NPU_SET_{name}_STRIDE_C"]: size,
        cmd0[f"NPU_SET_{name}_ZERO_POINT"]: zero_point,
    }
    if name == "OFM":
        signed, bits = array.dtype.kind == "i", {1: 0, 2: 1, 4: 2}[size]
        limits = np.iinfo(array.dtype)
        return settings | {
            cmd0.NPU_SET_OFM_HEIGHT_M1: height - 1,
            cmd0.NPU_SET_OFM_WIDTH_M1: width - 1,
            cmd0.NPU_SET_OFM_DEPTH_M1: depth - 1,
            cmd0.NPU_SET_OFM_PRECISION: signed | bits << 1,
            cmd0.NPU_SET_ACTIVATION_MIN: max(limits.min, -0x8000),
            cmd0.NPU_SET_ACTIVATION_MAX: min(limits.max, 0x7FFF if signed else 0xFFFF),
            cmd0.NPU_SET_OFM_BLK_HEIGHT_M1: 3,
            cmd0.NPU_SET_OFM_BLK_WIDTH_M1: 3,
            cmd0.NPU_SET_OFM_BLK_DEPTH_M1: 15,
        }
    return settings | {
        cmd0[f"NPU_SET_{name}_PRECISION"]: PRECISION[f"{array.dtype.kind}{size}"],
        **({cmd0.NPU_SET_IFM_DEPTH_M1: depth - 1} if name == "IFM" else {}),
    }


def kernel_settings(kernel: Kernel, padding: tuple[int, int, int, int]) -> Settings:
    """Return the settings of a kernel and of padding top, left, bottom, right."""
    top, left, bottom, right = padding
    return {
        cmd0.NPU_SET_KERNEL_HEIGHT_M1: (kernel.height - 1) * kernel.dilation_y,
        cmd0.NPU_SET_KERNEL_WIDTH_M1: (kernel.width - 1) * kernel.dilation_x,
        cmd0.NPU_SET_KERNEL_STRIDE: kernel.stride_register,
        cmd0.NPU_SET_IFM_PAD_TOP: top,
        cmd0.NPU_SET_IFM_PAD_LEFT: left,
        cmd0.NPU_SET_IFM_PAD_BOTTOM: bottom,
        cmd0.NPU_SET_IFM_PAD_RIGHT: right,
    }


def load_weights(bench: Bench, weights: Array, kernel: Kernel, scales: Scales) -> Settings:
    """Encode weights [OHWI] and scales (bias, multiplier, shift); return their settings."""
    stream, _ = mlw_codec.reorder_encode(
        8, 8, weights.astype(np.int16), 16, False, kernel.part_kernel_first, 8,
        8 // kernel.dilation_y, 8 // kernel.dilation_x,
    )  # fmt: skip
    entries = b"".join(
        (bias & (1 << 40) - 1).to_bytes(5, "little")
        + multiplier.to_bytes(4, "little")
        + shift.to_bytes(1, "little")
        for bias, multiplier, shift in scales
    )
    bench.memory.write(REGION + WEIGHTS, bytes(stream))
    bench.memory.write(REGION + SCALES, entries)
    return {
        cmd1.NPU_SET_WEIGHT_BASE: WEIGHTS,
        cmd1.NPU_SET_WEIGHT_LENGTH: len(stream),
        cmd1.NPU_SET_SCALE_BASE: SCALES,
        cmd1.NPU_SET_SCALE_LENGTH: -(-len(entries) // 16) * 16,
    }


def execute(
    bench: Bench, settings: Settings, operation: bytes, ofm: Array, inputs: dict[int, Array]
) -> Array:
    """Put ``inputs`` (offset: array) into memory, run one operation, return the OFM."""
    for offset, array in inputs.items():
        bench.memory.write(REGION + offset, array.tobytes())
    status = bench.run(encode(settings) + operation + STOP)
    assert status & Status.CMD_END_REACHED, bench.device.last_fault
    data = bench.memory.read(REGION + OFM, ofm.nbytes)
    return np.frombuffer(data, dtype=ofm.dtype).reshape(ofm.shape)


CONV = word(cmd0.NPU_OP_CONV)
