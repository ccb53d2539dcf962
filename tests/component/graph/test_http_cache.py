# SPDX-License-Identifier: Apache-2.0
"""The build cache on a server: a real nginx over TLS, and servers that are slow, broken or lie."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of
from ethosmith.graph.build_cache import BuildCache, cache_folder, cache_server
from ethosmith.graph.cache_entry import DamagedEntry, Trust
from ethosmith.graph.http_cache import HttpCache, server_line
from ethosmith.graph.http_server import TOKEN_VARIABLE, WAIT_VARIABLE, CacheServer
from tests.support.nginx import TOKEN, Nginx, nginx

_KEY = "3f" * 32
_GROUP = Trust(b"a key that a group of people has")
_STRANGERS = Trust(b"a key that nobody here has known")


@dataclass
class Machine:
    """One machine: its folder of the cache, what is behind it, and what its builds said."""

    local: BuildCache
    cache: HttpCache
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls, folder: Path, url: str, trust: Trust = _GROUP, token: str = "", wait_s: float = 20.0
    ) -> Machine:
        notes: list[str] = []
        local = BuildCache(folder / "cache", trust)
        server = CacheServer(url, token, wait_s)
        return cls(local, HttpCache(server, local, trust, notes.append), notes)

    def fetch(self, targets: list[Path]) -> bool:
        """Do what a build does where a step's outputs are missing."""
        return self.cache.fetch(_KEY, targets) and self.local.fetch(_KEY, targets)


