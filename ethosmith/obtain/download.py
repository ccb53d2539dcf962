# SPDX-License-Identifier: Apache-2.0
"""Bring the bytes of one URL into a partial file, going on where an earlier try stopped."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of
from ethosmith.descriptors.origin import masked_url
from ethosmith.obtain.http_client import HttpClient, TransientError
from ethosmith.obtain.progress import DownloadProgress, SilentProgress

MAX_DOWNLOAD_BYTES = 4 << 30
_CHUNK_BYTES = 1 << 18


class WrongHashError(EthosmithError):
    """The bytes that arrived are not the ones that were asked for."""


@dataclass(frozen=True)
class Downloader:
    """Downloads to a partial file that a later try, or a later process, continues."""

    client: HttpClient = field(default_factory=HttpClient)
    progress: DownloadProgress = field(default_factory=SilentProgress)
    max_bytes: int = MAX_DOWNLOAD_BYTES

    def fetch(self, url: str, partial: Path, sha256: str) -> None:
        """Fill ``partial`` with the file at ``url`` and verify it.

        A rest of an earlier download is continued; if the result is wrong, the
        rest is dropped and the file is fetched once more from its beginning.

        Raises:
            WrongHashError: the whole file has another SHA-256; ``partial`` is removed.
            EthosmithError: the file could not be fetched; ``partial`` keeps what came.
        """
        partial.parent.mkdir(parents=True, exist_ok=True)
        resumed = partial.exists() and partial.stat().st_size > 0
        self._bring(url, partial)
        actual = sha256_of(partial)
        if actual != sha256 and resumed:
            partial.unlink()
            self._bring(url, partial)
            actual = sha256_of(partial)
        if actual != sha256:
            partial.unlink()
            raise WrongHashError(
                f"{masked_url(url)}: wrong SHA-256: expected {sha256}, got {actual}"
            )

    def _bring(self, url: str, partial: Path) -> None:
        try:
            if urlsplit(url).scheme == "file":
                self._copy(Path(url2pathname(urlsplit(url).path)), partial)
            else:
                self.client.retried(lambda: self._transfer(url, partial))
        finally:
            self.progress.finished()

    def _copy(self, source: Path, partial: Path) -> None:
        if not source.is_file():
            raise EthosmithError(f"{source}: no such file")
        self.progress.started(source.name, source.stat().st_size, 0)
        shutil.copyfile(source, partial)

    def _transfer(self, url: str, partial: Path) -> None:
        have_bytes = partial.stat().st_size if partial.exists() else 0
        # Encoded bodies could not be resumed, and their bytes are not the file's.
        headers = {"Accept-Encoding": "identity"}
        if have_bytes:
            headers["Range"] = f"bytes={have_bytes}-"
        with self.client.get(url, headers) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                if have_bytes and _total_bytes(response, 0) == have_bytes:
                    return  # It was complete already.
                partial.unlink(missing_ok=True)
                raise TransientError(
                    f"{masked_url(url)}: the server refused to continue the download"
                )
            if response.status_code != HTTPStatus.PARTIAL_CONTENT:
                have_bytes = 0
            self._receive(response, url, partial, have_bytes)

    def _receive(
        self, response: requests.Response, url: str, partial: Path, have_bytes: int
    ) -> None:
        total_bytes = _total_bytes(response, have_bytes)
        if total_bytes is not None and total_bytes > self.max_bytes:
            raise self._too_large(url)
        self.progress.started(_name_of(url), total_bytes, have_bytes)
        with partial.open("r+b" if have_bytes else "wb") as file:
            file.seek(have_bytes)
            for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
                file.write(chunk)
                self.progress.advanced(len(chunk))
                have_bytes += len(chunk)
                if have_bytes > self.max_bytes:
                    raise self._too_large(url)
        if total_bytes is not None and have_bytes != total_bytes:
            raise TransientError(
                f"{masked_url(url)}: the connection broke after {have_bytes} of {total_bytes} bytes"
            )

    def _too_large(self, url: str) -> EthosmithError:
        return EthosmithError(f"{masked_url(url)}: larger than the allowed {self.max_bytes} bytes")


def _total_bytes(response: requests.Response, have_bytes: int) -> int | None:
    """Return the size of the whole file, if the server tells it."""
    content_range = response.headers.get("Content-Range", "")
    total = content_range.rpartition("/")[2]
    if total.isdigit():
        return int(total)
    length = response.headers.get("Content-Length", "")
    return have_bytes + int(length) if length.isdigit() else None


def _name_of(url: str) -> str:
    return urlsplit(url).path.rsplit("/", 1)[-1] or masked_url(url)
