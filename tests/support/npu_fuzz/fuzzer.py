# SPDX-License-Identifier: Apache-2.0
"""Runs corrupted networks on the NPU model and classifies how each of them ends."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import BASE

from ethosu_model.device import NpuDevice
from ethosu_model.errors import ModelError
from ethosu_model.harness import EarlyStop, HostRunner, NpuJobError, RawModel
from ethosu_model.registers import Command
from tests.support.npu_corpus.case import Case
from tests.support.npu_corpus.check import input_set
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.network import Array
from tests.support.npu_corpus.table import all_cases
from tests.support.npu_corpus.targets import Target, compile_for, target_named
from tests.support.npu_fuzz.mutations import MUTATIONS, Mutation

# Rows of the corpus, one network each, chosen to reach every module of the model.
VICTIM_ROWS = (
    "conv_2d",
    "depthwise_conv_2d",
    "transpose_conv",
    "fully_connected",
    "average_pool_2d",
    "max_pool_2d",
    "mean",
    "add",
    "mul",
    "softmax",
    "logistic",
    "leaky_relu",
    "resize_bilinear",
    "concatenation",
    "transpose",
    "chain_conv_2d",
    "chain_add",
    "batch_matmul",
)
VICTIM_TARGETS = tuple(
    target_named(name)
    for name in (
        "ethos-u55-128/Shared_Sram",
        "ethos-u65-512/Dedicated_Sram",
        "ethos-u55-32/Sram_Only",
        "ethos-u85-1024/Dedicated_Sram_384KB",
    )
)
_KIB = 1024
_PAGE_BYTES = 4096
_REGISTER_WRITES = 64


@dataclass(frozen=True)
class Victim:
    """A good network and its inputs."""

    name: str
    target: Target
    model: RawModel
    inputs: list[Array]


@cache
def victims() -> tuple[Victim, ...]:
    """Return the networks that get corrupted."""
    rows = {name: [c for c in all_cases() if c.operator == name][:2] for name in VICTIM_ROWS}
    return tuple(
        _victim(case, target)
        for cases in rows.values()
        for case in cases
        for target in VICTIM_TARGETS
    )


def _victim(case: Case, target: Target) -> Victim:
    network = case.network()
    model = compile_for(target, tflite_bytes(network))
    return Victim(f"{case.id} on {target.name}", target, model, input_set(case, network, 0))


@dataclass(frozen=True)
class Attack:
    """One corruption of one victim; ``seed`` and ``index`` reproduce it.

    One attack in sixteen leaves the network alone and writes noise to the registers.
    """

    seed: int
    index: int

    def run(self) -> str:
        """Run the corrupted network and return how it ended.

        Raises:
            Exception: Whatever the model lets through; that is what is looked for.
        """
        rng, victim, mutation = self._choices()
        try:
            model = victim.model if mutation is None else mutation(victim.model, rng)
            runner = HostRunner(model, victim.target.config)
        except ModelError:
            return "payload refused"
        if mutation is None:
            disturb_registers(runner.device, rng)
        try:
            runner.run(victim.inputs)
        except EarlyStop:
            return "early stop"
        except NpuJobError as stopped:
            return _kind(runner, stopped)
        return "clean end"

    def _choices(self) -> tuple[np.random.Generator, Victim, Mutation | None]:
        rng = np.random.default_rng((self.seed, self.index))
        victim = victims()[int(rng.integers(len(victims())))]
        chosen = int(rng.integers(len(MUTATIONS) + 1))
        return rng, victim, MUTATIONS[chosen] if chosen < len(MUTATIONS) else None

    def __str__(self) -> str:
        _, victim, mutation = self._choices()
        what = "registers" if mutation is None else mutation.__name__
        return f"seed {self.seed} index {self.index}: {what} of {victim.name}"


def disturb_registers(device: NpuDevice, rng: np.random.Generator) -> None:
    """Write noise to registers of the page and beyond it, run jobs, and read the page."""
    for _ in range(_REGISTER_WRITES):
        offset = (
            int(rng.integers(_PAGE_BYTES // 4)) * 4
            if rng.random() < 0.9
            else int(rng.integers(1 << 13))
        )
        if rng.random() < 0.5:
            offset &= 0xFF
        device.write_register(offset, int(rng.integers(1 << 32)) >> int(rng.integers(32)))
    device.write_register(BASE.CMD.value, int(Command.RUN))
    for offset in range(0, _PAGE_BYTES, 4):
        value = device.read_register(offset)
        if not 0 <= value < 1 << 32:
            raise AssertionError(f"register 0x{offset:x} reads 0x{value:x}")


def _kind(runner: HostRunner, stopped: NpuJobError) -> str:
    """Return the name of the modelled fault; a stop without one is a finding."""
    fault = runner.device.last_fault
    if fault is None:
        raise AssertionError(f"stopped without a fault: {stopped}")
    return type(fault).__name__


@dataclass
class Campaign:
    """What came of a run of attacks.

    Attributes:
        endings: How many ended in which way.
        crashes: Attacks that raised, with the exception.
        slowest_s: Longest processor time of one attack, and which.
        grown_bytes: How far the process's largest resident size grew.
    """

    endings: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest: str = ""
    grown_bytes: int = 0

    def attack(self, attack: Attack) -> None:
        """Run one attack and take notes."""
        start = time.process_time()
        try:
            self.endings[attack.run()] += 1
        except Exception as crash:  # noqa: BLE001 any exception is a finding
            self.crashes.append(f"{attack}: {type(crash).__name__}: {crash}")
        seconds = time.process_time() - start
        if seconds > self.slowest_s:
            self.slowest_s, self.slowest = seconds, str(attack)


def resident_bytes() -> int:
    """Return the largest resident size that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB


def run_campaign(seed: int, first: int, count: int) -> Campaign:
    """Run attacks ``first`` to ``first + count - 1`` of ``seed``."""
    victims()
    campaign = Campaign()
    before = resident_bytes()
    for index in range(first, first + count):
        campaign.attack(Attack(seed, index))
    campaign.grown_bytes = resident_bytes() - before
    return campaign
