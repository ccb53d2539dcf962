# SPDX-License-Identifier: Apache-2.0
"""Check a job's files before a simulator starts, and put data files into memory."""

from __future__ import annotations

from pathlib import Path

from ethosu_model.enums import Product
from ethosu_model.memory import Memory
from open_board.board import Board
from open_board.errors import BoardError
from open_board.files import open_regular, size_of
from open_board.job import BoardJob, DataFile, Dump
from open_board.machine import NPU_PAGE_BYTES, is_memory

_ELF_MAGIC = b"\x7fELF"
_ELF_HEADER_BYTES = 20
_MACHINE_OFFSET = 18
_EM_ARM = 40
_CHUNK_BYTES = 1 << 20


def check_job(job: BoardJob, board: Board) -> None:
    """Check that everything a job names is there and fits.

    Raises:
        BoardError: A file is missing or of the wrong kind, or lies outside of memory.
    """
    two_pages = job.accelerator.architecture is Product.U85
    if two_pages and board.npu_page_bytes <= NPU_PAGE_BYTES:
        raise BoardError(
            f"board {board.name} has no place for the registers of {job.accelerator.name}; take"
            " --board sse320, or npu.page_bytes = 0x2000 in a board of yours"
        )
    if job.axf is not None:
        check_elf(job.axf)
    elif not any(image.address == board.vectors for image in job.images):
        raise BoardError(
            f"nothing to boot: name an ELF file, or an image at address {board.vectors:#x} with"
            " the vector table"
        )
    for item in (*job.images, *job.data):
        _check_data(item)
    for dump in job.dumps:
        _check_dump(dump)


def check_elf(path: Path) -> None:
    """Raise BoardError unless ``path`` is an ELF file for Arm."""
    with open_regular(path) as file:
        header = file.read(_ELF_HEADER_BYTES)
    machine = int.from_bytes(header[_MACHINE_OFFSET:_ELF_HEADER_BYTES], "little")
    if not header.startswith(_ELF_MAGIC) or machine != _EM_ARM:
        raise BoardError(
            f"{path} is not an ELF file for Arm; give the linked program, "
            "or raw images with their addresses"
        )


def put_data(memory: Memory, item: DataFile) -> None:
    """Write a data file to memory.

    Raises:
        BoardError: It cannot be read.
    """
    address, left = item.address, size_of(item.path)
    with open_regular(item.path) as file:
        # Not what was added since the check.
        while chunk := file.read(min(_CHUNK_BYTES, left)):
            memory.write(address, chunk)
            address += len(chunk)
            left -= len(chunk)


def _check_data(item: DataFile) -> None:
    size_bytes = size_of(item.path)
    if not is_memory(item.address, size_bytes):
        raise BoardError(
            f"{item.path} ({size_bytes} bytes) does not fit at 0x{item.address:08x}: "
            "not all of it would lie in one memory of the board"
        )


def _check_dump(dump: Dump) -> None:
    if not is_memory(dump.address, dump.size_bytes):
        raise BoardError(
            f"cannot dump {dump.size_bytes} bytes from 0x{dump.address:08x} to {dump.path}: "
            "not all of them lie in one memory of the board"
        )
