# SPDX-License-Identifier: Apache-2.0
"""What else a board has: its CPU, UART and card, and the simulators that stand in for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from ethosmith.core.errors import unknown_name
from ethosmith.descriptors.base import Problem, Strict
from ethosmith.descriptors.memory import MemoryRegion
from ethosmith.descriptors.npu import Npu
from ethosmith.descriptors.origin import Origin
from ethosmith.descriptors.words import (
    Address,
    AsciiLine,
    CoreName,
    Hertz,
    Identifier,
    Limits,
    MemoryModeName,
    ProductName,
)


class Cpu(Strict):
    """The processor that runs the firmware.

    Attributes:
        core: as the compilers name it.
        clock_hz: clock of the core and of SysTick.
    """

    core: CoreName
    clock_hz: Hertz


class Uart(Strict):
    """The CMSDK UART that the firmware prints to.

    Attributes:
        address: register page.
        clock_hz: clock that the baud rate is divided from.
        baud: bits a second; 8 data bits, no parity.
        line_end: what ends a line: `crlf`, as serial terminals expect, or `lf`.
    """

    address: Address
    clock_hz: Hertz
    baud: Annotated[int, Limits(gt=0)]
    line_end: Literal["crlf", "lf"] = "crlf"


class FvpExecutable(Strict):
    """The Fixed Virtual Platform's program for one NPU product.

    Attributes:
        product: the NPU inside.
        file: its name in FVP_PATH or PATH.
    """

    product: ProductName
    file: AsciiLine


class Fvp(Strict):
    """Arm's Fixed Virtual Platform of this board.

    Attributes:
        executables: the program for each NPU product.
    """

    executables: Annotated[tuple[FvpExecutable, ...], Limits(min_length=1)]


class Window(Strict):
    """A part of a simulator's memory.

    Attributes:
        address: of its first byte.
        size_kib: its size.
    """

    address: Address
    size_kib: Annotated[int, Limits(gt=0)]

    @property
    def size_bytes(self) -> int:
        """Its size."""
        return 1024 * self.size_kib


class Windows(Strict):
    """Where simulators put files before a run, and what they save to files after it.

    Attributes:
        network: a .tflite or .pte.
        input: the bytes of its inputs, one after another.
        output: the bytes of its outputs.
    """

    network: Window
    input: Window
    output: Window


class ModelPartition(Strict):
    """Memory that a model may be put into, in place of the one in the image.

    Attributes:
        region: the memory that it is a part of, at its end.
        size_kib: its size.
    """

    region: str
    size_kib: Annotated[int, Limits(gt=0)]


class PrebuiltImage(Strict):
    """An image that executes whatever network lies in the windows.

    Attributes:
        product: the NPU that it drives, and that must be on the board.
        memory_mode: the mode that it is built for.
        source: the ELF file.
        runtime: the value of `runtime=` that it is for: `prebuilt` executes a .tflite,
            `executorch` a .pte.
        cpu_alone: it is the one for ``npu=none``.
        remark: what to know about its figures; shown below them.
    """

    product: ProductName
    memory_mode: MemoryModeName
    source: Origin
    runtime: Literal["prebuilt", "executorch"] = "prebuilt"
    cpu_alone: bool = False
    remark: AsciiLine | None = None


class Card(Strict):
    """The fields of the board's images.txt and the folder that it goes to.

    Attributes:
        board: the board's number, a folder of MB/ on the card.
        application_note: the FPGA image, a folder below that.
        title: TITLE in images.txt.
        image_port: the controller's port of each image, where its FPGA image has several.
        image_update: when the controller loads an image: `AUTO`, or `RAM` at each start.
    """

    board: Identifier
    application_note: Identifier
    title: AsciiLine
    image_port: Annotated[int, Limits(ge=0, le=1)] | None = None
    image_update: Literal["AUTO", "RAM"] = "AUTO"


def prebuilt_image_problems(
    prebuilt_images: Sequence[PrebuiltImage], windows: Windows | None, npu: Npu
) -> Iterator[Problem]:
    """Find images for NPUs that the platform does not have, or without windows for a network."""
    if prebuilt_images and windows is None:
        yield Problem(
            ("prebuilt_images",), "they take the network from windows, and there are none"
        )
    have = [product.name for product in npu.products]
    for index, image in enumerate(prebuilt_images):
        if image.product not in have:
            message = unknown_name("NPU product of this platform", image.product, have)
            yield Problem(("prebuilt_images", index, "product"), message)


def fvp_problems(fvp: Fvp | None, npu: Npu) -> Iterator[Problem]:
    """Find NPU products that no simulator has."""
    if fvp is None:
        return
    have = [executable.product for executable in fvp.executables]
    for product in npu.products:
        if product.name not in have:
            yield Problem(("fvp", "executables"), f"no executable for {product.name}")


def card_problems(card: Card | None, regions: Sequence[MemoryRegion]) -> Iterator[Problem]:
    """Find files that have no address on the card."""
    for index, region in enumerate(regions):
        if card and region.sector and region.sector.card_address is None:
            where = ("regions", index, "sector")
            yield Problem(where, "a platform with a card needs the key 'card_address' here")
