# SPDX-License-Identifier: Apache-2.0
"""Runs a network that Vela compiled to raw output on the NPU model, without a board."""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethosu_model.checks import NO_CHECKS, Checks
from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.enums import MemAttr, Product
from ethosu_model.errors import ModelError
from ethosu_model.files import MAX_FILE_BYTES, read_bytes
from ethosu_model.memory import ArrayMemory
from ethosu_model.register_page import register_page
from ethosu_model.registers import REGION_BASES, REGION_PORTS, STATUS_ERRORS, Command, Reg, Status
from ethosu_model.trace import Trace
from ethosu_model.u85.enums import AxiPort as U85AxiPort
from ethosu_model.u85.registers import Reg as U85Reg

_FOURCC = b"COP1"
_ACTION_CONFIG = 1
_ACTION_STREAM = 2
_ACTION_NOP = 5
_STREAM_ADDRESS = 0x6000_0000
_REGION_ADDRESS = 0x2000_0000
_REGION_STEP = 0x0800_0000


@dataclass(frozen=True)
class RawTensor:
    """An input, output or variable of the network.

    Attributes:
        shape: Its shape, as Vela states it.
        dtype: Its element type; signed unless told otherwise.
        region: The region it lies in.
        offset: Its offset in the region, in bytes.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    region: int
    offset: int

    @property
    def size_bytes(self) -> int:
        """Bytes it takes."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass(frozen=True)
class RawModel:
    """Vela's raw output: command stream, weights, and where the tensors lie."""

    payload: bytes
    weights: bytes
    weights_region: int
    scratch_bytes: int
    scratch_region: int
    scratch_fast_bytes: int
    scratch_fast_region: int
    inputs: tuple[RawTensor, ...]
    outputs: tuple[RawTensor, ...]
    variables: tuple[RawTensor, ...] = ()

    @classmethod
    def load(cls, path: Path) -> RawModel:
        """Read NAME_vela.npz.

        Raises:
            ModelError: The file is missing or is no raw output of Vela.
        """
        content = io.BytesIO(read_bytes(path))
        try:
            with np.load(content, allow_pickle=False) as archive:
                if sum(one.file_size for one in archive.zip.infolist()) > MAX_FILE_BYTES:
                    raise ModelError(f"more than {MAX_FILE_BYTES:,} bytes when unpacked")
                return cls.from_arrays(archive)
        except Exception as cause:
            line = " ".join(str(cause).split())[:200] or type(cause).__name__
            raise ModelError(f"{path}: not a raw output of Vela: {line}") from cause

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> RawModel:
        """Take the arrays of an .npz file."""
        return cls(
            payload=_raw_bytes(arrays["cmd_data"]),
            weights=_raw_bytes(arrays["weight_data"]),
            weights_region=int(arrays["weight_region"]),
            scratch_bytes=int(arrays["scratch_size"]),
            scratch_region=int(arrays["scratch_region"]),
            scratch_fast_bytes=int(arrays["scratch_fast_size"]),
            scratch_fast_region=int(arrays["scratch_fast_region"]),
            inputs=_tensors(arrays, "input"),
            outputs=_tensors(arrays, "output"),
            variables=_variables(arrays),
        )


def _raw_bytes(array: NDArray[Any]) -> bytes:
    """Return the bytes of an array that holds a byte string, or one number per byte."""
    return (array if array.dtype.kind == "S" else array.astype(np.uint8)).tobytes()


def _tensors(arrays: Mapping[str, NDArray[Any]], kind: str) -> tuple[RawTensor, ...]:
    return tuple(
        RawTensor(tuple(int(n) for n in shape), np.dtype(f"<i{int(size)}"), int(region), int(at))
        for shape, size, region, at in zip(
            arrays[f"{kind}_shape"],
            arrays[f"{kind}_elem_size"],
            arrays[f"{kind}_region"],
            arrays[f"{kind}_offset"],
            strict=True,
        )
    )


