# SPDX-License-Identifier: Apache-2.0
"""Another model for an image that stays as it is: made alone, run by the old image, verified."""

from __future__ import annotations

import pytest

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.core.files import write_bytes
from ethosmith.verify.simulator import choose_simulator
from open_board.job import BoardJob, DataFile
from tests.conftest import NewCopy
from tests.support.changes import DESCRIPTOR

_STEM = "build/fvp/ethos-u55-128-shared_sram/kws"


@pytest.mark.long
def test_a_new_model_runs_on_the_old_image(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    old = project.read_bytes(f"{_STEM}.axf")
    project.replace(
        DESCRIPTOR,
        "representative: samples",
        "representative: {seed: 1, count: 4, high: 255.0}",
    )
    made = project.build("usecase=kws", "model_image")
    assert made.steps == {
        "QUANTISE build/usecases/kws/ds_cnn_int8.tflite",
        "VELA ds_cnn ethos-u55-128 Shared_Sram",
        f"GENERATE {_STEM}_model.bin",
    }
    assert f"{_STEM}_model.bin: load it at 0x7f000000 before the start of kws.axf" in made.text
    assert project.read_bytes(f"{_STEM}.axf") == old

    accelerator = parse_accelerator("ethos-u55-128")
    model = DataFile(project.root / f"{_STEM}_model.bin", 0x7F000000)
    job = BoardJob(accelerator=accelerator, axf=project.root / f"{_STEM}.axf", data=(model,))
    result = choose_simulator("open", accelerator).run(job)
    assert result.passed
    write_bytes(project.root / "board.log", result.uart)
    # The samples are no data for this network's quantisation: some answers may be wrong.
    verified = project.scons("usecase=kws", "model_image", "verify_log=board.log")
    assert (
        "equal to the host, but wrong" in verified.text or "equal, byte for byte" in verified.text
    )
    assert "differs from the host's" not in verified.text
    assert "is of another" not in verified.text
    # Beside the new image it is the log of another one.
    other = project.scons("usecase=kws", "verify_log=board.log")
    assert other.exit_code == 2
    assert "board.log:1: the log is of another image: its hash is " in other.text
    goes_alone = project.scons("usecase=kws", "size", "verify_log=board.log")
    assert "verify_log= goes alone, or with the target model_image" in goes_alone.text
