# SPDX-License-Identifier: Apache-2.0
"""The page's server: on the loopback address, for one page with a secret address.

Whoever does not know the token in the address, comes under another host name, or from a page of
another origin, is refused. The page loads nothing from elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.live.uploads import MAX_MESSAGE_BYTES, Upload

HOST = "127.0.0.1"
_TOKEN_BYTES = 24
_PAGE = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
_STOP_TIMEOUT_S = 3
_PARENT_INTERVAL_S = 0.5
_POLICY_VIOLATION = 1008

# What answers a message of the page: a JSON object.
Answer = Callable[[Upload], dict[str, Any]]


@dataclass(frozen=True)
class Site:
    """What is served.

    Attributes:
        hello: what the page is told first; called in a thread of its own.
        answer: called in a thread of its own for each message.
        token: in the page's address.
    """

    hello: Callable[[], dict[str, Any]]
    answer: Answer
    token: str

    @classmethod
    def with_new_token(cls, hello: Callable[[], dict[str, Any]], answer: Answer) -> Site:
        """Return a site at an address that nobody can guess."""
        return cls(hello, answer, secrets.token_urlsafe(_TOKEN_BYTES))


def listening_socket(port: int = 0) -> socket.socket:
    """Return a socket on the loopback address.

    Args:
        port: 0: one that is free.

    Raises:
        EthosmithError: the port is in use.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise EthosmithError(f"port={port}: {error.strerror}") from None


def page_address(site: Site, listener: socket.socket) -> str:
    """Return the page's address."""
    return f"http://{HOST}:{listener.getsockname()[1]}/{site.token}/"


def serve(site: Site, listener: socket.socket) -> None:
    """Serve until the process is interrupted (KeyboardInterrupt then), or its parent is gone."""
    asyncio.run(_serve_with_parent(server(site, listener), listener))


async def _serve_with_parent(served: uvicorn.Server, listener: socket.socket) -> None:
    parent = os.getppid()
    serving = asyncio.create_task(served.serve(sockets=[listener]))
    while not serving.done():
        await asyncio.wait({serving}, timeout=_PARENT_INTERVAL_S)
        # What started it was killed: nobody is there to press Ctrl-C.
        served.should_exit = served.should_exit or os.getppid() != parent
    await serving


def server(site: Site, listener: socket.socket) -> uvicorn.Server:
    """Return a server for a site at a socket."""
    return uvicorn.Server(
        uvicorn.Config(
            application(site, listener.getsockname()[1]),
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_STOP_TIMEOUT_S,
        )
    )


def application(site: Site, port: int) -> ASGIApp:
    """Return the ASGI application of a site on a port."""
    base = f"/{site.token}"
    files = {path.name: read_bytes(path) for path in _PAGE.iterdir() if path.suffix in _TYPES}
    routes: list[Route | WebSocketRoute] = [
        Route(f"{base}/{'' if name == 'index.html' else name}", partial(_file, name, content))
        for name, content in files.items()
    ]
    routes.append(WebSocketRoute(f"{base}/socket", partial(_socket, site)))
    return _Guard(Starlette(routes=routes), site.token, port)


async def _file(name: str, content: bytes, request: Request) -> Response:
    del request
    return Response(content, media_type=_TYPES[Path(name).suffix])


async def _socket(site: Site, websocket: WebSocket) -> None:
    """Answer the messages of one page, one after another."""
    await websocket.accept()
    try:
        await websocket.send_text(await _call("hello", 0, site.hello))
        while True:
            message = await websocket.receive_bytes()
            try:
                upload = Upload.of_message(message)
            except EthosmithError as error:
                await websocket.send_text(_problem(0, error))
                continue
            answer = partial(site.answer, upload)
            await websocket.send_text(await _call(upload.task, upload.number, answer))
    except WebSocketDisconnect:
        return
    except KeyError:  # Text, where the page sends bytes.
        await websocket.close(_POLICY_VIOLATION)


async def _call(kind: str, number: int, function: Callable[[], dict[str, Any]]) -> str:
    try:
        answer = await run_in_threadpool(function)
    except EthosmithError as error:
        return _problem(number, error)
    return json.dumps({"kind": kind, "number": number, **answer})


def _problem(number: int, error: EthosmithError) -> str:
    return json.dumps({"kind": "problem", "number": number, "text": str(error)})


class _Guard:
    """Lets only the page itself in."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {f"{HOST}:{port}", f"localhost:{port}"}
        sockets = " ".join(f"ws://{host}" for host in sorted(self._hosts))
        self._headers = {
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self';"
                " img-src 'self' blob: data:; media-src 'self' blob:;"
                f" connect-src 'self' {sockets}; base-uri 'none';"
                " form-action 'none'; frame-ancestors 'none'"
            ),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "microphone=(self), camera=(self)",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        reason = self._reason_to_refuse(scope)
        if reason and scope["type"] == "websocket":
            # Before it is accepted, this is the answer 403.
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        elif reason:
            await PlainTextResponse(f"{reason}\n", 403)(scope, receive, self._secured(send))
        else:
            await self._app(scope, receive, self._secured(send))

    def _reason_to_refuse(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return "refused: another host"
        # A browser names the origin of each WebSocket.
        needs_origin = scope["type"] == "websocket"
        if (origin or needs_origin) and origin != f"http://{host}":
            return "refused: another origin"
        given = scope["path"].partition("/")[2].partition("/")[0].encode()
        if not secrets.compare_digest(given, self._token):
            return "refused: use the address that the terminal shows"
        return ""

    def _secured(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        return send_with_headers
