# SPDX-License-Identifier: Apache-2.0
"""A model in the board's partition: it replaces the image's, or the run fails and says why.

The command stream is a lone NPU_OP_STOP, and input and output are the same bytes, as in
test_device_program.py.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ethosu.vela.api import NpuAccelerator
from ethosu.vela.driver_actions import npu_create_driver_payload

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.descriptors.platform import load_platform
from ethosmith.lib.model_image import model_hash, model_image
from ethosmith.lib.model_source import ModelIdentity, model_source
from ethosmith.models.compiled import Area, CompiledNetwork, PlacedTensor
from ethosmith.models.tensor_spec import TensorSpec
from ethosmith.verify.image_identity import identity_in_log
from tests.support.firmware.compile import FIRMWARE, HERE
from tests.support.firmware.device import Firmware, boot
from tests.support.project_copy import ROOT

_PLACE = load_platform(ROOT / "platforms/fvp/platform.yaml").partition_place("Shared_Sram")
_PAYLOAD = bytes(npu_create_driver_payload([0xFFFF0000], NpuAccelerator.Ethos_U55_128))
_SPEC = TensorSpec(name="both", dtype="int8", shape=(1, 4), scale=0.5, zero_point=1)
_TENSOR = PlacedTensor(_SPEC, 1, 16, 4)
_BUILT_IN = CompiledNetwork(
    command_stream=_PAYLOAD,
    weights=b"",
    weights_region=0,
    scratch=Area(1, 64),
    scratch_fast=Area(2, 0),
    inputs=(_TENSOR,),
    outputs=(_TENSOR,),
)
_IDENTITY = ModelIdentity("copy", parse_accelerator("ethos-u55-128"), "Shared_Sram")
# Twice the scale: half the stored numbers, in another place of the scratch buffer.
_COARSE = PlacedTensor(replace(_SPEC, name="coarse", scale=1.0, zero_point=0), 1, 32, 4)
_OTHER = replace(_BUILT_IN, inputs=(_COARSE,), outputs=(_COARSE,))
_OTHER_IDENTITY = replace(_IDENTITY, name="coarse")
_IMAGE = model_image(_OTHER, _OTHER_IDENTITY)


@pytest.fixture(scope="module")
def axf(tmp_path_factory: pytest.TempPathFactory, firmware: Firmware) -> Path:
    folder = tmp_path_factory.mktemp("firmware")
    text = model_source(_BUILT_IN, _IDENTITY, model_hash(model_image(_BUILT_IN, _IDENTITY)), "x")
    (folder / "model.c").write_text(text, encoding="utf-8")
    sources = [folder / "model.c", HERE / "echo_application.c"]
    return firmware.image(folder, sources, ["-DSAMPLE_COUNT=1", "-DSAMPLE_SIZE=4"])


def _run(axf: Path, folder: Path, image: bytes) -> tuple[int, list[str]]:
    assert _PLACE is not None
    (folder / "model.bin").write_bytes(image)
    return boot(axf, "--data", f"{folder / 'model.bin'}@{_PLACE.address:#x}")


def test_without_a_model_in_it_the_image_s_own_runs(axf: Path, tmp_path: Path) -> None:
    code, lines = _run(axf, tmp_path, b"ETHOMODX" + _IMAGE[8:])
    assert code == 0
    assert " model=copy " in lines[0]
    assert "tensor numbers 0 int8 1x4 fb017f0f" in lines


def test_a_model_in_it_runs_in_place_of_the_image_s(axf: Path, tmp_path: Path) -> None:
    code, lines = _run(axf, tmp_path, _IMAGE)
    assert code == 0
    assert " model=coarse " in lines[0]
    said = identity_in_log("\n".join(lines))
    assert said is not None
    assert said.model == model_hash(_IMAGE)[:16]
    # -3, 0, 100, 7 in steps of 1.
    assert "tensor numbers 0 int8 1x4 fd006407" in lines


def _flipped(offset: int) -> bytes:
    return _IMAGE[:offset] + bytes([_IMAGE[offset] ^ 1]) + _IMAGE[offset + 1 :]


def _sealed(offset: int, value: int) -> bytes:
    """Return the block with another word in its header, and the hash of that."""
    image = bytearray(_IMAGE)
    image[16:48] = bytes(32)
    struct.pack_into("<I", image, offset, value)
    image[16:48] = hashlib.sha256(image).digest()
    return bytes(image)


def _of(**changes: object) -> bytes:
    return model_image(replace(_OTHER, **changes), _OTHER_IDENTITY)  # type: ignore[arg-type]


_DAMAGED = "damaged: its hash is not that of its bytes"
_OUTSIDE = "a part lies outside of it"
_SHAPE = replace(_COARSE, spec=replace(_COARSE.spec, shape=(2, 2)))


REFUSED: dict[str, tuple[bytes, str]] = {
    "a bit of its hash": (_flipped(20), _DAMAGED),
    "a bit of its header": (_flipped(100), _DAMAGED),
    "a bit of its stream": (_flipped(len(_IMAGE) - 1), _DAMAGED),
    "another version": (_sealed(8, 2), "of another version of the format"),
    "a length beyond the partition": (_flipped(15), "longer than the partition, or cut"),
    "a length below the header": (_sealed(12, 127), "longer than the partition, or cut"),
    "a name outside": (_sealed(48, len(_IMAGE)), _OUTSIDE),
    "a stream outside": (_sealed(68, len(_IMAGE) - 16), _OUTSIDE),
    "a table that is not aligned": (_sealed(104, 130), _OUTSIDE),
    "more scratch memory": (_of(scratch=Area(1, 65)), "needs more scratch memory than the"),
    "two inputs": (_of(inputs=(_COARSE, _COARSE)), "has other inputs or outputs than"),
    "another shape": (_of(outputs=(_SHAPE,)), "tensor both has another shape or type than"),
    "another NPU": (
        model_image(_OTHER, replace(_IDENTITY, accelerator=parse_accelerator("ethos-u55-64"))),
        "model: compiled for ethos-u55-64, the firmware for ethos-u55-128",
    ),
}


@pytest.mark.parametrize(("image", "problem"), REFUSED.values(), ids=REFUSED)
def test_a_model_that_is_damaged_or_does_not_fit_fails_the_run(
    axf: Path, tmp_path: Path, image: bytes, problem: str
) -> None:
    code, lines = _run(axf, tmp_path, image)
    assert code != 0
    (failure,) = [line for line in lines if line.startswith("fail: ")]
    assert problem in failure
    assert not any(line.startswith("sample ") for line in lines)


_HARNESS = """
#include <stdio.h>
#include "sha256.h"
int main(void) {
    static uint8_t bytes[300];
    for (unsigned size = 0; size < sizeof bytes; size++) {
        struct sha256 hash;
        uint8_t digest[SHA256_BYTES];
        bytes[size] = (uint8_t)(37 * size);
        sha256_start(&hash);
        sha256_add(&hash, bytes, size / 3);
        sha256_add(&hash, bytes + size / 3, size - size / 3);
        sha256_end(&hash, digest);
        for (unsigned i = 0; i < sizeof digest; i++) {
            printf("%02x", digest[i]);
        }
        puts("");
    }
}
"""


def test_the_firmware_s_sha_256_is_that_of_python(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(_HARNESS, encoding="utf-8")
    support = FIRMWARE / "support"
    command = ["cc", "-std=c11", "-O1", "-fsanitize=address,undefined", f"-I{support}"]
    program = str(tmp_path / "program")
    files = [str(tmp_path / "main.c"), str(support / "sha256.c")]
    subprocess.run([*command, "-o", program, *files], check=True, timeout=60)
    said = subprocess.run([program], check=True, timeout=60, capture_output=True, text=True).stdout
    data = bytes(37 * i % 256 for i in range(300))
    assert said.split() == [hashlib.sha256(data[:size]).hexdigest() for size in range(300)]
