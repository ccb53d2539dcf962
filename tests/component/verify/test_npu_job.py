# SPDX-License-Identifier: Apache-2.0
"""The NPU's job of an image, run without the image: what is in it decides what comes out."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.platform import Platform, load_platform
from ethosmith.images.elf import read_symbols
from ethosmith.lib.model_source import ModelIdentity, model_source
from ethosmith.models.compiled import CompiledNetwork, read_compiled
from ethosmith.models.int8_check import check_int8
from ethosmith.verify.image_model import ImageBytes
from ethosmith.verify.npu_job import ImageJob, run_samples
from tests.support import needs
from tests.support.npu_corpus.check import Reference
from tests.support.npu_corpus.flatbuffer import tflite_bytes
from tests.support.npu_corpus.table import all_cases
from tests.support.npu_corpus.targets import compiled_arrays, target_named
from tests.support.project_copy import ROOT

MODE = "Dedicated_Sram_384KB"
NPU = "ethos-u85-512"
# The memories of the platform, each with what its linker script puts there.
SCRIPT = """
ENTRY(model)
SECTIONS {
  .constants 0x12000000 : { *(.rodata*) }
  .fast 0x31000000 (NOLOAD) : { *(.scratch_fast) }
  .model 0x70000000 : { *(.model.*) }
  .scratch (NOLOAD) : { *(.scratch) }
  /DISCARD/ : { *(.comment) *(.ARM.*) }
}
"""


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform(ROOT / "platforms/sse320/platform.yaml")


@pytest.fixture(scope="module")
def tflite() -> bytes:
    case = next(case for case in all_cases() if case.operator == "conv_2d")
    return tflite_bytes(case.network())


@pytest.fixture(scope="module")
def compiled(tflite: bytes, tmp_path_factory: pytest.TempPathFactory) -> CompiledNetwork:
    folder = tmp_path_factory.mktemp("network")
    (folder / "net.tflite").write_bytes(tflite)
    arrays = compiled_arrays(target_named(f"{NPU}/{MODE}"), tflite)
    np.savez(folder / "net.npz", allow_pickle=False, **arrays)
    return read_compiled(folder / "net.npz", check_int8(folder / "net.tflite"))


def _linked(folder: Path, compiled: CompiledNetwork, npu: str = NPU) -> Path:
    """Link an image that holds the model and nothing else."""
    compiler = needs.program("arm-none-eabi-gcc")
    identity = ModelIdentity("net", parse_accelerator(npu), MODE)
    (folder / "model.c").write_text(model_source(compiled, identity, "00" * 32, "net.tflite"))
    (folder / "image.ld").write_text(SCRIPT)
    command = [compiler, "-mcpu=cortex-m55", "-mthumb", "-nostdlib", "-T", "image.ld"]
    command += [f"-I{ROOT / 'firmware' / name}" for name in ("runtime", "support")]
    subprocess.run([*command, "model.c", "-o", "a.axf"], cwd=folder, check=True, timeout=60)
    return folder / "a.axf"


def _job(image: Path, platform: Platform, npu: str = NPU) -> ImageJob:
    return ImageJob(ImageBytes(image), platform, parse_accelerator(npu))


def test_the_outputs_are_litert_s_and_one_bit_of_the_image_changes_them(
    platform: Platform, tflite: bytes, compiled: CompiledNetwork, tmp_path: Path
) -> None:
    image = _linked(tmp_path, compiled)
    job = _job(image, platform)
    reference = Reference(tflite)
    (detail,) = reference.input_details()
    rng = np.random.default_rng(0)
    windows = [rng.integers(-128, 128, detail["shape"]).astype(np.int8) for _ in range(2)]
    raw = b"".join(window.tobytes() for window in windows)
    (sample,) = run_samples(job, [("one", raw)])
    assert sample["tensors"] == [reference.run([one])[0].tobytes().hex() for one in windows]
    assert len(sample["windows"]) == 2
    assert sample["counts"]["axi1_rd"] == sum(one["axi1_rd"] for one in sample["windows"]) > 0
    # The same again: what a job leaves behind is nothing to the next.
    assert run_samples(job, [("one", raw)]) == [sample]

    elf = ImageBytes(image)
    weights = next(one for one in read_symbols(elf.elf).sized if one.name == "weights")
    section = next(one for one in elf.elf.sections if one.name == ".model")
    damaged = bytearray(image.read_bytes())
    # The sign of the first channel's bias.
    damaged[section.file_offset + weights.address - section.address + 3] ^= 0x80
    image.write_bytes(damaged)
    try:
        assert run_samples(_job(image, platform), [("one", raw)]) != [sample]
    except EthosmithError as error:
        assert "the NPU's job failed" in str(error)


def test_an_image_for_another_npu_or_out_of_its_reach_is_refused(
    platform: Platform, compiled: CompiledNetwork, tmp_path: Path
) -> None:
    image = _linked(tmp_path, compiled)
    with pytest.raises(EthosmithError, match="its model is for ethos-u85-512"):
        _job(image, platform, "ethos-u85-256")
    far = tuple(
        region.replace(npu=False) if region.name == "DDR" else region for region in platform.regions
    )
    with pytest.raises(EthosmithError, match="in no memory that the NPU reaches"):
        _job(image, platform.replace(regions=far))
    wrong = replace(compiled, inputs=(replace(compiled.inputs[0], region=6),))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    job = _job(_linked(elsewhere, wrong), platform)
    with pytest.raises(EthosmithError, match="NPU region 6, which has no memory"):
        job.run(bytes(compiled.inputs[0].size_bytes))
