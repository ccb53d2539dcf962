# SPDX-License-Identifier: Apache-2.0
"""Networks with golden data, laid out as TFLM's own, run on the NPU model; a wrong one is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.run_upstream_tests import RunUpstreamTests
from ethosmith.verify.upstream_tests import NETWORKS, read_elements, upstream_cases
from tests.support.npu_corpus.check import Reference
from tests.support.npu_corpus.draw import Draw
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.network import Network, Tensor
from tests.support.npu_corpus.pointwise import binary, quantize

_INT16, _INT32 = np.dtype(np.int16), np.dtype(np.int32)
_SETTINGS = (("ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared_Sram"),)


def _add(seed: int) -> Network:
    shapes = ((1, 4, 5, 8), (1, 4, 5, 8))
    return binary(Draw(seed), builtin="ADD", dtype=_INT16, shapes=shapes)


def _add_with_an_unread_input(seed: int) -> Network:
    network = _add(seed)
    unread = Tensor("unread", (1, 3), _INT16, network.inputs[0].quantisation)
    return Network(network.operators, (*network.inputs, unread), network.outputs)


def _quantize(seed: int) -> Network:
    return quantize(Draw(seed), dtype=_INT16, to=_INT32, ifm=(1, 4, 8), gain=1.0)


def _write(folder: Path, name: str, network: Network, seed: int) -> None:
    """Write a network, random inputs and what LiteRT makes of them."""
    folder.mkdir(parents=True, exist_ok=True)
    content = tflite_bytes(network)
    (folder / f"{name}.tflite").write_bytes(content)
    rng = np.random.default_rng(seed)
    reference = Reference(content)
    inputs = [
        rng.integers(-20000, 20000, one["shape"]).astype(one["dtype"])
        for one in reference.input_details()
    ]
    for index, values in enumerate(inputs):
        _write_elements(folder / f"{name}_input{index}_{values.dtype}.csv", values)
    for values in reference.run(inputs):
        _write_elements(folder / f"{name}_golden_{values.dtype}.csv", values)


def _write_elements(path: Path, values: np.ndarray) -> None:
    path.write_text(",".join(map(str, values.ravel())) + "\n")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three networks that the NPU can run, and one that Vela leaves to the CPU."""
    networks = tmp_path / "up stream" / NETWORKS
    _write(networks / "add", "add0", _add(0), 0)
    _write(networks / "add", "add1", _add(1), 1)
    _write(networks / "add", "add2", _add_with_an_unread_input(2), 3)
    _write(networks / "quantize", "quantize0", _quantize(0), 2)
    return tmp_path / "up stream"


def test_networks_equal_their_golden_data_and_a_wrong_one_is_named(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step = RunUpstreamTests(tree=str(tree), settings=_SETTINGS)
    step.run()
    summary = "ethos-u55-128 Shared_Sram: {} of 4 networks are equal to their golden data, {} of"
    # Before it stands what Vela prints, which only goes elsewhere outside of pytest.
    assert capsys.readouterr().out.endswith(f"\n{summary.format(4, 3)} them on the NPU\n")

    golden = tree / NETWORKS / "add/add1_golden_int16.csv"
    values = read_elements(golden)
    values[7] += np.int16(-3 if values[7] > 0 else 3)
    _write_elements(golden, values)
    with pytest.raises(EthosmithError, match=r"^upstream_tests: 1 comparisons failed"):
        step.run()
    lines = capsys.readouterr().out.splitlines()
    differ = "1 of 160 elements differ, by at most 3"
    wrong = f"add/add1 on ethos-u55-128: the NPU: {differ}; the host's TFLM: {differ}"
    assert [line for line in lines if " on ethos-u55-128: " in line] == [wrong]
    assert lines[-1].startswith(summary.format(3, 2))


def _remove(path: Path) -> None:
    path.unlink()


def _too_large(path: Path) -> None:
    path.write_text("1,2,40000\n")


def _words(path: Path) -> None:
    path.write_text("one,two\n")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove, r"add0\.tflite: expected add0_golden_TYPE\.csv beside it"),
        (_too_large, r"add0_golden_int16\.csv: an integer is no int16"),
        (_words, r"add0_golden_int16\.csv: expected integers"),
    ],
)
def test_golden_data_that_is_none_is_an_error(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    folder = tmp_path / NETWORKS / "add"
    folder.mkdir(parents=True)
    (folder / "add0.tflite").write_bytes(b"")
    for role in ("input0", "golden"):
        (folder / f"add0_{role}_int16.csv").write_text("1,2,3\n")
    damage(folder / "add0_golden_int16.csv")
    with pytest.raises(EthosmithError, match=message):
        read_elements(upstream_cases(tmp_path)[0].golden)


def test_a_tree_without_networks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match=re.escape(f"no networks in {NETWORKS}/*/")):
        upstream_cases(tmp_path)