def made(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(f"the content of {name}")
        (folder / name).chmod(0o755 if name == "program" else 0o644)
    return [folder / name for name in names]


def written(folder: Path, url: str, *names: str, trust: Trust = _GROUP) -> Machine:
    """Let CI write a step; return CI."""
    ci = Machine.of(folder, url, trust, TOKEN)
    targets = made(folder / "made", *names)
    ci.local.keep(_KEY, targets)
    ci.cache.keep(_KEY, targets)
    ci.cache.finish()
    return ci


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


@pytest.fixture(autouse=True)
def trusting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "server" in request.fixturenames:
        running = request.getfixturevalue("server")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.authority))
        for path in sorted(running.kept.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


def test_what_ci_writes_another_machine_takes_over_tls(server: Nginx, tmp_path: Path) -> None:
    ci = written(tmp_path / "ci", server.url, "object", "program")
    assert ci.notes == []
    reader = Machine.of(tmp_path / "reader", server.url)
    targets = [tmp_path / "new" / name for name in ("object", "program")]
    assert reader.fetch(targets)
    assert [path.read_text() for path in targets] == [
        "the content of object",
        "the content of program",
    ]
    assert [stat.S_IMODE(path.stat().st_mode) for path in targets] == [0o644, 0o755]
    # The folder in front has it now: nothing is asked for twice.
    before = len(server.requests())
    assert reader.local.fetch(_KEY, targets)
    assert len(server.requests()) == before
    assert not reader.cache.fetch("00" * 32, targets)
    assert reader.notes == []


def test_files_that_are_there_are_not_sent_again(server: Nginx, tmp_path: Path) -> None:
    written(tmp_path / "first", server.url, "object", "program")
    before = len(server.requests())
    written(tmp_path / "second", server.url, "object", "program")
    methods = [request.split(" ")[0] for request in server.requests()[before:]]
    assert methods == ["HEAD", "HEAD", "PUT"]


def test_only_ci_writes(server: Nginx, tmp_path: Path) -> None:
    reader = Machine.of(tmp_path / "reader", server.url)
    targets = made(tmp_path / "made", "object")
    reader.local.keep(_KEY, targets)
    reader.cache.keep(_KEY, targets)
    reader.cache.finish()
    assert list(server.kept.rglob("*")) == []
    thief = Machine.of(tmp_path / "thief", server.url, token="guessed")  # noqa: S106
    thief.local.keep(_KEY, targets)
    thief.cache.keep(_KEY, targets)
    thief.cache.finish()
    assert list(server.kept.rglob("*")) == []
    (note,) = thief.notes
    assert "it answered 403" in note
    assert "guessed" not in note


@pytest.mark.parametrize("trust", [Trust(), _STRANGERS])
def test_code_is_taken_with_the_group_s_signature_only(
    server: Nginx, tmp_path: Path, trust: Trust
) -> None:
    written(tmp_path / "ci", server.url, "program", trust=trust)
    # Without the key, nothing that is code is even written.
    reader = Machine.of(tmp_path / "reader", server.url)
    assert not reader.fetch([tmp_path / "new" / "program"])
    assert not (tmp_path / "new").exists()
    expected = ["is signed with another key"] if trust.has_key else []
    assert [text for text in expected if text in reader.notes[0]] == expected
    written(tmp_path / "data", server.url, "table.json", trust=trust)
    assert reader.fetch([tmp_path / "new" / "table.json"])


def test_an_entry_that_was_moved_to_another_step_is_not_taken(
    server: Nginx, tmp_path: Path
) -> None:
    written(tmp_path / "ci", server.url, "program")
    other = "5a" * 32
    place = server.kept / "steps" / _KEY[:2] / _KEY
    moved = server.kept / "steps" / other[:2] / other
    moved.parent.mkdir(parents=True)
    place.rename(moved)
    assert not Machine.of(tmp_path / "reader", server.url).cache.fetch(other, [tmp_path / "new"])


def test_changed_content_is_reported_and_never_used(server: Nginx, tmp_path: Path) -> None:
    ci = written(tmp_path / "ci", server.url, "program")
    sha256 = sha256_of(tmp_path / "ci" / "made" / "program")
    content = server.kept / "content" / sha256[:2] / sha256
    assert content.read_bytes() == ci.local.content(sha256).read_bytes()
    for damaged in (b"the content of PROGRAM", b"the content", b"the content of program and more"):
        content.write_bytes(damaged)
        reader = Machine.of(tmp_path / "reader", server.url)
        with pytest.raises(DamagedEntry, match=r"^content/.*other bytes than its name says"):
            reader.fetch([tmp_path / "new" / "program"])
        assert not reader.local.content(sha256).exists()
    assert not (tmp_path / "new").exists()


def test_a_server_with_a_foreign_certificate_is_told_nothing(
    server: Nginx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "ci", server.url, "program")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    reader = Machine.of(tmp_path / "reader", server.url, token=TOKEN)
    before = len(server.requests())
    assert not reader.fetch([tmp_path / "new" / "program"])
    assert len(server.requests()) == before
    (note,) = reader.notes
    assert "its certificate was refused" in note
    assert note.endswith("this build goes on without it")


def test_a_server_that_refuses_large_files_is_noted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nginx(tmp_path / "nginx", limit="4") as small:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(small.authority))
        ci = written(tmp_path / "ci", small.url, "object", "program")
        (note,) = ci.notes
        assert "not all of this build was added to it" in note
        # No record without its files.
        assert not list(small.kept.glob("steps/*/*"))
        assert not ci.cache.fetch("00" * 32, [tmp_path / "new"])


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Rude:
    """A server that answers every request by ``answer``; ``asked`` counts them."""

    url: str
    answer: Answer
    asked: int = 0


@pytest.fixture
def rude() -> Iterator[Rude]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked += 1
            running.answer(self)

        do_HEAD = do_PUT = do_GET  # noqa: N815 the base's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            del request, client_address

    with Server(("127.0.0.1", 0), Handler) as listening:
        running = Rude(f"http://127.0.0.1:{listening.server_port}/cache", lambda _: None)
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield running
        listening.shutdown()


def silent(handler: BaseHTTPRequestHandler) -> None:
    del handler
    time.sleep(30)


def dripping_head(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(300):
        handler.wfile.write(b"H")
        time.sleep(0.1)


def dripping_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "200")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b"0")
        handler.wfile.flush()
        time.sleep(0.1)


