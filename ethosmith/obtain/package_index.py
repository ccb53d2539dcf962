# SPDX-License-Identifier: Apache-2.0
"""Find where an index offers one file of a package (PEP 503, PEP 691)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

from ethosmith.core.errors import EthosmithError, did_you_mean
from ethosmith.core.files import read_bytes
from ethosmith.descriptors.origin import masked_url
from ethosmith.obtain.http_client import HttpClient, HttpStatusError, TransientError
from ethosmith.obtain.source import PackageSource

MAX_PAGE_BYTES = 64 << 20
_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_ABSENT = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True)
class Offer:
    """A file that an index or folder offers."""

    file_name: str
    url: str
    sha256: str | None = None


def offers_of(source: PackageSource, client: HttpClient) -> Iterator[Offer]:
    """Yield every place of the source's file, the cheapest first, as they are found.

    Places whose declared SHA-256 is another one are left out.

    Raises:
        EthosmithError: after the last place, if there was none; with the nearest
            file name, or the hash that the index declares instead.
    """
    seen: list[Offer] = []
    found = False
    for place in _places(source, client):
        offers = _listing(place, client)
        seen += offers
        for offer in offers:
            if offer.file_name == source.artefact and offer.sha256 in {None, source.sha256}:
                found = True
                yield offer
    if not found:
        raise _not_offered(source, seen)


def _places(source: PackageSource, client: HttpClient) -> Iterator[str]:
    """Yield folders and pages: find-links, then indexes on this machine, then the others."""
    yield from client.settings.find_links
    pages = [f"{index.rstrip('/')}/{source.project}/" for index in client.settings.index_urls]
    yield from sorted(pages, key=lambda page: urlsplit(page).scheme != "file")


def _listing(place: str, client: HttpClient) -> list[Offer]:
    """Return all that ``place`` offers; a place that does not exist offers nothing."""
    if urlsplit(place).scheme in {"http", "https"}:
        return _remote_listing(place, client)
    is_url = place.startswith("file:")
    path = Path(url2pathname(urlsplit(place).path)) if is_url else Path(place).expanduser()
    page = path / "index.html"
    if path.is_dir() and not page.is_file():
        return [Offer(file.name, file.absolute().as_uri()) for file in sorted(path.iterdir())]
    page = page if path.is_dir() else path
    if not page.is_file():
        return []
    body = read_bytes(page, limit_bytes=MAX_PAGE_BYTES)
    return parse_html(body.decode("utf-8", errors="replace"), page.absolute().as_uri())


def _remote_listing(url: str, client: HttpClient) -> list[Offer]:
    def attempt() -> list[Offer]:
        with client.get(url, {"Accept": _ACCEPT}) as response:
            body = response.raw.read(MAX_PAGE_BYTES + 1, decode_content=True)
            kind = response.headers.get("Content-Type", "")
            return _parse_page(body, kind, response.url)

    try:
        return client.retried(attempt)
    except HttpStatusError as error:
        if error.status in _ABSENT:
            return []
        raise


def _parse_page(body: bytes, content_type: str, url: str) -> list[Offer]:
    if len(body) > MAX_PAGE_BYTES:
        raise EthosmithError(f"{masked_url(url)}: the index's page is larger than {MAX_PAGE_BYTES}")
    if content_type.partition(";")[0].strip() == _JSON:
        return parse_json(body, url)
    return parse_html(body.decode("utf-8", errors="replace"), url)


def parse_json(body: bytes, url: str) -> list[Offer]:
    """Return the files of a PEP 691 page.

    Raises:
        TransientError: the page is cut off or otherwise no such page.
    """
    try:
        files = json.loads(body)["files"]
        return [
            Offer(file["filename"], urljoin(url, file["url"]), file["hashes"].get("sha256"))
            for file in files
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TransientError(f"{masked_url(url)}: not a readable index page") from None


def parse_html(text: str, url: str) -> list[Offer]:
    """Return the files that a PEP 503 page, or any page of links, points to."""
    parser = _Anchors(url)
    parser.feed(text)
    return [_offer_of(link) for link in parser.links]


def _offer_of(link: str) -> Offer:
    target, fragment = urldefrag(link)
    name = unquote(urlsplit(target).path).rsplit("/", 1)[-1]
    digests = parse_qs(fragment).get("sha256")
    return Offer(name, target, digests[0].lower() if digests else None)


class _Anchors(HTMLParser):
    """Collects the targets of a page's links, made absolute."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._base = url
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if not href or tag not in {"a", "base"}:
            return
        try:
            target = urljoin(self._base, href)
        except ValueError:  # A link that is no URL offers nothing.
            return
        if tag == "base":
            self._base = target
        else:
            self.links.append(target)


def _not_offered(source: PackageSource, seen: list[Offer]) -> EthosmithError:
    declared = {offer.sha256 for offer in seen if offer.file_name == source.artefact}
    if declared:
        return EthosmithError(
            f"{source.artefact}: wrong SHA-256: expected {source.sha256}, "
            f"the index declares {', '.join(sorted(map(str, declared)))}"
        )
    names = {offer.file_name for offer in seen}
    hint = did_you_mean(source.artefact, names)
    what = "no such file" if names else "no such package"
    return EthosmithError(
        f"{source.package} {source.version}: {what} in the package indexes that pip is "
        f"configured to use: {source.artefact}{hint}"
    )
