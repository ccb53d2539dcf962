# SPDX-License-Identifier: Apache-2.0
"""Run the NPU's jobs of a linked image in the NPU model, without the CPU that would start them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ethosmith.core.accelerators import counts_between
from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.memory import MemoryMode
from ethosmith.descriptors.platform import Platform
from ethosmith.models.tensor_spec import TensorSpec
from ethosmith.verify.image_model import ImageBytes, ImageModel, ImageTensor, Part, read_image_model
from ethosu_model.config import AcceleratorConfig
from ethosu_model.device import NpuDevice
from ethosu_model.errors import ModelError
from ethosu_model.harness import (
    JobPlacement,
    NpuJobError,
    check_end,
    command_stream,
    start_job,
)
from ethosu_model.memory import ArrayMemory


class ImageJob:
    """The NPU, the memory that it reaches, and the model of an image in it."""

    def __init__(
        self, image: ImageBytes, platform: Platform, accelerator: AcceleratorConfig
    ) -> None:
        """Put an image's bytes into the platform's memory, as its start-up code leaves them.

        Raises:
            EthosmithError: the image has no model for this NPU, or the NPU does not reach it.
        """
        self._path = image.path
        self.model = read_image_model(image)
        self._accelerator = accelerator
        _check_npu(image, self.model, accelerator)
        self._memory = _memory(image, platform)
        self._device = NpuDevice(accelerator, self._memory)
        self._placement = _placement(image, self.model, platform)
        self.reset()

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The network's inputs."""
        return tuple(one.spec for one in self.model.inputs if one.spec is not None)

    def reset(self) -> None:
        """Give the network's variables their first values."""
        for variable in self.model.variables:
            self._memory.write(self._address(variable), variable.first)

    def run(self, raw: bytes) -> tuple[list[bytes], dict[str, int]]:
        """Run one inference.

        Args:
            raw: the bytes of all inputs, one after another.

        Returns:
            The bytes of each output, and what the job cost.

        Raises:
            EthosmithError: the job ended with an error.
        """
        if self.model.reset == "inference":
            self.reset()
        for tensor in self.model.inputs:
            data, raw = raw[: tensor.size_bytes], raw[tensor.size_bytes :]
            self._memory.write(self._address(tensor), data)
        before = asdict(self._device.totals)
        start_job(self._device, self._placement)
        try:
            check_end(self._device, self._placement.stream_bytes)
        except NpuJobError as error:
            raise EthosmithError(f"{self._path}: the NPU's job failed: {error}") from None
        outputs = [
            self._memory.read(self._address(one), one.size_bytes) for one in self.model.outputs
        ]
        return outputs, counts_between(self._accelerator, before, asdict(self._device.totals))

    def _address(self, tensor: ImageTensor) -> int:
        if tensor.region not in self._placement.regions:
            raise EthosmithError(
                f"{self._path}: a tensor is in NPU region {tensor.region}, which has no memory"
            )
        return self._placement.regions[tensor.region][0] + tensor.offset


def _check_npu(image: ImageBytes, model: ImageModel, accelerator: AcceleratorConfig) -> None:
    config, ident = (int.from_bytes(model.payload[at : at + 4], "little") for at in (8, 12))
    if model.accelerator_config != accelerator.name or config != accelerator.config_register:
        raise EthosmithError(
            f"{image.path}: its model is for {model.accelerator_config} (CONFIG {config:#010x}),"
            f" expected {accelerator.name} (CONFIG {accelerator.config_register:#010x})"
        )
    if ident >> 28 != accelerator.id_register >> 28:
        raise EthosmithError(f"{image.path}: its command stream is for ID {ident:#010x}")


def _memory(image: ImageBytes, platform: Platform) -> ArrayMemory:
    memory = ArrayMemory()
    for region in platform.regions:
        if region.npu:
            memory.add(region.address, region.size_bytes)
            for section in image.elf.sections:
                inside = region.address <= section.address < region.end
                if inside and section.load_address is not None and section.size_bytes:
                    memory.write(section.address, image.at(section.address, section.size_bytes))
    return memory


def _placement(image: ImageBytes, model: ImageModel, platform: Platform) -> JobPlacement:
    mode = platform.memory_mode(model.memory_mode)
    try:
        stream = command_stream(model.payload)
    except ModelError as error:
        raise EthosmithError(f"{image.path}: {error}") from None
    _check_reached(image, platform, Part(0, model.payload_address, len(model.payload)))
    regions: dict[int, tuple[int, int]] = {}
    for part, port in _ports(model, mode):
        _check_reached(image, platform, part)
        regions[part.region] = (part.address, port)
    start = model.payload_address + model.payload.index(stream)
    return JobPlacement(start, len(stream), mode.command_stream.axi_limit, regions)


def _ports(model: ImageModel, mode: MemoryMode) -> Iterator[tuple[Part, int]]:
    parts = (
        (model.weights, mode.weights),
        (model.scratch, mode.scratch),
        (model.scratch_fast, mode.scratch_fast),
    )
    return ((part, where.axi_limit) for part, where in parts if part.size_bytes)


def _check_reached(image: ImageBytes, platform: Platform, part: Part) -> None:
    for region in platform.regions:
        if region.npu and region.address <= part.address <= region.end - part.size_bytes:
            return
    raise EthosmithError(
        f"{image.path}: {part.size_bytes} bytes of its model at {part.address:#010x} are in no"
        " memory that the NPU reaches"
    )


def run_samples(job: ImageJob, inputs: Sequence[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """Run every window of every sample.

    Args:
        job: of the image.
        inputs: name and raw inputs of each sample, window after window.

    Returns:
        Per sample ``name``, ``counts`` of all windows together, ``windows``, the counts of each if
        there are several, and ``tensors``, each output's raw bytes as hexadecimal digits, window
        after window.
    """
    return [{"name": name, **_run_sample(job, raw)} for name, raw in inputs]


def _run_sample(job: ImageJob, raw: bytes) -> dict[str, Any]:
    if job.model.reset == "sample":
        job.reset()
    size_bytes = sum(tensor.size_bytes for tensor in job.model.inputs)
    ran = [job.run(raw[at : at + size_bytes]) for at in range(0, len(raw), size_bytes)]
    windows = [counts for _, counts in ran]
    return {
        "counts": _sum(windows),
        "windows": windows if len(windows) > 1 else [],
        "tensors": [output.hex() for outputs, _ in ran for output in outputs],
    }


def _sum(windows: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(one[name] for one in windows) for name in windows[0]}
