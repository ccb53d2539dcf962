# SPDX-License-Identifier: Apache-2.0
"""An HTTP server on the loopback address that can be as rude as real ones are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Resource:
    """What one path answers, in order of its requests; the last answer stays."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    """Break the connection after so many bytes of the body: one entry per request."""
    busy: int = 0
    """Answer so many requests with 503 first."""
    pause_after: int | None = None
    """Stop sending after so many bytes until the server is closed."""


@dataclass
class LocalServer:
    """The running server's address, its resources and what it was asked."""

    url: str
    resources: dict[str, Resource]
    requests: list[tuple[str, str]]
    """Path and Range header of each request."""

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


class _Server(ThreadingHTTPServer):
    """Holds what its handlers share."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.resources: dict[str, Resource] = {}
        self.requests: list[tuple[str, str]] = []
        self.closing = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.requests.append((self.path, asked))
        resource = self.server.resources.get(self.path)
        if resource is None:
            self.send_error(404)
        elif resource.busy > 0:
            resource.busy -= 1
            self.send_error(503)
        else:
            self._answer(resource, asked)

    def _answer(self, resource: Resource, asked: str) -> None:
        size, status, start = len(resource.body), resource.status, 0
        if asked and resource.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            status = 206 if start < size else 416
        body = resource.body[start:]
        self.send_response(status)
        for name, value in resource.headers.items():
            self.send_header(name, value)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if status == 416:
            self.send_header("Content-Range", f"bytes */{size}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._send(resource, body)

    def _send(self, resource: Resource, body: bytes) -> None:
        if resource.cut_after:
            self.wfile.write(body[: resource.cut_after.pop(0)])
            self.close_connection = True
        elif resource.pause_after is not None:
            self.wfile.write(body[: resource.pause_after])
            self.wfile.flush()
            self.server.closing.wait(60)
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def local_server() -> Iterator[LocalServer]:
    """Run a server for the length of the context."""
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield LocalServer(url, server.resources, server.requests)
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
