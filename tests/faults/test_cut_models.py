# SPDX-License-Identifier: Apache-2.0
"""A model file that was cut, or whose end is zeros, is refused wherever it was cut."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

_CUTS_PER_KIND = 40
_ZEROED_PER_KIND = 12
_READ_LIMIT_S = 3

# One process for all cuts: starting TensorFlow takes longer than the test. The name goes first,
# so that a crash of a reader's native code is told with the file that caused it.
_TRY_ALL = """
import json, os, sys
from pathlib import Path
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow
from ethosmith.core.errors import EthosmithError
from ethosmith.models import keras_file
from ethosmith.models.int8_check import check_int8
from ethosmith.models.keras_file import converter_for
from ethosmith.models.input_shape import fitting_shape

keras_file.READ_LIMIT_S = float(sys.argv[1])
for path in map(Path, json.load(sys.stdin)):
    said = []
    read = check_int8 if path.suffix == ".tflite" else converter_for
    for look in (read, lambda path: fitting_shape(path, ["any"], "usecase.yaml")):
        try:
            look(path)
            said.append("taken")
        except EthosmithError as error:
            said.append(str(error))
    print(json.dumps([str(path), *said]), flush=True)
"""


@pytest.fixture(scope="module")
def whole(networks: Path) -> list[Path]:
    return [networks / name for name in ("small.h5", "small.keras", "reversed_int8.tflite")]


def _places(size: int, random_: random.Random) -> list[int]:
    """Return lengths to cut to: at the ends, at powers of two (blocks, headers), and anywhere."""
    ends = [0, 1, 3, 4, 7, 8, 9, size - 1, size - 2, size - 8, size - 22, size - 23]
    powers = [1 << n for n in range(4, 24)]
    anywhere = [random_.randrange(size) for _ in range(_CUTS_PER_KIND)]
    return sorted({place for place in (*ends, *powers, *anywhere) if 0 <= place < size})


def _cut_files(whole: list[Path], folder: Path) -> list[Path]:
    random_ = random.Random(1)  # noqa: S311 a fixed seed, no secret
    files = []
    for model in whole:
        data = model.read_bytes()
        places = _places(len(data), random_)
        # An interrupted copy; an interrupted download into a file of the final size.
        contents = {f"cut{place}": data[:place] for place in places}
        for place in random_.sample([p for p in places if p < len(data) / 2], _ZEROED_PER_KIND):
            contents[f"zeros{place}"] = data[:place] + bytes(len(data) - place)
        for name, content in contents.items():
            files.append(folder / f"{name}{model.suffix}")
            files[-1].write_bytes(content)
    return files


def _read_all(files: list[Path]) -> tuple[dict[str, list[str]], list[Path]]:
    """Return what was said of each file, and the files whose reader hung."""
    said: dict[str, list[str]] = {}
    hung: list[Path] = []
    while left := files[len(said) + len(hung) :]:
        done = subprocess.run(
            [sys.executable, "-c", _TRY_ALL, str(_READ_LIMIT_S)],
            input=json.dumps([str(path) for path in left]),
            capture_output=True,
            text=True,
            check=False,
        )
        now = [json.loads(line) for line in done.stdout.splitlines()]
        said |= {name: rest for name, *rest in now}
        if done.returncode == -signal.SIGPROF:
            hung.append(left[len(now)])
        else:
            assert done.returncode == 0, f"{left[len(now)]}: {done.stderr[-2000:]}"
    return said, hung


def test_no_cut_model_is_taken_and_none_crashes_its_reader(
    whole: list[Path], tmp_path: Path
) -> None:
    files = _cut_files(whole, tmp_path)
    said, hung = _read_all([*whole, *files])
    assert [said[str(path)][0] for path in whole] == ["taken"] * len(whole)
    for path in files:
        for message in said.get(str(path), []):
            assert message.startswith(f"{path}: "), (path, message)
            assert "\n" not in message, (path, message)
    # One of HDF5's own loops, which the time limit ends.
    assert all(path.name.startswith("zeros") and path.suffix == ".h5" for path in hung)
    assert len(hung) <= 3
