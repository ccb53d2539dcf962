# SPDX-License-Identifier: Apache-2.0
"""The page of ``live`` by the real scons and a browser: it shows what the command line shows."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ethosmith.accuracy.evaluation_set import Accepted, items_of_folder
from ethosmith.accuracy.host_answers import host_answers
from ethosmith.core.files import read_json
from ethosmith.lib.sample_formats import SampleForm
from ethosmith.lib.sound import SoundSpec
from ethosmith.verify.host_network import HostNetwork
from ethosmith.verify.uart_log import read_log
from tests.conftest import NewCopy
from tests.support.browser import Browser, browser
from tests.support.project_copy import ProjectCopy

_RESULT = "build/fvp/ethos-u55-128-shared_sram/kws_result.json"
_FAKES = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
_WORD = "usecases/kws/samples/down.wav"


@contextmanager
def _serving(project: ProjectCopy, *words: str) -> Iterator[str]:
    """Run ``live``, yield the page's address, and end it as Ctrl-C does."""
    with subprocess.Popen(
        project.command(*words, "live"),
        cwd=project.root,
        env=project.process_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if line.startswith("http://"):
                    yield line.strip()
                    break
            else:
                raise AssertionError("".join(said))
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=60)
    # Nothing is left of it: neither the server, nor QEMU, which has a session of its own.
    axf = f"{project.root}/build".encode()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = place.read_bytes()
        except OSError:
            continue
        assert b"serve-live" not in command or axf not in command
        cwd = place.with_name("cwd")
        assert b"_live.axf" not in command or cwd.resolve() != project.root.resolve()


def _text(page: Browser, name: str) -> str:
    return str(page.run("return document.getElementById(arguments[0]).textContent", name))


def _drop(page: Browser, *paths: Path) -> dict[str, tuple[str, str]]:
    """Give the page files; return answer and score of each, as the page shows them."""
    page.choose_files("#files", *paths)
    page.wait_for(
        f"return document.querySelectorAll('#log tr').length === {len(paths)}"
        " || !document.getElementById('problem').hidden"
    )
    script = "return [...document.querySelectorAll('#log tr')].map("
    rows = page.run(script + "(row) => [...row.cells].map((cell) => cell.textContent))")
    return {row[0]: (row[1], row[2]) for row in rows}


@pytest.mark.long
def test_the_page_says_what_the_command_line_says(copy_of_built: NewCopy, tmp_path: Path) -> None:
    project = copy_of_built()
    samples = {one.name: one for one in read_log(read_json(project.root / _RESULT)["uart"])}
    microphone = f"--use-file-for-fake-audio-capture={project.root / _WORD}"
    with (
        _serving(project, "usecase=kws", "evaluation=clips") as address,
        browser(tmp_path / "profile", *_FAKES, microphone) as page,
    ):
        page.open(address)
        page.wait_for("return document.getElementById('status').className === 'ready'")

        assert _text(page, "identity").startswith("identity: image=")
        names = ("down", "go", "stop")
        files = [project.root / f"usecases/kws/samples/{name}.wav" for name in names]
        assert _drop(page, *files) == {
            f"{name}.wav": (samples[name].answer, samples[name].score) for name in names
        }
        assert "int8 1\u00d750\u00d710\u00d71" in _text(page, "features-note")
        assert f"{samples['stop'].counts['npu_cycles']:,}" in _text(page, "npu")

        # The browser's microphone says the same word again and again.
        page.run("document.getElementById('listen').click()")
        page.wait_for("return document.getElementById('answer').textContent === 'down'")
        assert "s on the board" in _text(page, "latency")
        page.run("document.getElementById('listen').click()")

        recorded = _record(page)
        _keep(page, "down")
        for width in (390, 1366):
            page.show(width, "light")
            assert page.run("return document.documentElement.scrollWidth") <= width
        assert not page.console()

    assert [(recorded["answer"], recorded["score"])] == _host_answers(project, "clips")


def _record(page: Browser) -> dict[str, Any]:
    page.run("document.getElementById('record-short').click()")
    page.wait_for("return document.querySelector('#log td').textContent === 'recording.wav'")
    row = page.run("return [...document.querySelector('#log tr').cells].map((c) => c.textContent)")
    return {"answer": row[1], "score": row[2]}


def _keep(page: Browser, label: str) -> None:
    page.run("document.getElementById('label-of').value = arguments[0]", label)
    page.run("document.querySelector('#keep button').click()")
    page.wait_for("return document.getElementById('kept').textContent.startsWith('Kept as ')")


def _host_answers(
    project: ProjectCopy, folder: str, usecase: str = "kws", suffix: str = ".wav"
) -> list[tuple[str, str]]:
    """Return what the host answers to the clips of a folder, as ``accuracy`` reads it."""
    accepted = Accepted((suffix,), (), SampleForm(SoundSpec(16000)))
    items = items_of_folder(project.root / folder, accepted)
    outputs = project.root / "build/usecases" / usecase
    (path,) = outputs.glob("*_int8.tflite")
    network, program = HostNetwork.int8(path, "sample"), outputs / f"host/{usecase}_host"
    return [(one.answer, one.score) for one in host_answers(network, program, items).items]


def _video(picture: Path, target: Path) -> str:
    """Write a film of one picture, and return the switch that makes it the camera's."""
    with Image.open(picture) as file:
        planes = file.convert("RGB").resize((640, 480)).convert("YCbCr").split()
    small = [planes[0], *(plane.resize((320, 240)) for plane in planes[1:])]
    frame = b"FRAME\n" + b"".join(plane.tobytes() for plane in small)
    target.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + 10 * frame)
    return f"--use-file-for-fake-video-capture={target}"


@pytest.mark.slow
def test_the_camera_s_picture_is_answered_as_its_file_is(tmp_path: Path) -> None:
    project = ProjectCopy.fresh(tmp_path / "a project").cached()
    with _serving(project, "usecase=vww", "evaluation=clips") as address:
        (picture,) = (project.root / "build/usecases/vww/samples/astronaut").iterdir()
        film = _video(picture, tmp_path / "film.y4m")
        with browser(tmp_path / "profile", *_FAKES, film) as page:
            page.open(address)
            page.wait_for("return document.getElementById('status').className === 'ready'")
            page.run("document.getElementById('watch').click()")
            page.wait_for("return document.getElementById('answer').textContent === 'person'")
            page.run("document.getElementById('watch').click()")
            page.run("document.getElementById('shoot').click()")
            page.wait_for("return document.querySelector('#log td')?.textContent === 'picture.png'")
            row = page.run(
                "return [...document.querySelector('#log tr').cells].map((c) => c.textContent)"
            )
            _keep(page, "person")
    assert [(row[1], row[2])] == _host_answers(project, "clips", "vww", ".png")


def test_live_needs_one_image_that_the_open_board_runs(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    project.write("listed/labels.csv", "file,label\n")
    for words, problem in (
        (("live",), "live takes one image, not "),
        (("usecase=kws", "simulator=fvp", "live"), "live runs on the open board"),
        (("usecase=kws", "port=/dev/ttyACM0", "live"), "port=/dev/ttyACM0: live takes the number"),
        (("usecase=kws", "evaluation=listed", "live"), "listed: lists its labels in labels.csv"),
    ):
        outcome = project.scons(*words)
        assert outcome.exit_code == 2
        assert f"error: {problem}" in outcome.text