@pytest.mark.parametrize("answer", [silent, dripping_head, dripping_body])
def test_a_slow_server_is_waited_for_within_the_bound_and_then_left(
    rude: Rude, tmp_path: Path, answer: Answer
) -> None:
    rude.answer = answer
    reader = Machine.of(tmp_path, rude.url, wait_s=0.4)
    began_s = time.monotonic()
    for _ in range(20):
        assert not reader.fetch([tmp_path / "new"])
    # 20 x 0.4 s would be 8 s; far above what a busy machine adds to 0.4 s.
    assert time.monotonic() - began_s < 4
    (note,) = reader.notes
    assert note.endswith("this build goes on without it")
    assert rude.asked == 1


def status(code: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        handler.send_response(code)
        handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def closing(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.close()


def not_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\xff not HTTP\n")


@pytest.mark.parametrize(
    "answer", [status(500), status(503), status(302), status(401), closing, not_http]
)
def test_a_failing_server_is_noted_once_and_left(
    rude: Rude, tmp_path: Path, answer: Answer
) -> None:
    rude.answer = answer
    reader = Machine.of(tmp_path, rude.url)
    assert not reader.fetch([tmp_path / "new"])
    asked = rude.asked
    assert not reader.fetch([tmp_path / "new"])
    assert rude.asked == asked
    assert len(reader.notes) == 1


def test_a_full_server_loses_nothing_of_the_build(rude: Rude, tmp_path: Path) -> None:
    rude.answer = status(507)
    ci = written(tmp_path / "ci", rude.url, "program")
    assert [note for note in ci.notes if "it answered 507" in note] == ci.notes
    assert ci.notes
    assert ci.local.fetch(_KEY, [tmp_path / "new" / "program"])


def test_a_server_that_is_not_there_is_left(tmp_path: Path) -> None:
    reader = Machine.of(tmp_path, "http://127.0.0.1:1/cache")
    assert not reader.fetch([tmp_path / "new"])
    assert "onnection refused" in reader.notes[0]


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"0" * 65536)


def test_a_server_that_lies_three_times_is_left(rude: Rude, tmp_path: Path) -> None:
    """And an answer without an end is not read to it."""
    rude.answer = endless
    reader = Machine.of(tmp_path, rude.url)
    for _ in range(3):
        with pytest.raises(DamagedEntry):
            reader.fetch([tmp_path / "new"])
    assert not reader.fetch([tmp_path / "new"])
    assert "3 of its entries were damaged" in reader.notes[0]


def test_the_address_is_checked_and_the_folder_in_front_is_the_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETHOSMITH_CACHE", str(tmp_path / "downloads"))
    url = "https://cache.example.org/ethosmith/"
    assert cache_folder(url, {}, tmp_path) == tmp_path / "downloads" / "build"
    own = {"ETHOSMITH_BUILD_CACHE": "own"}
    assert cache_folder(url, own, tmp_path) == tmp_path / "own"
    assert cache_server("", own) is None
    assert cache_server(str(tmp_path), {}) is None
    server = cache_server("", {"ETHOSMITH_BUILD_CACHE": url, TOKEN_VARIABLE: "secret"})
    assert server is not None
    assert server.url == url.rstrip("/")
    assert "secret" not in repr(server)
    assert "secret" not in server_line(server, _GROUP)
    for wrong, variables, expected in (
        ("https://", {}, "not an address"),
        ("https://[::1", {}, "not an address"),
        ("https://host:99999/x", {}, "not an address"),
        ("https://me:secret@host/x", {}, "without user"),
        ("https://host/x?y", {}, "without user"),
        ("http://host/x", {TOKEN_VARIABLE: "secret"}, "unencrypted"),
        ("https://host/x", {TOKEN_VARIABLE: "se cret"}, "visible ASCII"),
        ("https://host/x", {WAIT_VARIABLE: "-1"}, "seconds above 0"),
    ):
        with pytest.raises(EthosmithError, match=expected) as caught:
            cache_server(wrong, variables)
        assert "cret" not in str(caught.value)
