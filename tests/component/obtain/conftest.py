# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the local server and an obtainer that never sleeps and knows no other host."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ethosmith.obtain.archive_formats import ArchiveLimits
from ethosmith.obtain.cache import Cache
from ethosmith.obtain.http_client import Retries
from ethosmith.obtain.obtainer import Obtainer
from ethosmith.obtain.pip_settings import PipSettings
from tests.support.local_server import LocalServer, local_server


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with local_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


class Workshop:
    """Builds obtainers that share one cache, and counts the pauses they wanted."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.pauses_s: list[float] = []

    def obtainer(
        self,
        *,
        offline: bool = False,
        indexes: tuple[str, ...] = (),
        find_links: tuple[str, ...] = (),
        limits: ArchiveLimits | None = None,
    ) -> Obtainer:
        return Obtainer(
            cache=self.cache,
            offline=offline,
            retries=Retries(sleep=self.pauses_s.append),
            settings=lambda: PipSettings(indexes, find_links, timeout_s=5),
            limits=limits or ArchiveLimits(),
        )


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(Cache(tmp_path / "cache"))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
