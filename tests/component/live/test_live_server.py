# SPDX-License-Identifier: Apache-2.0
"""The page's server without a browser: who is let in, and what a message may be."""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ethosmith.core.errors import EthosmithError
from ethosmith.lib.sample_formats import SampleForm
from ethosmith.lib.sound import SoundSpec
from ethosmith.live.answers import Desk
from ethosmith.live.board import LiveAnswer, LiveBoard
from ethosmith.live.server import Site, listening_socket, page_address, server
from ethosmith.live.uploads import MAX_MESSAGE_BYTES, Clips, Taken
from ethosmith.models.tensor_spec import NetworkSpec, TensorSpec
from ethosmith.verify.uart_log import DeviceSample
from tests.support.project_copy import ROOT

_WAV = (ROOT / "usecases/kws/samples/down.wav").read_bytes()
_ONE = TensorSpec("x", "int8", (1, 2), 0.5, -1)


class _FakeBoard:
    """Answers with the size of what it got; dies of the name that ends in 13."""

    def boot(self) -> str:
        return "booted\n"

    def answer(self, name: str, data: bytes) -> LiveAnswer:
        if name == "live-13":
            raise EthosmithError("the board stopped: fault: MemManage")
        counts = {"npu_cycles": len(data)}
        return LiveAnswer(DeviceSample(name, "down", "0.5000", counts, ["05ff"]), b"\1\2", ())


class Served(NamedTuple):
    page: str
    clips: Path

    @property
    def origin(self) -> str:
        return "/".join(self.page.split("/")[:3])

    def socket(self, **settings: Any) -> ClientConnection:
        address = self.page.replace("http:", "ws:") + "socket"
        given: dict[str, Any] = {"origin": self.origin, "proxy": None, **settings}
        return cast(ClientConnection, connect(address, **given))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    labels = ("yes", "down")
    clips = tmp_path_factory.mktemp("live") / "clips"
    desk = Desk(
        board=cast(LiveBoard, _FakeBoard()),
        taken=Taken((".wav",), labels, SampleForm(SoundSpec(16000, max_s=2.0))),
        network=NetworkSpec((_ONE,), (_ONE,)),
        clips=Clips(clips, labels),
        facts={"usecase": "kws"},
    )
    site = Site.with_new_token(desk.hello, desk.answer)
    with listening_socket() as listener:
        running = server(site, listener)
        task = running.serve(sockets=[listener])
        thread = threading.Thread(target=lambda: asyncio.run(task))
        thread.start()
        while not running.started:
            time.sleep(0.01)
        yield Served(page_address(site, listener), clips)
        running.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def _get(address: str, **headers: str) -> requests.Response:
    with requests.Session() as http:
        http.trust_env = False
        return http.get(address, headers=headers, timeout=10)


def _message(data: bytes = _WAV, **header: Any) -> bytes:
    values = {"task": "answer", "number": 1, "name": "a.wav", "label": "", **header}
    text = json.dumps(values).encode()
    return struct.pack("<I", len(text)) + text + data


def _said(socket: ClientConnection, message: bytes) -> dict[str, Any]:
    socket.send(message)
    answer: dict[str, Any] = json.loads(socket.recv(timeout=20))
    return answer


def test_the_page_is_whole_and_may_load_nothing_from_elsewhere(served: Served) -> None:
    answer = _get(served.page)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy and "*" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "http://" not in answer.text and "https://" not in answer.text
    for name in ("page.js", "style.css", "capture.js"):
        assert _get(served.page + name).status_code == 200
    assert _get(served.page + "page.js").headers["content-type"].startswith("text/javascript")


def test_who_does_not_know_the_token_is_refused(served: Served) -> None:
    for path in ("/", "/page.js", "/socket", "/wrong/", f"/{'x' * 32}/page.js"):
        answer = _get(served.origin + path)
        assert answer.status_code == 403
        assert answer.text == "refused: use the address that the terminal shows\n"
    for path in ("../page.js", "%2e%2e/%2e%2e/etc/passwd", "..%2fserver.py", "server.py"):
        assert _get(served.page + path).status_code in {403, 404}


def test_another_host_or_origin_is_refused(served: Served) -> None:
    """A page that makes its own name lead to 127.0.0.1, and one that asks from its own origin."""
    port = served.origin.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.nip.io:{port}"):
        assert _get(served.page, Host=host).text == "refused: another host\n"
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        f"https://127.0.0.1:{port}",
    ):
        answer = _get(served.page, Origin=origin)
        assert (answer.status_code, answer.text) == (403, "refused: another origin\n")
        with pytest.raises(InvalidStatus) as refused:
            served.socket(origin=origin)
        assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        served.socket(origin=None)
    assert refused.value.response.status_code == 403