def _variables(arrays: Mapping[str, NDArray[Any]]) -> tuple[RawTensor, ...]:
    """Return each variable once, by its place; Vela lists it for every operator that uses it."""
    if "variable_shape" not in arrays or len(arrays["variable_shape"]) == 0:
        return ()
    found = dict.fromkeys(_tensors(arrays, "variable"))
    return tuple(sorted(found, key=lambda one: (one.region, one.offset)))


def command_stream(payload: bytes) -> bytes:
    """Return the bare command stream inside a driver payload.

    The actions before it are those of Vela's driver_actions.create_driver_payload.

    Raises:
        ModelError: The payload is malformed.
    """
    if payload[:4] != _FOURCC or len(payload) % 4:
        raise ModelError("driver payload: no COP1 at its start, or not whole words")
    words = struct.unpack(f"<{len(payload) // 4}I", payload)
    index = 1
    while index < len(words):
        action, parameter = words[index] & 0xFF, words[index] >> 8
        index += 1
        if action == _ACTION_CONFIG:
            index += 2
        elif action == _ACTION_STREAM:
            count = parameter >> 8 | (parameter & 0xFF) << 16
            if index + count > len(words):
                break
            return payload[4 * index : 4 * (index + count)]
        elif action != _ACTION_NOP:
            raise ModelError(f"driver payload: unknown action {action}")
    raise ModelError("driver payload: ends before its command stream does")


class NpuJobError(Exception):
    """The device stopped with an error; the message is its reason."""


class EarlyStop(NpuJobError):  # noqa: N818 - not an error of the device
    """NPU_OP_STOP came before the end of the command stream."""


@dataclass(frozen=True)
class JobPlacement:
    """Where a job lies in the memory of a device.

    Ports are what QCONFIG and REGIONCFG take: 0 and 1 are AXI0, or the SRAM ports of Ethos-U85, 2
    and 3 are AXI1, or its EXT ports.

    Attributes:
        stream_address: Of the bare command stream.
        stream_bytes: Its size.
        stream_port: How it is reached.
        regions: Base address and port by region.
    """

    stream_address: int
    stream_bytes: int
    stream_port: int
    regions: Mapping[int, tuple[int, int]]


def start_job(device: NpuDevice, job: JobPlacement) -> None:
    """Reset the device, set it up as a driver does, and let it run the job to its end."""
    write = device.write_register
    write(Reg.RESET.offset, 0)
    _start_counters(device)
    write(Reg.QBASE0.offset, job.stream_address)
    write(Reg.QSIZE.offset, job.stream_bytes)
    write(Reg.QCONFIG.offset, job.stream_port)
    config = 0
    for region, (address, port) in job.regions.items():
        write(REGION_BASES[region][0].offset, address)
        config |= REGION_PORTS[region].put(MemAttr(port))
    write(Reg.REGIONCFG.offset, config)
    if device.accelerator.architecture is Product.U85:
        for attribute in (U85Reg.MEM_ATTR2, U85Reg.MEM_ATTR3):
            write(attribute.offset, attribute.axi_port.put(U85AxiPort.EXT))
    write(Reg.CMD.offset, int(Command.RUN | Command.CLEAR_IRQ))


def _start_counters(device: NpuDevice) -> None:
    write = device.write_register
    reset = Reg.PMCR.event_cnt_rst.mask | Reg.PMCR.cycle_cnt_rst.mask
    pmu = register_page(device.accelerator.architecture).pmu
    write(pmu.control.offset, Reg.PMCR.cnt_en.mask | reset)
    write(pmu.enable_set.offset, pmu.enable_set.mask)


def check_end(device: NpuDevice, stream_bytes: int) -> None:
    """Raise `NpuJobError` unless the job that was started ended as it should."""
    status = Status(device.read_register(Reg.STATUS.offset) & 0xFFF)
    if status & STATUS_ERRORS:
        raise NpuJobError(f"STATUS {status!r}: {device.last_fault}")
    if not status & Status.CMD_END_REACHED:
        read = device.read_register(Reg.QREAD.offset)
        raise EarlyStop(f"stopped after {read} of {stream_bytes} bytes of commands")


