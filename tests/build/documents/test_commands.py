# SPDX-License-Identifier: Apache-2.0
"""Every command of README.md and docs/ is run here, or stands in a list with the reason."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.document_commands import commands, documents, shown_lines
from tests.support.networks.picture import picture_network
from tests.support.project_copy import KWS, ROOT, ProjectCopy

_TIME_LIMIT_S = 900
_LABELS = ("apple", "pear", "plum")
_FIRST_IMAGE = "build/fvp/ethos-u55-128-shared_sram/kws.axf"

# Too long for the default suite: run with -m slow.
_SLOW = {
    "./scons usecase=kws npu=ethos-u55-32,ethos-u55-256": "two configurations",
    "./scons usecase=kws npu=ethos-u55-64": "another configuration, as tests/build/rebuild has",
    "./scons usecase=kws npu=ethos-u55-256": "likewise",
    "./scons usecase=img_class model=my.tflite labels=my.txt samples=photos": "as with photos/",
    "./scons usecase=kws memory_mode=Shared_Sram,Sram_Only npu=ethos-u55-64,ethos-u55-256 sweep": (
        "four configurations"
    ),
    "./scons usecase=kws verify": "builds all anew",
    "./scons usecase=ad_compact accuracy stages": "answers the set four times",
    "./scons verify manifest=build/fvp/ethos-u55-128-shared_sram/kws_manifest.json": "the same",
    "./scons usecase=kws memory_mode=Shared_Sram,Sram_Only sweep": "ten configurations",
}
# Not carried out, for the reason given, but what `scons -n` checks of them is checked.
_PLANNED = {
    "./scons test": "runs this test",
    "./scons -j4": "builds every use case, as `./scons test` has before",
    "./scons size": "builds every use case",
    "./scons deps": "fetches; tests/faults and tests/component/obtain do",
    "./scons deps usecase=all": "fetches, likewise",
    "./scons deps usecase=kws runtime=tflm": "fetches, likewise",
    "./scons deps usecase=all runtime=tflm": "fetches, likewise",
    "./scons newest": "asks servers; tests/build/libraries/test_graph.py does with folders",
    "./scons deps offline=1": "would find the cache empty where these tests begin",
    "./scons usecase=asr train": "takes an hour",
    "./scons usecase=kws target=mps3 flash card=/media/V2M-MPS3": "needs the board's card",
    "./scons new usecase=fruit template=image model=fruit.keras labels=fruit.txt samples=photos": (
        "loads TensorFlow; tests/build/usecases/test_new_usecase.py reads a network"
    ),
}
# Run by another test, or not at all.
_ELSEWHERE = {
    "./scons upstream_tests npu=ethos-u55-128,ethos-u65-256": (
        "needs TFLM's sources; tests/component/verify/test_upstream_tests.py"
    ),
    "./scons usecase=inference_runner runtime=prebuilt model=my.tflite": (
        "tests/build/runtimes/test_prebuilt.py"
    ),
    "./scons usecase=inference_runner model=my.tflite": (
        "tests/build/runtimes/test_inference_runner.py"
    ),
    "./scons usecase=kws target=mps3": "tests/build/rebuild/test_card.py",
    "./scons usecase=kws model=net.py:build": "needs PyTorch; tests/build/pytorch",
    "./scons usecase=kws model=net.pt2": "likewise",
    "./scons usecase=inference_runner model=net.pt2": "likewise",
    "./scons usecase=inference_runner runtime=executorch model=net.pt2": "likewise",
    "./scons usecase=inference_runner runtime=executorch model=net.pte": "likewise",
    "./scons new usecase=waves template=pytorch": "likewise",
    "./scons usecase=waves train": "likewise",
    "./scons usecase=ad_pytorch accuracy": "likewise",
    "./scons usecase=ad_pytorch runtime=executorch": "likewise",
    "./scons usecase=ad_pytorch train": "likewise",
    "./scons usecase=waves runtime=direct,executorch": "likewise",
    "./scons usecase=waves npu=ethos-u65-256 pte": "likewise",
    "./scons usecase=kws model=net.onnx": "likewise",
    ".venv/bin/python -m ethosmith environment pytorch": "installs 1.4 GB",
    "python -m ethosmith environment pytorch": "likewise",
    ".venv/bin/python -m pytest -m slow tests/component/pytorch tests/build/pytorch": (
        "the slow tests themselves"
    ),
    "./scons usecase=kws target=mps3 verify_board port=/dev/ttyACM0": (
        "tests/build/usecases/test_hardware.py"
    ),
    "./scons usecase=kws target=mps3 verify_board port=/dev/ttyUSB1": "the same",
    "./scons target=mps3 monitor port=/dev/ttyUSB1": "tests/component/verify/test_serial_port.py",
    "./scons usecase=kws target=mps3 verify_log=board.log": "tests/build/usecases/test_hardware.py",
    "./scons usecase=kws board=alif-e7-hp export=kws_alif": "tests/build/usecases/test_hardware.py",
    "./scons usecase=kws model_image verify_log=board.log": (
        "tests/build/usecases/test_model_image.py"
    ),
    "./scons usecase=kws live": "tests/build/usecases/test_live.py",
    "./scons usecase=kws live evaluation=my_clips": "the same",
    "./scons usecase=kws accuracy evaluation=my_clips": "the same",
    "./scons usecase=asr train evaluation=my_clips": "takes an hour",
    "python -m benchmarks.live": "needs a quiet machine",
    "./scons kws build_type=debug debug": "waits for a debugger",
    "./scons kws build_type=debug vscode": "tests/unit/steps/test_write_vscode.py",
    "./scons watch kws": "tests/component/wrapper/test_watch.py",
    "./scons watch kws size npu=ethos-u55-64": "the same",
    "./scons doctor": "tests/component/wrapper/test_doctor.py",
    "./scons kws diff format=json > baseline.json": "a shell's redirection",
    "./scons usecase=kws accuracy diff": "tests/build/usecases/test_accuracy.py measures",
    "python -m benchmarks.npu_corpus --u85": "takes an hour",
    "./scons usecase=kws export=kws_library": "tests/build/usecases/test_export.py",
    "./scons usecase=all runtime=direct,tflm sweep": "needs TFLM's sources",
    "./scons usecase=door": "tests/build/usecases/test_add_a_use_case.py",
    "./scons usecase=door target=mps3": "of the same use case; target=mps3 is run here with kws",
    "./scons usecase=door model=other.h5 samples=photos": (
        "tests/build/usecases/test_bring_your_own.py"
    ),
    "./scons usecase=gesture": "tests/build/usecases/test_new_usecase.py",
    "./scons new usecase=gesture template=vector": "tests/build/usecases/test_new_usecase.py",
    "./scons new usecase=mine template=image": "with a network: run here",
    "./scons usecase=kws toolchain=clang": "tests/build/rebuild/test_clang.py",
    "./scons usecase=kws target=sse310": "tests/build/rebuild/test_clang.py",
    "./scons usecase=kws target=sse320": "tests/build/rebuild/test_clang.py",
    "./scons usecase=kws toolchain_path=/opt/gcc-arm-14.2": "tests/component/toolchains",
    "./scons -c": "would remove what the others share; tests/build/rebuild/test_rebuild.py",
    "./scons docs": "tests/component/documents/test_site.py",
    "./scons usecase=ad accuracy": "tests/build/usecases/test_accuracy.py",
    "./scons accuracy usecase=ad": "tests/build/usecases/test_accuracy.py",
    "./scons accuracy usecase=kws evaluation=speech_commands/test": "needs that data set",
    "pip install ethosmith": "tests/build/plugin installs the wheel",
    "pip install ./distributions/ethosu-model": "tests/component/distributions installs the wheel",
    "tools/check": "CI runs it",
    "tools/host_test trixie /var/tmp/trixie './scons usecase=kws target=fvp'": (
        "needs root, a mirror and half an hour; by hand"
    ),
    ".venv/bin/python -m tests.support.kills --kills 200 --seed 7": "tests/faults/test_kills.py",
    ".venv/bin/python -m tests.fuzz.firmware --seconds 600": "tests/fuzz/test_firmware.py",
    ".venv/bin/python -m tests.fuzz.readers wav -max_total_time=600": "needs atheris",
    ".venv/bin/python -m tests.support.campaigns samples --count 100000 --seed 7": (
        "takes minutes; tests/faults/test_campaigns.py"
    ),
    "python -m open_board -a program.axf --stat --count-calls"
    " _ZN6tflite16MicroInterpreter6InvokeEv": "needs Arm's firmware; tests/component/board",
    "./scons usecase=kws runtime=tflm tflm_dir=../tflite-micro": "needs TFLM's sources",
    "./scons usecase=kws runtime=direct,tflm sweep": "likewise; tests/build/tflm",
    "./scons usecase=inference_runner runtime=prebuilt npu=none,ethos-u55-128 sweep": (
        "tests/build/runtimes"
    ),
    "./scons usecase=inference_runner model=my.tflite samples=inputs/": (
        "tests/build/runtimes/test_inference_runner.py"
    ),
    ".venv/bin/python -m open_board"
    " -a build/fvp/ethos-u55-128-shared_sram/inference_runner.axf"
    " --data window.bin@0x92000000 --dump output.bin@0x93000000,10": (
        "tests/build/runtimes/test_inference_runner.py"
    ),
    "./scons sweep accuracy usecase=img_class model=networks/ runtime=direct,tflm"
    " budget=cycles:2M,flash:512KiB": "tests/unit/report/test_sweep.py",
    "./scons usecase=kws sweep steps=local:4": "tests/component/graph/test_remote_steps.py",
    "./scons usecase=kws sweep steps=tls://scheduler.example.org:8786"
    " cache=https://cache.example.org/ethosmith": "likewise",
    "python -m open_board -a program.axf --gdb 3333": "waits for a debugger",
    "python -m open_board --card /media/V2M-MPS3 --num-macs 128": "tests/component/board",
    "./scons usecase=kws target=fvp simulator=fvp": "needs Arm's FVP",
    "./scons usecase=all target=fvp simulator=fvp npu=ethos-u55-256": "likewise",
    "gdb-multiarch program.axf -ex 'target remote localhost:3333'": "tests/component/board",
    'pytest tests/component/npu_corpus -m "not slow"': "part of the tests",
    'pytest tests/component/npu_networks -m "not slow"': "part of the tests",
    "pytest tests/component/npu_networks -m slow": "part of the slow tests",
    "pytest tests/component/npu_fuzz -m slow": "part of the slow tests",
    ".venv/bin/python -m pytest -m slow -n auto --dist=loadfile": "the slow tests themselves",
    '.venv/bin/python -m pytest -m "long and not slow" -n auto --dist=loadfile': "CI runs it",
    ".venv/bin/python -m benchmarks.npu_corpus": "takes an hour",
    ".venv/bin/python -m benchmarks.build": "takes many minutes",
    ".venv/bin/python -m benchmarks.null_build": "measures; an environment of its own is needed",
    ".venv/bin/python -m benchmarks.rivals": "takes minutes",
    ".venv/bin/python -m benchmarks.live": "needs a quiet machine",
    ".venv/bin/python -m benchmarks.growth": "takes many minutes",
    "python -m benchmarks.npu_corpus": "takes an hour",
    "python -m benchmarks.npu_corpus --operator conv_2d": "takes minutes",
    "python -m benchmarks.npu_corpus --factor 5 --salt 1": "takes hours",
    "python -m benchmarks.npu_fuzz --minutes 10 --seed 7": "takes ten minutes",
    "python -m benchmarks.npu_speed": "takes minutes",
    "python -m benchmarks.u85_coverage": "tests/component/npu_u85",
    "python -m benchmarks.evaluation_shards": "takes minutes",
    "python -m benchmarks.evaluation_build": "takes minutes",
    "python -m benchmarks.remote_steps": "needs a quiet machine",
    "python -m benchmarks.scale_simulation": "takes a quarter of a minute",
}


def _run(project: ProjectCopy, command: str) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(command)
    if program in {"./scons", "scons"}:
        arguments = project.command(*words)
    else:
        assert Path(program).name == "python", command
        arguments = [sys.executable, *words]
    return subprocess.run(
        arguments,
        cwd=project.root,
        env=project.process_environment,
        capture_output=True,
        text=True,
        timeout=_TIME_LIMIT_S,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture(scope="module")
def project(built: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A project with a build of kws, and the files that readers are said to have."""
    copy = built.copy(tmp_path_factory.mktemp("documents") / "project").cached()
    (copy.root / "my.tflite").write_bytes(picture_network(32, 32, len(_LABELS)))
    copy.write(KWS, (ROOT / KWS).read_text("utf-8"))
    copy.write("my.txt", "\n".join(_LABELS) + "\n")
    (copy.root / "photos").mkdir()
    pixels = np.random.default_rng(5).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(copy.root / "photos" / "one.png")
    shutil.copyfile(copy.root / _FIRST_IMAGE, copy.root / "program.axf")
    # The step that a reader of docs/add-a-step.md writes.
    _, _, code = documents()["docs/add-a-step.md"].partition("```python\n")
    copy.write("my_steps/crop_weights.py", code.partition("```")[0])
    np.save(copy.root / "net.npy", np.array([0.001, 1.0]))
    return copy