def test_an_answer_comes_with_scores_cycles_and_features(served: Served) -> None:
    with served.socket() as socket:
        hello = json.loads(socket.recv(timeout=20))
        assert (hello["kind"], hello["usecase"], hello["boot"]) == ("hello", "kws", "booted\n")
        answer = _said(socket, _message(number=7))
    assert (answer["kind"], answer["number"], answer["answer"]) == ("answer", 7, "down")
    assert answer["counts"]["npu_cycles"] == 2 * 16000
    assert answer["scores"] == [[3.0, 0.0]]
    assert answer["features"] == ["AQI="]


def test_what_cannot_be_answered_has_a_cause_and_the_page_goes_on(served: Served) -> None:
    with served.socket() as socket:
        socket.recv(timeout=20)
        for message, cause in (
            (_message(number=13), "the board stopped: fault: MemManage"),
            (_message(b"no sound"), "a.wav: not a WAV or FLAC file; convert it: ffmpeg"),
            (_message(name="a.exe"), "a.exe: expected a file of .wav"),
            (_message(_WAV, task="format"), "the page asks for something that"),
            (b"\xff\xff\xff\xffx", "the message has no header"),
            (b"", "the message has no header"),
            (struct.pack("<I", 2) + b"[]", "the message's header is not what the page sends"),
        ):
            said = _said(socket, message)
            assert said["kind"] == "problem"
            assert said["text"].startswith(cause), said
        assert _said(socket, _message())["kind"] == "answer"


def test_a_message_that_is_too_large_or_no_bytes_ends_the_connection(served: Served) -> None:
    for message in (bytes(MAX_MESSAGE_BYTES + 1), "text"):
        with served.socket() as socket:
            socket.recv(timeout=20)
            with pytest.raises(ConnectionClosed) as closed:
                _said(socket, cast(bytes, message))
        code = closed.value.rcvd.code if closed.value.rcvd is not None else None
        # The server may be gone before all of a large one is sent.
        assert code in {1009, None} if isinstance(message, bytes) else code == 1008
    with served.socket() as socket:
        socket.recv(timeout=20)
        assert _said(socket, _message(bytes(MAX_MESSAGE_BYTES - 1000)))["kind"] == "problem"


def test_clips_are_kept_below_their_label_and_nowhere_else(served: Served) -> None:
    with served.socket() as socket:
        socket.recv(timeout=20)
        for number in (1, 2):
            kept = _said(socket, _message(task="keep", label="down"))
            assert kept["path"] == str(served.clips / f"down/clip-{number:04}.wav")
            assert Path(kept["path"]).read_bytes() == _WAV
        for label in ("../down", "up", "", "/etc", "down/../../x"):
            said = _said(socket, _message(task="keep", label=label))
            assert said["text"].startswith("unknown label "), said
        said = _said(socket, _message(b"no sound", task="keep", label="down"))
        assert "not a WAV or FLAC file" in said["text"]
    found = sorted(path.name for path in served.clips.rglob("*"))
    assert found == ["clip-0001.wav", "clip-0002.wav", "down"]


@pytest.mark.parametrize("label", ["../x", "..", ".hidden", "a/b", "a\\b", 'a"b', "", "x" * 65])
def test_a_free_label_is_no_path(tmp_path: Path, label: str) -> None:
    """Where the use case names no labels, any text is one."""
    clips = Clips(tmp_path / "clips", ())
    with pytest.raises(EthosmithError, match="is not a label: 1 to 64 characters"):
        clips.keep(b"x", label, ".wav")
    assert clips.keep(b"x", "turn on the light", ".wav").parent.name == "turn on the light"
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


_SERVING = """
from ethosmith.live.server import Site, listening_socket, page_address, serve
site = Site(dict, lambda upload: {}, "t")
with listening_socket() as listener:
    print(page_address(site, listener), flush=True)
    serve(site, listener)
"""
_STARTING = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def test_the_server_ends_with_the_command_that_started_it() -> None:
    command = [sys.executable, "-c", _STARTING, _SERVING]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        page = started.stdout.readline().strip()
        deadline_s = time.monotonic() + 30
        while requests.get(page, timeout=5).status_code != 200:
            assert time.monotonic() < deadline_s
        started.kill()
        # The server holds the pipe open as long as it runs.
        assert started.stdout.read() == ""
    with pytest.raises(requests.ConnectionError):
        requests.get(page, timeout=5)
