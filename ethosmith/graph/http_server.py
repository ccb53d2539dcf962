# SPDX-License-Identifier: Apache-2.0
"""The server of a build cache over HTTP(S): where it is, and GET, HEAD and PUT with bounds.

Any server does that keeps what is PUT under a path: nginx with WebDAV, or the HTTP caches that
ccache and Bazel use. Its answers are not trusted: their size is bounded here, and
`ethosmith.graph.http_cache` checks signatures and hashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import open_regular
from ethosmith.graph.cache_entry import DamagedEntry

if TYPE_CHECKING:
    import requests

TOKEN_VARIABLE = "ETHOSMITH_BUILD_CACHE_TOKEN"  # noqa: S105 a name
WAIT_VARIABLE = "ETHOSMITH_BUILD_CACHE_WAIT_S"
_DEFAULT_WAIT_S = 60.0
_MAX_WAIT_S = 86400.0
_SCHEMES = ("http", "https")
_URL = re.compile(r"https?://", re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
# Of one connection, and of one silence within an answer.
_TIMEOUTS_S = (5.0, 10.0)
_CHUNK_BYTES = 1 << 18
_ABSENT = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_STORED = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT)


class ServerFailure(Exception):  # noqa: N818 no error of a user: the build goes on without it
    """The server cannot be used; the message says why."""


def is_url(text: str) -> bool:
    """Tell whether ``cache=`` names a server, and no folder."""
    return bool(_URL.match(text))


@dataclass(frozen=True)
class CacheServer:
    """Where the cache is.

    Attributes:
        url: without a slash at its end.
        token: sent to it as ``Authorization: Bearer``; empty: nothing is written to it.
        wait_s: how long one build waits for it in all, in seconds.
    """

    url: str
    token: str = field(default="", repr=False)
    wait_s: float = _DEFAULT_WAIT_S

    @classmethod
    def of(cls, url: str, environment: Mapping[str, str]) -> CacheServer:
        """Return the server of ``cache=URL``.

        Args:
            url: as given.
            environment: `TOKEN_VARIABLE` and `WAIT_VARIABLE` are asked.

        Raises:
            EthosmithError: it is no such address, holds a password, or the token would be sent
                unencrypted to another machine.
        """
        host = _checked_host(url)
        token = environment.get(TOKEN_VARIABLE, "")
        if token and not _TOKEN.fullmatch(token):
            raise EthosmithError(
                f"{TOKEN_VARIABLE}: expected up to 4096 visible ASCII characters without spaces"
            )
        if token and urlsplit(url).scheme.lower() != "https" and not is_loopback(host):
            raise EthosmithError(
                f"cache={url}: {TOKEN_VARIABLE} would be sent unencrypted; give https://"
            )
        return cls(url.rstrip("/"), token, _wait_s(environment.get(WAIT_VARIABLE, "")))

    @property
    def may_write(self) -> bool:
        """Whether entries are written to it."""
        return bool(self.token)

    @cached_property
    def _session(self) -> requests.Session:
        # A build without a server needs none of them.
        from http.cookiejar import DefaultCookiePolicy

        import requests

        session = requests.Session()
        session.headers.update({"Accept-Encoding": "identity", "User-Agent": "ethosmith"})
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if self.token:
            session.auth = self._authorise
        return session

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    @contextmanager
    def _answer(
        self, method: str, path: str, data: BinaryIO | bytes | None = None
    ) -> Iterator[requests.Response]:
        """Yield the answer to a request; its body is not read yet.

        Raises:
            ServerFailure: the connection failed.
        """
        import requests

        url = f"{self.url}/{path}"
        try:
            with self._session.request(
                method, url, data=data, stream=True, timeout=_TIMEOUTS_S, allow_redirects=False
            ) as response:
                yield response
        except requests.exceptions.SSLError as error:
            raise ServerFailure(f"its certificate was refused: {_innermost(error)}") from None
        except requests.exceptions.Timeout:
            raise ServerFailure("no answer in time") from None
        except (requests.exceptions.RequestException, OSError, ValueError) as error:
            raise ServerFailure(_innermost(error)) from None
        except _http_errors() as error:
            raise ServerFailure(_innermost(error)) from None

    def read(self, path: str, limit_bytes: int) -> bytes | None:
        """Return what is kept under ``path``, at most ``limit_bytes`` + 1 of it; None: nothing.

        Raises:
            ServerFailure: there is no such answer.
        """
        found = bytearray()
        is_there = self.read_into(path, limit_bytes, found.extend)
        return bytes(found) if is_there else None

    def read_into(self, path: str, limit_bytes: int, take: Callable[[bytes], object]) -> bool:
        """Hand ``take`` what is kept under ``path``, and stop behind ``limit_bytes``.

        Returns:
            Whether there is something.

        Raises:
            ServerFailure: there is no such answer.
            DamagedEntry: the answer ended early.
        """
        with self._answer("GET", path) as response:
            if response.status_code in _ABSENT:
                return False
            if response.status_code != HTTPStatus.OK:
                raise ServerFailure(_status_text(response))
            # One read at a time: a server that drips would hold a larger one for ever.
            read, length = response.raw.read1, response.headers.get("Content-Length", "")
            left = limit_bytes + 1
            while left > 0 and (chunk := read(min(_CHUNK_BYTES, left), decode_content=False)):
                left -= len(chunk)
                take(chunk)
            came = limit_bytes + 1 - left
        if left > 0 and length.isdecimal() and came < int(length):
            raise DamagedEntry(f"{path} ended after {came} of {length} bytes")
        return True

    def has(self, path: str, size_bytes: int) -> bool:
        """Tell whether something of this size is kept under ``path``.

        Raises:
            ServerFailure: there is no answer.
        """
        with self._answer("HEAD", path) as response:
            length = response.headers.get("Content-Length", "")
            return response.status_code == HTTPStatus.OK and length == str(size_bytes)

    def write(self, path: str, source: Path | bytes) -> None:
        """Keep the content of a file, or bytes, under ``path``.

        Raises:
            ServerFailure: the server does not take it.
            OSError: the file cannot be read.
        """
        if isinstance(source, bytes):
            self._put(path, source)
            return
        with open_regular(source) as file:
            self._put(path, file)

    def _put(self, path: str, data: BinaryIO | bytes) -> None:
        with self._answer("PUT", path, data) as response:
            if response.status_code not in _STORED:
                raise ServerFailure(_status_text(response))


def _checked_host(url: str) -> str:
    """Return the host of an address; EthosmithError if it is not one of a cache."""
    shown = url.rpartition("@")[2]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise EthosmithError(f"cache={shown}: not an address; expected https://HOST/PATH")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise EthosmithError(
            f"cache=…{shown}: expected https://HOST/PATH without user, password, '?' and '#'; the"
            f" token goes into {TOKEN_VARIABLE}"
        )
    return host


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wait_s(text: str) -> float:
    if not text:
        return _DEFAULT_WAIT_S
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1.0
    if not 0 < wait_s <= _MAX_WAIT_S:
        raise EthosmithError(f"{WAIT_VARIABLE}={text}: give a number of seconds above 0")
    return wait_s


def _http_errors() -> tuple[type[Exception], ...]:
    """Return what reading a body raises: it is read below `requests`, by urllib3."""
    import urllib3

    return (urllib3.exceptions.HTTPError,)


def _status_text(response: requests.Response) -> str:
    reason = "".join(char for char in response.reason or "" if char.isprintable())[:60]
    return f"it answered {response.status_code} {reason}".rstrip()


def _innermost(error: BaseException) -> str:
    """Return the cause that is worth reading, on one line and without the address."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error)
    line = "".join(char for char in str(text) if char.isprintable())[:160]
    return line or type(error).__name__