def test_the_lists_name_commands_of_the_documents_and_each_once() -> None:
    listed = [*_SLOW, *_PLANNED, *_ELSEWHERE]
    assert sorted(set(listed) - set(commands())) == [], "no document says these any more"
    assert len(listed) == len(set(listed))


_CARRIED_OUT = [one for one in commands() if one not in {**_SLOW, **_PLANNED, **_ELSEWHERE}]


@pytest.mark.long
@pytest.mark.parametrize("command", _CARRIED_OUT)
def test_every_other_command_does_what_it_says(project: ProjectCopy, command: str) -> None:
    done = _run(project, command)
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"


@pytest.mark.parametrize("command", _PLANNED)
def test_a_command_that_is_not_carried_out_is_understood(
    project: ProjectCopy, command: str
) -> None:
    done = _run(project, f"{command} -n")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", _SLOW)
def test_a_long_command_does_what_it_says(project: ProjectCopy, command: str) -> None:
    done = _run(project, command)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def said(project: ProjectCopy) -> str:
    """All that a run of kws says."""
    return project.build("usecase=kws", "run", "verbose=1").stdout


@pytest.mark.long
@pytest.mark.parametrize("document", ["README.md", "docs/tutorial.md", "docs/outputs.md"])
def test_a_document_shows_what_the_device_says(said: str, document: str) -> None:
    shown = shown_lines(document)
    assert len(shown) >= 2
    for line in shown:
        assert line in said, f"{document} shows another line"


def test_the_manifest_s_description_has_its_keys(built: ProjectCopy) -> None:
    made = json.loads(built.read(_FIRST_IMAGE.replace(".axf", "_manifest.json")))
    _, _, section = documents()["docs/outputs.md"].partition("## The manifest")
    for key in made:
        assert f"| `{key}` |" in section
