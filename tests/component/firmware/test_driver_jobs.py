# SPDX-License-Identifier: Apache-2.0
"""Networks that Vela compiled, started by the firmware's driver on the NPU model."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from ethosu_model.device import NpuDevice
from ethosu_model.harness import RawModel, RawTensor, command_stream
from ethosu_model.memory import ArrayMemory
from tests.support.firmware.driver import Counts, Driver, Region, compile_driver
from tests.support.npu_corpus.check import Reference, input_set
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.network import Array
from tests.support.npu_corpus.table import all_cases
from tests.support.npu_corpus.targets import Target, compile_for, target_named

STREAM_ADDRESS, STREAM_ATTRIBUTE = 0x7000_0000, 2
REGION_ADDRESS, REGION_BYTES = 0x3100_0000, 1 << 20
WEIGHTS_ATTRIBUTE, SCRATCH_ATTRIBUTE = 3, 1
TARGETS = (
    "ethos-u55-128/Shared_Sram",
    "ethos-u85-128/Shared_Sram",
    "ethos-u85-512/Sram_Only",
    "ethos-u85-2048/Dedicated_Sram_384KB",
)


class Board:
    """The NPU model, a compiled network in its memory, and the driver that runs it."""

    def __init__(self, library: ctypes.CDLL, target: Target, model: RawModel) -> None:
        self._model = model
        self._memory = ArrayMemory()
        self.device = NpuDevice(target.config, self._memory)
        self.read, self.write = self.device.read_register, self.device.write_register
        self._driver = Driver(library, self)
        assert self._driver.init() == "no error"
        config, ident = np.frombuffer(model.payload, "<u4", 2, 8)
        assert self._driver.check(int(config), int(ident), target.config.macs) == "no error"
        stream = command_stream(model.payload)
        self._place(STREAM_ADDRESS, stream, len(stream))
        regions = {
            model.weights_region: Region(
                self._base(model.weights_region), REGION_BYTES, WEIGHTS_ATTRIBUTE
            )
        }
        for region in {model.scratch_region, model.scratch_fast_region} - set(regions):
            regions[region] = Region(self._base(region), REGION_BYTES, SCRATCH_ATTRIBUTE)
        for region in regions:
            held = model.weights if region == model.weights_region else b""
            self._place(self._base(region), held, REGION_BYTES)
        command = Region(STREAM_ADDRESS, len(stream), STREAM_ATTRIBUTE)
        assert self._driver.prepare(command, regions) == "no error"

    def interrupts(self) -> bool:
        return self.device.irq

    def _place(self, address: int, data: bytes, size_bytes: int) -> None:
        self._memory.add(address, size_bytes)
        self._memory.write(address, data)

    def _base(self, region: int) -> int:
        return REGION_ADDRESS + region * REGION_BYTES

    def run(self, inputs: list[Array]) -> tuple[list[Array], Counts]:
        """Return the outputs, and what the driver read from the counters."""
        for tensor, values in zip(self._model.inputs, inputs, strict=True):
            self._memory.write(self._address(tensor), values.tobytes())
        counts = Counts()
        assert self._driver.run(counts) == "no error"
        return [self._array(tensor) for tensor in self._model.outputs], counts

    def _address(self, tensor: RawTensor) -> int:
        return self._base(tensor.region) + tensor.offset

    def _array(self, tensor: RawTensor) -> Array:
        data = self._memory.read(self._address(tensor), tensor.size_bytes)
        return np.frombuffer(data, tensor.dtype)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return compile_driver(tmp_path_factory.mktemp("driver"))


@pytest.mark.parametrize("target", TARGETS)
def test_the_driver_runs_what_vela_compiled(library: ctypes.CDLL, target: str) -> None:
    case = next(case for case in all_cases() if case.operator == "conv_2d")
    network = case.network()
    tflite = tflite_bytes(network)
    board = Board(library, target_named(target), compile_for(target_named(target), tflite))
    reference = Reference(tflite)
    for runs, kind in enumerate((0, 2), 1):
        inputs = input_set(case, network, kind)
        outputs, counts = board.run(inputs)
        for got, want in zip(outputs, reference.run(inputs), strict=True):
            assert np.array_equal(got.view(want.dtype), want.ravel())
        assert counts.cycles == counts.events[0] > 0
        totals = board.device.totals
        beats = (totals.axi0_read_beats, totals.axi0_written_beats, totals.axi1_read_beats)
        assert tuple(runs * count for count in counts.events[1:4]) == beats
