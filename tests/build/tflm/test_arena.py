# SPDX-License-Identifier: Apache-2.0
"""The arena's size is found before the device runs: checked against Arm's own interpreter.

Arm's inference runner holds TensorFlow Lite Micro with CMSIS-NN and the Ethos-U driver, and
says how much of its arena a network used.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ethosmith.models.arena import arena_size
from ethosmith.models.arena_plan import plan_bytes
from ethosmith.models.tflite_file import TfliteFile, TfliteOperator, TfliteTensor
from ethosmith.verify.uart_log import ArenaUse, read_arena
from tests.support.board import networks
from tests.support.project_copy import ROOT, ProjectCopy


def _used_bytes(network: Path, accelerator: str, folder: Path) -> int:
    runner = networks.arms_runner(accelerator.rpartition("-")[0], folder)
    data = f"{network}@0x{networks.NETWORK_ADDRESS:x}"
    command = [sys.executable, "-m", "open_board", "--simulator", "open", "-a", str(runner)]
    done = subprocess.run(
        [*command, "--npu", accelerator, "--data", data, "--timelimit", "60"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = re.search(r"tensor arena\) size used: (\d+)", done.stdout)
    assert found, done.stdout
    return int(found[1])


@pytest.mark.parametrize("accelerator", ["none", "ethos-u55-128", "ethos-u65-256"])
def test_the_size_holds_for_arms_interpreter_and_is_not_gross(
    accelerator: str, built: ProjectCopy, tmp_path: Path
) -> None:
    network = tmp_path / "network.tflite"
    shutil.copyfile(built.root / "build/usecases/kws/ds_cnn_int8.tflite", network)
    on_npu = accelerator != "none"
    if on_npu:
        network = networks.compile_with_vela(network, accelerator, tmp_path)
    used = _used_bytes(network, accelerator if on_npu else "ethos-u55-128", tmp_path)
    size = arena_size(network)
    assert used <= size.arena_bytes
    # Where Vela made the plan, only alignment is unknown.
    assert size.arena_bytes <= used * (1.005 if on_npu else 1.06)
    assert not list(ArenaUse(used, size.arena_bytes).problems())
    assert bool(size.fast_scratch_bytes) == (accelerator == "ethos-u65-256")


def _network(sizes: dict[str, int], *operators: str) -> TfliteFile:
    """Return a network of ``operators`` such as "ab>c"; the first tensor is its input."""
    names = list(sizes)

    def indices(letters: str) -> tuple[int, ...]:
        return tuple(names.index(letter) for letter in letters)

    return TfliteFile(
        operators=tuple(
            TfliteOperator("ADD", False, indices(given), indices(made))
            for given, _, made in (operator.partition(">") for operator in operators)
        ),
        tensors=tuple(TfliteTensor(n, (s,), s, 1, False, None) for n, s in sizes.items()),
        inputs=(0,),
        outputs=(len(names) - 1,),
    )


def test_tensors_that_never_meet_share_memory() -> None:
    # c takes the place of a, which nobody reads any more.
    chain = _network({"a": 160, "b": 64, "c": 160}, "a>b", "b>c")
    assert plan_bytes(chain, ()) == 160 + 64
    assert plan_bytes(_network({"a": 160, "b": 64, "c": 160}, "a>b", "ab>c"), ()) == 384


def test_scratch_memory_lies_beside_what_its_operator_uses() -> None:
    chain = _network({"a": 160, "b": 64, "c": 16}, "a>b", "b>c")
    assert plan_bytes(chain, [(1, 100)]) == 160 + 64
    assert plan_bytes(chain, [(1, 161)]) == 176 + 64 + 16
    assert plan_bytes(chain, [(0, 1)]) == 160 + 64 + 16


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("arena: 22480 of 22720 bytes used", ""),
        ("arena: 22480 of 40000 bytes used", "an arena of 40000 bytes, of which 22480 were used"),
        ("arena: 100 of 99 bytes used", "used 100 bytes of an arena of 99"),
    ],
)
def test_what_the_device_used_is_compared_with_its_arena(line: str, problem: str) -> None:
    use = read_arena(f"header\n{line}\nran: 2 samples\n")
    assert use is not None
    problems = list(use.problems())
    assert [text.startswith(problem) for text in problems] == ([True] if problem else [])


def test_the_arena_is_found_in_the_log_of_a_board_too() -> None:
    assert read_arena("arena: 1 of 2 bytes used\r\nran: 2 samples\r\n") == ArenaUse(1, 2)


def test_an_image_without_an_interpreter_has_no_arena() -> None:
    assert read_arena("ran: 2 samples\n") is None
