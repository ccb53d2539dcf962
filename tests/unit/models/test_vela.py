# SPDX-License-Identifier: Apache-2.0
"""Vela's work is complete and named, or refused with Vela's reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.core.vela_config import check_system_config
from ethosmith.models.vela import VelaOptions, compile_network

_OPTIONS = VelaOptions("ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared_Sram")


def test_operators_for_the_cpu_stop_the_build_with_a_table(networks: Path, tmp_path: Path) -> None:
    network = networks / "reversed_int8.tflite"
    with pytest.raises(EthosmithError) as caught:
        compile_network(network, "net", tmp_path / "out", _OPTIONS)
    assert str(caught.value).splitlines() == [
        f"{network}: 1 operators cannot run on the NPU, and runtime=direct has no CPU kernels;"
        " change the network there, or let the CPU run them, with runtime=tflm, or"
        " usecase=inference_runner runtime=prebuilt:",
        "  operator    at (its output)  reason",
        "  REVERSE_V2  ReverseV2        Unsupported reverse mask.",
    ]
    assert not (tmp_path / "out").exists()


def test_operators_for_the_cpu_may_stay_where_that_is_asked_for(
    networks: Path, tmp_path: Path
) -> None:
    network = networks / "reversed_int8.tflite"
    outputs = compile_network(network, "net", tmp_path, _OPTIONS, need_raw=False)
    assert '"kind": "REVERSE_V2"' in outputs.operators.read_text()
    assert not outputs.raw.exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (VelaOptions("ethos-u55-128", "Ethos_U55", "Shared_Sram"), "Ethos_U55"),
        (VelaOptions("ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared"), "Shared"),
    ],
    ids=["system config", "memory mode"],
)
def test_an_option_that_vela_refuses_is_named(
    options: VelaOptions, reason: str, networks: Path, tmp_path: Path
) -> None:
    with pytest.raises(EthosmithError) as caught:
        compile_network(networks / "reversed_int8.tflite", "net", tmp_path, options)
    message = str(caught.value)
    assert message.startswith("Vela refuses net.tflite: ")
    assert reason in message
    assert "\n" not in message


def test_a_damaged_network_never_reaches_vela(networks: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.tflite"
    half.write_bytes((networks / "reversed_int8.tflite").read_bytes()[:500])
    with pytest.raises(EthosmithError, match="not a usable TFLite model"):
        compile_network(half, "net", tmp_path, _OPTIONS)


def test_a_system_config_is_checked_against_vela_s_own_file() -> None:
    assert check_system_config("Ethos_U55_High_End_Embedded") == "Ethos_U55_High_End_Embedded"
    with pytest.raises(EthosmithError, match="did you mean 'Ethos_U55_Deep_Embedded'"):
        check_system_config("Ethos_U55_Deep_Embeded")
