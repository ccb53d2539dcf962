# SPDX-License-Identifier: Apache-2.0
"""The inference runner's inputs: the same bytes as an independent generator draws."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.host_build import HostProgram, descriptor, host_program

_SEEDS = (0, 1, 0xFFFFFFFF)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, host_objects: tuple[Path, ...]) -> HostProgram:
    seeds = [struct.pack("<I", seed) for seed in _SEEDS]
    folder = tmp_path_factory.mktemp("runner")
    usecase = descriptor("inference_runner")
    return host_program(folder, usecase, [*seeds, b"short"], objects=host_objects)


def _random_bytes(seed: int) -> Iterator[int]:
    state = seed
    while True:
        state = (state + 0x9E3779B9) % 2**32
        mixed = state
        for shift, factor in ((16, 0x21F0AAAD), (15, 0x735A2D97)):
            mixed = (mixed ^ (mixed >> shift)) * factor % 2**32
        yield (mixed ^ (mixed >> 15)) & 0xFF


@pytest.mark.parametrize("index", range(len(_SEEDS)))
def test_all_inputs_come_from_the_seed(runner: HostProgram, index: int) -> None:
    tensors = ["int8", "0.5", "3", "1x7x5x3", "int16", "1", "0", "1x11", "uint8", "1", "0", "2x2"]
    got = runner.call("preprocess", str(index), *tensors).stdout
    drawn = _random_bytes(_SEEDS[index])
    assert got == bytes(next(drawn) for _ in range(105 + 22 + 4))


def test_bytes_are_uniform(runner: HostProgram) -> None:
    got = runner.call("preprocess", "1", "int8", "1", "0", "256x256").stdout
    counts = np.bincount(np.frombuffer(got, np.uint8), minlength=256)
    # 256 expected of each; the chi-squared statistic of 255 degrees has a mean of 255.
    assert 170 < float(((counts - 256) ** 2 / 256).sum()) < 350


@pytest.mark.parametrize("tensor", ["float32 1 0 1x4", "int32 1 0 1x4"])
def test_inputs_that_not_every_byte_suits_are_refused(runner: HostProgram, tensor: str) -> None:
    ran = runner.refused("preprocess", "0", *tensor.split())
    assert b"a seed cannot fill a network input of type int32 or float32" in ran.stderr


def test_a_sample_that_is_no_seed_is_refused(runner: HostProgram) -> None:
    ran = runner.refused("preprocess", "3", "int8", "1", "0", "1x4")
    assert b"4 bytes, or float32 for each element, expected, " in ran.stderr


def test_answer_is_the_place_of_the_largest_of_the_first_output(runner: HostProgram) -> None:
    tensors = ["int8", "0.5", "-128", "1x4", "int8", "1", "0", "2"]
    said = runner.call("postprocess", *tensors, given=struct.pack("<6b", -128, 3, 100, 7, 127, 0))
    assert said.stdout == b'answer="element 2" score=114.0000\n'
