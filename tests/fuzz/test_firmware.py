# SPDX-License-Identifier: Apache-2.0
"""The fuzzers of the firmware's C compile, and find nothing in their first inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from tests.fuzz.firmware import TARGETS, build, fuzz

_RUNS, _ALL_RUNS = 2_000, 1_000_000


@pytest.fixture(scope="module", autouse=True)
def _libfuzzer(tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        build("payload", tmp_path_factory.mktemp("payload"))
    except EthosmithError as error:
        if "Fuzzer" in str(error) or "PATH" in str(error) or "clang_rt" in str(error):
            pytest.skip(f"no libFuzzer: {str(error)[:120]}")
        raise


@pytest.mark.parametrize("runs", [_RUNS, pytest.param(_ALL_RUNS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_spoils_memory(name: str, runs: int, tmp_path: Path) -> None:
    status, text = fuzz(name, tmp_path, f"-runs={runs}", "-seed=1")
    assert status == 0, text[-3000:]
