# SPDX-License-Identifier: Apache-2.0
"""Pictures: resized as Pillow does it, labels ranked as softmax says."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from ethosmith.core.errors import EthosmithError
from ethosmith.lib.sample_formats import read_sample
from tests.support.host_build import HostProgram, descriptor, host_program

# Width and height: downwards by whole and odd factors, both proportions, upwards, one pixel.
_SIZES = ((64, 64), (97, 61), (33, 150), (640, 47), (20, 15), (1, 1), (96, 97))
# Pillow divides in fixed point, so it can be one step of a byte off.
_STEPS_APART = 1
_USECASE = descriptor("img_class")


def _noise(size: tuple[int, int]) -> Image.Image:
    random = np.random.default_rng(size[0] * 1000 + size[1])
    pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _sample(image: Image.Image) -> bytes:
    return struct.pack("<II", *image.size) + image.tobytes()


@pytest.fixture(scope="module", params=["stretch", "crop"])
def resizing(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    host_objects: tuple[Path, ...],
) -> tuple[str, HostProgram]:
    fit = str(request.param)
    program = host_program(
        tmp_path_factory.mktemp(fit),
        _USECASE,
        [_sample(_noise(size)) for size in _SIZES],
        parameters={"fit": fit, "pixel_offset": 0, "pixel_divisor": 1},
        objects=host_objects,
    )
    return fit, program


@pytest.mark.parametrize("target", [(32, 32), (24, 40)])
def test_resized_as_pillow_does(resizing: tuple[str, HostProgram], target: tuple[int, int]) -> None:
    fit, program = resizing
    for index, size in enumerate(_SIZES):
        got = program.preprocess(index, (1, target[1], target[0], 3))[0]
        image = _noise(size)
        part = image.crop(_middle(size, target)) if fit == "crop" else image
        wanted = np.asarray(_area_average(part, target), np.float32)
        assert np.abs(got - wanted).max() <= _STEPS_APART, size


def _area_average(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    # Pillow averages whole pixels only, so each is first repeated until the factors are whole.
    finer = (image.width * target[0], image.height * target[1])
    return image.resize(finer, Image.Resampling.NEAREST).reduce(image.size)


def _middle(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int, int, int]:
    (width, height), (wide, high) = size, target
    if width * high > height * wide:
        part = (max(1, height * wide // high), height)
    else:
        part = (width, max(1, width * high // wide))
    left, top = (width - part[0]) // 2, (height - part[1]) // 2
    return left, top, left + part[0], top + part[1]


def test_bytes_are_scaled_as_the_descriptor_says(
    tmp_path: Path, host_objects: tuple[Path, ...]
) -> None:
    grey = Image.new("RGB", (8, 8), (0, 128, 255))
    program = host_program(tmp_path, _USECASE, [_sample(grey)], objects=host_objects)
    got = program.preprocess(0, (1, 4, 4, 3))
    assert np.array_equal(np.unique(got), np.array([-1, 0, 127 / 128], np.float32))


@pytest.mark.parametrize("shape", ["32x32x3", "1x32x32x1", "3072"])
def test_a_network_without_a_picture_for_input_is_refused(ranking: HostProgram, shape: str) -> None:
    ran = ranking.refused("preprocess", "0", "float32", "1", "0", shape)
    assert ran.returncode != 0 and f"has {shape}, 1 x height x".encode() in ran.stderr


def test_damaged_pictures_are_refused(tmp_path: Path, host_objects: tuple[Path, ...]) -> None:
    whole = _sample(_noise((8, 8)))
    huge = struct.pack("<II", 1 << 31, 1 << 31)
    damaged = [whole[:-1], whole + b"\0", whole[:7], struct.pack("<II", 0, 8), huge]
    program = host_program(tmp_path, _USECASE, damaged, objects=host_objects)
    for index in range(len(damaged)):
        ran = program.refused("preprocess", str(index), "float32", "1", "0", "1x4x4x3")
        assert b"the sample is not a picture" in ran.stderr


LABELS = ["a", "b b", "c", "d", "e", "f", "g"]


@pytest.fixture(scope="module")
def ranking(
    tmp_path_factory: pytest.TempPathFactory, host_objects: tuple[Path, ...]
) -> HostProgram:
    folder = tmp_path_factory.mktemp("ranking")
    sample = _sample(_noise((8, 8)))
    return host_program(folder, _USECASE, [sample], labels=LABELS, objects=host_objects)


def _expected(probabilities: npt.NDArray[np.float64]) -> str:
    order = np.argsort(-probabilities, kind="stable")[:5]
    ranked = " ".join(f'"{LABELS[i]}"={probabilities[i]:.4f}' for i in order)
    return f'answer="{LABELS[order[0]]}" score={probabilities[order[0]]:.4f}\ntop {ranked}\n'


@pytest.mark.parametrize("seed", range(8))
def test_logits_go_through_softmax(ranking: HostProgram, seed: int) -> None:
    from scipy.special import softmax

    logits = np.random.default_rng(seed).normal(0, 6, (1, 7)).astype(np.float32)
    said = ranking.postprocess(logits)
    assert said == _expected(softmax(logits[0].astype(np.float64)))


def test_probabilities_are_taken_as_they_are(ranking: HostProgram) -> None:
    stored = np.array([[-128, 20, 20, 127, -3, -4, -5]], np.int8)
    said = ranking.postprocess(stored, scale=1 / 256, zero_point=-128)
    assert said == _expected((stored[0].astype(np.float64) + 128) / 256)


def test_extreme_logits_stay_finite(ranking: HostProgram) -> None:
    logits = np.array([[3e38, -3e38, 0, 1, 2, 3, 4]], np.float32)
    assert ranking.postprocess(logits).startswith('answer="a" score=1.0000\n')


def test_another_number_of_outputs_than_labels_is_refused(ranking: HostProgram) -> None:
    ran = ranking.refused("postprocess", "float32", "1", "0", "1x6", given=bytes(24))
    assert b"has 1x6, one score for each label expected" in ran.stderr


def test_pictures_become_upright_rgb(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 2), "red")
    image.putpixel((0, 0), (0, 0, 255))
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held sideways: turn by 90 degrees
    image.save(tmp_path / "turned.png", exif=turned)
    data = read_sample(tmp_path / "turned.png", "image")
    assert struct.unpack("<II", data[:8]) == (2, 4)
    assert data[8:14] == b"\xff\0\0\0\0\xff"


def test_transparent_and_grey_pictures_become_rgb(tmp_path: Path) -> None:
    Image.new("RGBA", (1, 1), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    assert read_sample(tmp_path / "clear.png", "image")[8:] == b"\xff\xff\xff"
    Image.new("L", (1, 1), 7).save(tmp_path / "grey.png")
    assert read_sample(tmp_path / "grey.png", "image")[8:] == b"\7\7\7"


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("not a picture", "utf-8")
    with pytest.raises(EthosmithError, match=r"notes\.png: not a picture of a known"):
        read_sample(path, "image")