class HostRunner:
    """A device with memory of its own, loaded with one network.

    The regions lie apart from one another, so an access outside its region is a bus fault.
    """

    def __init__(
        self,
        model: RawModel,
        accelerator: AcceleratorConfig,
        *,
        trace: Trace | None = None,
        checks: Checks = NO_CHECKS,
        axi1_regions: Collection[int] | None = None,
        stream_port: int = 0,
    ) -> None:
        """Load a network.

        Args:
            model: The network.
            accelerator: The NPU.
            trace: Told of every command executed, if given.
            checks: What the device refuses beyond what it must.
            axi1_regions: Regions that port AXI1 reaches; None: the weights' alone.
            stream_port: How the commands are reached; see `JobPlacement`.
        """
        self.model = model
        self._stream_port = stream_port
        self._axi1_regions = [model.weights_region] if axi1_regions is None else axi1_regions
        self.memory = ArrayMemory()
        self.device = NpuDevice(accelerator, self.memory, trace=trace, checks=checks)
        self._stream = command_stream(model.payload)
        self.memory.add(_STREAM_ADDRESS, len(self._stream))
        self.memory.write(_STREAM_ADDRESS, self._stream)
        for region, size_bytes in self._region_sizes().items():
            self.memory.add(_region_base(region), size_bytes)
        if model.weights:
            self.memory.write(_region_base(model.weights_region), model.weights)

    def _region_sizes(self) -> dict[int, int]:
        model = self.model
        sizes = {model.weights_region: len(model.weights)}
        for region, size_bytes in (
            (model.scratch_region, model.scratch_bytes),
            (model.scratch_fast_region, model.scratch_fast_bytes),
            *((t.region, t.offset + t.size_bytes) for t in (*model.inputs, *model.outputs)),
        ):
            sizes[region] = max(sizes.get(region, 0), size_bytes)
        return {region: -(-size // 16) * 16 for region, size in sizes.items() if size}

    def set_variables(self, elements: Sequence[int]) -> None:
        """Fill each of the model's variables with one element: its zero point."""
        for tensor, element in zip(self.model.variables, elements, strict=True):
            data = np.full(tensor.shape, element, tensor.dtype).tobytes()
            self.memory.write(_region_base(tensor.region) + tensor.offset, data)

    def run(self, inputs: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the network once.

        Args:
            inputs: One array per input, of its size; the element type gives the bytes.

        Returns:
            One array per output, signed, with Vela's shape.

        Raises:
            NpuJobError: The job ended with an error.
        """
        for tensor, array in zip(self.model.inputs, inputs, strict=True):
            data = np.ascontiguousarray(array).tobytes()
            if len(data) != tensor.size_bytes:
                raise NpuJobError(f"input of {len(data)} bytes, {tensor.size_bytes} wanted")
            self.memory.write(_region_base(tensor.region) + tensor.offset, data)
        self.start()
        check_end(self.device, len(self._stream))
        return [self._read(tensor) for tensor in self.model.outputs]

    def start(self) -> None:
        """Reset the device, set it up as a driver does, and let it run the job."""
        regions = {
            region: (_region_base(region), 3 if region in self._axi1_regions else 0)
            for region in self._region_sizes()
        }
        stream = (_STREAM_ADDRESS, len(self._stream), self._stream_port)
        start_job(self.device, JobPlacement(*stream, regions))

    def _read(self, tensor: RawTensor) -> NDArray[Any]:
        data = self.memory.read(_region_base(tensor.region) + tensor.offset, tensor.size_bytes)
        return np.frombuffer(data, dtype=tensor.dtype).reshape(tensor.shape).copy()


def _region_base(region: int) -> int:
    return _REGION_ADDRESS + _REGION_STEP * region
