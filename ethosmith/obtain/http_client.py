# SPDX-License-Identifier: Apache-2.0
"""Make HTTP requests as the user's pip is configured to, with limits on everything."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.origin import masked_url
from ethosmith.obtain.pip_settings import PipSettings

MAX_REDIRECTS = 5
CONNECT_TIMEOUT_S = 15.0
_BUSY = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_ResultT = TypeVar("_ResultT")


class TransientError(Exception):
    """A failure that may not happen again; the message says what happened."""


class HttpStatusError(EthosmithError):
    """The server answered with a status that is no success."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(f"{masked_url(url)}: the server answered {status} {reason}".rstrip())
        self.status = status


@dataclass(frozen=True)
class Retries:
    """How often and how patiently to try again."""

    delays_s: tuple[float, ...] = (1.0, 2.0, 4.0)
    sleep: Callable[[float], None] = time.sleep

    def run(self, attempt: Callable[[], _ResultT], note: Callable[[str], None]) -> _ResultT:
        """Call ``attempt`` until it raises no `TransientError`.

        Raises:
            EthosmithError: the last attempt failed too.
        """
        for delay_s in self.delays_s:
            try:
                return attempt()
            except TransientError as error:
                note(f"{error}; trying again in {delay_s:g} s")
                self.sleep(delay_s)
        try:
            return attempt()
        except TransientError as error:
            tries = len(self.delays_s) + 1
            raise EthosmithError(
                f"{error} (tried {tries} times); check the network and proxy settings"
            ) from None


@dataclass(frozen=True)
class HttpClient:
    """Sends GET requests; every failure is an `EthosmithError` or a `TransientError`."""

    settings: PipSettings = field(default_factory=PipSettings)
    retries: Retries = field(default_factory=Retries)
    note: Callable[[str], None] = lambda _message: None

    def retried(self, attempt: Callable[[], _ResultT]) -> _ResultT:
        """Call ``attempt`` as `Retries.run` does, and note each failure that is retried."""
        return self.retries.run(attempt, self.note)

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """Open ``url`` for reading; 2xx and 416 (range not satisfiable) are let through.

        Raises:
            HttpStatusError: any other status.
            TransientError: the connection failed or broke, or the server is busy.
            EthosmithError: an endless redirect, a refused certificate, a bad URL.
        """
        with requests.Session() as session, _explained(url):
            session.max_redirects = MAX_REDIRECTS
            response = session.get(
                url,
                headers=dict(headers),
                stream=True,
                timeout=(CONNECT_TIMEOUT_S, self.settings.timeout_s),
                verify=self._verify(url),
                cert=_text_or_none(self.settings.client_certificate),
                proxies=self._proxies(),
            )
            with response:
                _check_status(response, url)
                yield response

    def _verify(self, url: str) -> bool | str:
        parts = urlsplit(url)
        if self.settings.trusted_hosts & {parts.hostname, parts.netloc.rpartition("@")[2]}:
            return False
        return _text_or_none(self.settings.ca_bundle) or True

    def _proxies(self) -> dict[str, str]:
        proxy = self.settings.proxy
        return {"http": proxy, "https": proxy} if proxy else {}


def _check_status(response: requests.Response, url: str) -> None:
    status = response.status_code
    if status in _BUSY:
        raise TransientError(f"{masked_url(url)}: the server answered {status} {response.reason}")
    if not response.ok and status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise HttpStatusError(url, status, response.reason or "")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn the library's exceptions into ours; the cause is shown, not its traceback."""
    try:
        yield
    except requests.TooManyRedirects:
        raise EthosmithError(f"{masked_url(url)}: more than {MAX_REDIRECTS} redirects") from None
    except requests.exceptions.SSLError as error:
        raise EthosmithError(
            f"{masked_url(url)}: the server's certificate was refused: {_cause(error)}; "
            "set pip's 'cert' to your certificate bundle"
        ) from None
    except (requests.ConnectionError, requests.Timeout) as error:
        host = urlsplit(url).hostname
        raise TransientError(f"cannot reach {host}: {_cause(error)}") from None
    except urllib3.exceptions.HTTPError as error:
        raise TransientError(f"{masked_url(url)}: the connection broke: {_cause(error)}") from None
    except requests.RequestException as error:
        raise EthosmithError(f"{masked_url(url)}: {_cause(error)}") from None


def _cause(error: BaseException) -> str:
    """Return the innermost reason in words, without object addresses."""
    while True:
        inner = getattr(error, "reason", None) or next(
            (item for item in error.args if isinstance(item, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error)
    # urllib3 begins its messages with the connection object.
    return re.sub(r"^(<.*>|\w+\(host=.*?\)): ", "", " ".join(text.split()))[:200]


def _text_or_none(path: object) -> str | None:
    return str(path) if path else None
