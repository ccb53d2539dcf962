# SPDX-License-Identifier: Apache-2.0
"""Each wrong value of a platform.yaml is named with its place, what is allowed and what is near."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.core.vela_config import system_configs
from ethosmith.descriptors.platform import load_platform
from tests.support.project_copy import ROOT

MINIMAL = (ROOT / "tests/support/minimal_platform.yaml").read_text(encoding="utf-8")
_TIMING = """timing_adapters:
  axi0_address: 0x58103000
  axi1_address: 0x58103200
  presets:
    - system_config: CONFIG
      memory_modes: [MODE]
      axi0: {}
      axi1: {}
uart:"""
U65_MODE = "memory mode for ethos-u55 'Dedicated_Sram'"

# What is wrong: (text of minimal.yaml, what takes its place, the error behind the file's name).
INVALID = {
    "newer schema": ("schema: 1", "schema: 2", "2:9: schema: 2 is not allowed (allowed: 1)"),
    "no name": ("name: minimal\n", "", "2:1: the key 'name' is missing"),
    "unknown key": (
        "stack_bytes: 4096",
        "stack_bytes: 4096\nstack_byte: 1",
        "22:1: unknown key 'stack_byte'; did you mean 'stack_bytes'? (allowed: card, cpu, fvp,"
        " memory_modes, model_partition, name, no_prebuilt_images, npu, open_board, placement,"
        " prebuilt_images,"
        " regions, schema,"
        " stack_bytes, timing_adapters, title, uart, windows)",
    ),
    "unknown key of a region": (
        "alias: 0x30000000, size_kib",
        "alias: 0x30000000, size_mib",
        "8:58: unknown key 'size_mib'; did you mean 'size_kib'? (allowed: address, alias, name,"
        " npu, sector, size_kib)",
    ),
    "other core": (
        "core: cortex-m55",
        "core: cortex-m33",
        "5:13: cpu.core: 'cortex-m33' is not allowed; did you mean 'cortex-m85'?"
        " (allowed: cortex-m55, cortex-m85)",
    ),
    "address as text": (
        "address: 0x20000000",
        'address: "0x20000000"',
        "8:27: regions.1.address: input should be a valid integer",
    ),
    "address of 33 bits": (
        "address: 0x20000000",
        "address: 0x120000000",
        "8:27: regions.1.address: input should be less than 4294967296",
    ),
    "empty region": (
        "alias: 0x30000000, size_kib: 64",
        "alias: 0x30000000, size_kib: 0",
        "8:68: regions.1.size_kib: input should be greater than 0",
    ),
    "region beyond 32 bits": (
        "address: 0x20000000",
        "address: 0xffffff00",
        "8:27: WORK ends at 0x10000ff00, beyond 32 bits",
    ),
    "odd address": (
        "address: 0x20000000",
        "address: 0x20000004",
        "8:27: 0x20000004 is not a multiple of 16",
    ),
    "two regions of one name": (
        "{name: FAST",
        "{name: WORK",
        "10:12: the name 'WORK' is there twice",
    ),
    "overlapping regions": (
        "address: 0x31000000",
        "address: 0x6000fff0",
        "10:27: FAST at 0x6000fff0 overlaps NET",
    ),
    "overlapping alias": (
        "alias: 0x30000000",
        "alias: 0x310fff00",
        "10:27: FAST at 0x31000000 overlaps WORK",
    ),
    "one file for two regions": (
        "file: net.bin",
        "file: code.bin",
        "9:80: code.bin already fills CODE",
    ),
    "file name too long for the card": (
        "file: net.bin",
        "file: network_data.bin",
        "9:80: regions.2.sector.file: 'network_data.bin' is not a valid name on the card: at most"
        " eight lower-case letters, a dot and three more",
    ),
    "unknown region": (
        "zeroed: WORK",
        "zeroed: WROK",
        "17:11: unknown region 'WROK'; did you mean 'WORK'? (allowed: CODE, FAST, NET, WORK)",
    ),
    "code that nothing loads": (
        "code: CODE",
        "code: WORK",
        "13:9: no file of the card fills WORK (allowed: CODE, NET)",
    ),
    "stack larger than its region": (
        "stack_bytes: 4096",
        "stack_bytes: 131072",
        "21:14: more than the 65536 bytes of WORK",
    ),
    "stack that is no number of cache lines": (
        "stack_bytes: 4096",
        "stack_bytes: 4100",
        "21:14: stack_bytes: input should be a multiple of 32",
    ),
    "unknown memory mode": (
        "name: Sram_Only",
        "name: Sram_Olny",
        "29:11: memory_modes.1.name: 'Sram_Olny' is not allowed; did you mean 'Sram_Only'?"
        " (allowed: Shared_Sram, Sram_Only, Dedicated_Sram, Dedicated_Sram_256KB,"
        " Dedicated_Sram_384KB, Dedicated_Sram_512KB)",
    ),
    "memory mode twice": (
        "name: Sram_Only",
        "name: Shared_Sram",
        "29:11: the name 'Shared_Sram' is there twice",
    ),
    "scratch where the NPU is not": (
        "scratch: {region: FAST, axi_limit: 1}",
        "scratch: {region: WORK, axi_limit: 1}",
        "27:23: the NPU does not reach WORK (allowed: NET, FAST)",
    ),
    "weights that nothing loads": (
        "weights: {region: FAST, load: NET, axi_limit: 0}",
        "weights: {region: FAST, axi_limit: 0}",
        "32:23: no file of the card fills FAST (allowed: CODE, NET)",
    ),
    "fifth AXI limit": (
        "weights: {region: NET, axi_limit: 3}",
        "weights: {region: NET, axi_limit: 4}",
        "26:39: memory_modes.0.weights.axi_limit: input should be less than or equal to 3",
    ),
    "scratch that is loaded": (
        "scratch: {region: FAST, axi_limit: 1}",
        "scratch: {region: FAST, load: NET, axi_limit: 1}",
        "27:29: unknown key 'load' (allowed: axi_limit, region)",
    ),
    "default that the platform has not": (
        "default_accelerator_config: ethos-u55-64",
        "default_accelerator_config: ethos-u55-128",
        "39:31: unknown accelerator config of this platform 'ethos-u55-128'; did you mean"
        " 'ethos-u55-32'? (allowed: ethos-u55-32, ethos-u55-64)",
    ),
    "configuration of another product": (
        "accelerator_configs: [ethos-u55-32, ethos-u55-64]",
        "accelerator_configs: [ethos-u65-256, ethos-u55-64]",
        "42:29: unknown configuration of ethos-u55 'ethos-u65-256'; did you mean 'ethos-u55-256'?"
        " (allowed: ethos-u55-128, ethos-u55-256, ethos-u55-32, ethos-u55-64)",
    ),
    "product without its memory mode": (
        "memory_mode: Shared_Sram",
        "memory_mode: Dedicated_Sram",
        f"44:20: unknown {U65_MODE}; did you mean 'Shared_Sram'? (allowed: Shared_Sram, Sram_Only)",
    ),
    "beats that AXI has not": (
        "max_beats_bytes: 64",
        "max_beats_bytes: 96",
        "45:30: npu.products.0.axi.max_beats_bytes: 96 is not allowed (allowed: 64, 128 or 256)",
    ),
    "timing of a system config that Vela has not": (
        "uart:",
        _TIMING.replace("CONFIG", "Ethos_U55_High_End_Embeded").replace("MODE", "Sram_Only"),
        "50:22: unknown system config of Vela 'Ethos_U55_High_End_Embeded'; did you mean"
        f" 'Ethos_U55_High_End_Embedded'? (allowed: {', '.join(sorted(system_configs()))})",
    ),
    "timing of a memory mode that the platform has not": (
        "uart:",
        _TIMING.replace("CONFIG", "Ethos_U55_High_End_Embedded").replace("MODE", "Dedicated_Sram"),
        "51:22: unknown memory mode of this platform 'Dedicated_Sram'; did you mean"
        " 'Shared_Sram'? (allowed: Shared_Sram, Sram_Only)",
    ),
    "latency beyond the register": (
        "uart:",
        _TIMING.replace("CONFIG", "Ethos_U55_High_End_Embedded")
        .replace("MODE", "Sram_Only")
        .replace("axi0: {}", "axi0: {rlatency: 4096}"),
        "52:24: timing_adapters.presets.0.axi0.rlatency: input should be less than 4096",
    ),
    "simulator without the product": (
        "uart:",
        "fvp:\n  executables: [{product: ethos-u65, file: FVP}]\nuart:",
        "47:16: no executable for ethos-u55",
    ),
}


def test_the_minimal_platform_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(MINIMAL, encoding="utf-8")
    assert load_platform(file).name == "minimal"


@pytest.mark.parametrize("defect", INVALID)
def test_a_defect_is_named_with_its_place(tmp_path: Path, defect: str) -> None:
    good, bad, message = INVALID[defect]
    assert MINIMAL.count(good) == 1, "the defect must be one"
    file = tmp_path / "platform.yaml"
    file.write_text(MINIMAL.replace(good, bad), encoding="utf-8")
    with pytest.raises(EthosmithError) as caught:
        load_platform(file)
    assert str(caught.value) == f"{file}:{message}"


def test_a_card_needs_the_place_of_every_file(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    text = MINIMAL.replace(", card_address: 0x8000000", "")
    file.write_text(text, encoding="utf-8")
    assert load_platform(file).card is None
    file.write_text(f"{text}card: {{board: B, application_note: A, title: T}}\n", encoding="utf-8")
    with pytest.raises(EthosmithError, match=r":9:73: a platform with a card needs the key 'card_"):
        load_platform(file)
