# SPDX-License-Identifier: Apache-2.0
"""Functions of one element, over every int8 or int16 value there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ethosu_model.harness import HostRunner
from tests.support.npu_corpus.check import MicroReference, Reference, compare
from tests.support.npu_corpus.draw import INT8, INT16, Draw
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.network import Network
from tests.support.npu_corpus.pointwise import leaky_relu, quantize, unary
from tests.support.npu_corpus.targets import compile_for, target_named

Dtype = np.dtype[Any]

TARGET = target_named("ethos-u55-128/Shared_Sram")
EVERY = {"int8": (1, 16, 16, 1), "int16": (1, 256, 256, 1)}
SEEDS = range(3)


@dataclass(frozen=True)
class Function:
    """A function of one element, and TFLM as its oracle where LiteRT is known to differ."""

    name: str
    build: Callable[[Draw, Dtype], Network]
    tflm_for_int16: bool = False


def _unary(builtin: str, reach: float) -> Callable[[Draw, Dtype], Network]:
    return lambda draw, dtype: unary(
        draw, builtin=builtin, dtype=dtype, ifm=EVERY[dtype.name], reach=reach
    )


def _leaky_relu(draw: Draw, dtype: Dtype) -> Network:
    return leaky_relu(draw, dtype=dtype, ifm=EVERY[dtype.name], alpha=0.3)


def _quantize(draw: Draw, dtype: Dtype) -> Network:
    return quantize(draw, dtype=dtype, to=INT8, ifm=EVERY[dtype.name], gain=1.0)


FUNCTIONS = (
    Function("logistic", _unary("LOGISTIC", 8.0)),
    Function("tanh", _unary("TANH", 4.0)),
    Function("exp", _unary("EXP", 2.0)),
    Function("relu", _unary("RELU", 4.0)),
    Function("relu6", _unary("RELU6", 8.0)),
    Function("abs", _unary("ABS", 4.0), tflm_for_int16=True),
    Function("leaky_relu", _leaky_relu),
    Function("quantize", _quantize),
)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", [INT8, INT16], ids=str)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_function_is_exact_for_every_value(function: Function, dtype: Dtype, seed: int) -> None:
    network = tflite_bytes(function.build(Draw(seed), dtype))
    limits = np.iinfo(dtype)
    values = np.arange(limits.min, limits.max + 1).astype(dtype).reshape(EVERY[dtype.name])
    got = HostRunner(compile_for(TARGET, network), TARGET.config).run([values])
    by_tflm = function.tflm_for_int16 and dtype == INT16
    oracle = MicroReference(network) if by_tflm else Reference(network)
    assert compare(list(zip(got, oracle.run([values]), strict=True))).different == 0
