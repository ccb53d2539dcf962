# SPDX-License-Identifier: Apache-2.0
"""Vela's work is complete and named, or refused with Vela's reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.core.vela_config import check_system_config
from ethosmith.models.vela import call_vela, vela_arguments
from ethosmith.steps.compile_with_vela import CompileWithVela


def step(
    network: Path,
    folder: Path,
    *,
    system_config: str = "Ethos_U55_High_End_Embedded",
    memory_mode: str = "Shared_Sram",
    raw: bool = True,
) -> CompileWithVela:
    return CompileWithVela(
        network=network,
        network_name="net",
        accelerator_config="ethos-u55-128",
        system_config=system_config,
        memory_mode=memory_mode,
        tflite=folder / "vela.tflite",
        summary=folder / "summary.csv",
        per_layer=folder / "layers.csv",
        operators=folder / "operators.json",
        raw=folder / "raw.npz" if raw else None,
    )


def test_operators_for_the_cpu_stop_the_build_with_a_table(networks: Path, tmp_path: Path) -> None:
    network = networks / "reversed_int8.tflite"
    with pytest.raises(EthosmithError) as caught:
        step(network, tmp_path / "out").run()
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
    compilation = step(networks / "reversed_int8.tflite", tmp_path, raw=False)
    compilation.run()
    assert '"kind": "REVERSE_V2"' in compilation.operators.read_text()
    assert sorted(tmp_path.iterdir()) == sorted(compilation.outputs)


@pytest.mark.parametrize(
    ("system_config", "memory_mode", "reason"),
    [
        ("Ethos_U55", "Shared_Sram", "Ethos_U55"),
        ("Ethos_U55_High_End_Embedded", "Shared", "Shared"),
    ],
    ids=["system config", "memory mode"],
)
def test_an_option_that_vela_refuses_is_named(
    system_config: str, memory_mode: str, reason: str, networks: Path, tmp_path: Path
) -> None:
    network = networks / "reversed_int8.tflite"
    with pytest.raises(EthosmithError) as caught:
        step(network, tmp_path, system_config=system_config, memory_mode=memory_mode).run()
    message = str(caught.value)
    assert message.startswith("Vela refuses net.tflite: ")
    assert reason in message
    assert "\n" not in message


def test_a_damaged_network_never_reaches_vela(networks: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.tflite"
    half.write_bytes((networks / "reversed_int8.tflite").read_bytes()[:500])
    with pytest.raises(EthosmithError, match="not a usable TFLite model"):
        step(half, tmp_path).run()


def test_a_limit_of_the_cache_that_vela_refuses_is_said_in_its_words(
    networks: Path, tmp_path: Path
) -> None:
    network = tmp_path / "net.tflite"
    network.write_bytes((networks / "reversed_int8.tflite").read_bytes())
    config = ("ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared_Sram", "Performance")
    with pytest.raises(EthosmithError, match=r"^Vela refuses net.tflite: [^\n]*-1[^\n]*$"):
        call_vela(network, vela_arguments(*config, -1))


def test_a_system_config_is_checked_against_vela_s_own_file() -> None:
    assert check_system_config("Ethos_U55_High_End_Embedded") == "Ethos_U55_High_End_Embedded"
    with pytest.raises(EthosmithError, match="did you mean 'Ethos_U55_Deep_Embedded'"):
        check_system_config("Ethos_U55_Deep_Embeded")
