# SPDX-License-Identifier: Apache-2.0
"""Obtain a source: a verified file, one of its members, or a set of its members."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ethosmith.core import files
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of
from ethosmith.obtain.archive import copy_member, open_archive, select, stripped
from ethosmith.obtain.archive_formats import Archive, ArchiveLimits
from ethosmith.obtain.cache import Cache, Damaged
from ethosmith.obtain.download import Downloader, WrongHashError
from ethosmith.obtain.http_client import HttpClient, Retries
from ethosmith.obtain.package_index import offers_of
from ethosmith.obtain.pip_settings import PipSettings, read_pip_settings
from ethosmith.obtain.progress import DownloadProgress, SilentProgress
from ethosmith.obtain.source import (
    MEMBER_SEPARATOR,
    AnySource,
    PackageSource,
    PathSource,
    UrlSource,
)


@dataclass(frozen=True)
class Obtainer:
    """Where files are kept and how they are fetched."""

    cache: Cache = field(default_factory=Cache.for_user)
    offline: bool = False
    progress: DownloadProgress = field(default_factory=SilentProgress)
    retries: Retries = field(default_factory=Retries)
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    settings: Callable[[], PipSettings] = read_pip_settings

    def artefact(self, source: AnySource, base_dir: Path) -> Path:
        """Return the path of the source's verified file (the archive, if it has a member).

        Raises:
            EthosmithError: the file cannot be had or is not the one described.
        """
        if isinstance(source, PathSource):
            return _local_file(source, base_dir)
        with self.cache.locked(source.sha256, on_wait=lambda: self._note_wait(source)):
            return self._cached(source)

    def to_file(self, source: AnySource, base_dir: Path, output: Path) -> None:
        """Write the source's file, or the member it names, to ``output``, whole or not at all.

        Raises:
            EthosmithError: as `artefact`; or the member cannot be read.
        """
        artefact = self.artefact(source, base_dir)
        with files.writing_beside(output) as beside, beside.open("wb") as target:
            if source.member is None:
                with files.open_regular(artefact) as file:
                    shutil.copyfileobj(file, target)
                return
            outer, _, name = source.member.rpartition(MEMBER_SEPARATOR)
            with open_archive(artefact, outer or None, source.file_name, self.limits) as archive:
                copy_member(archive, name, target, self.limits)

    def to_tree(
        self,
        source: AnySource,
        base_dir: Path,
        members: Sequence[str],
        output_dir: Path,
        strip_prefix: str = "",
    ) -> list[Path]:
        """Write members of the source's archive below ``output_dir``.

        Args:
            source: its own ``member``, if any, is the archive to look into.
            base_dir: folder that a path source is relative to.
            members: paths inside the archive; ``*``, ``?`` and ``[…]`` match within
                one path component.
            output_dir: each member lands here under its path in the archive.
            strip_prefix: leading folder of every member that is left out of the result.

        Returns:
            The files' paths relative to ``output_dir``, sorted.

        Raises:
            EthosmithError: as `artefact`; or a member is missing or cannot be read,
                in which case ``output_dir`` is as it was.
        """
        artefact = self.artefact(source, base_dir)
        output_dir.parent.mkdir(parents=True, exist_ok=True)
        with (
            open_archive(artefact, source.member, source.file_name, self.limits) as archive,
            tempfile.TemporaryDirectory(
                prefix=files.UNFINISHED_PREFIX, dir=output_dir.parent
            ) as beside,
        ):
            names = select(archive, members)
            places = {name: stripped(name, strip_prefix) for name in names}
            for name, place in places.items():
                self._extract(archive, name, Path(beside) / place)
            for place in places.values():
                (output_dir / place).parent.mkdir(parents=True, exist_ok=True)
                (Path(beside) / place).replace(output_dir / place)
        return sorted(Path(place) for place in places.values())

    def _extract(self, archive: Archive, name: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            copy_member(archive, name, file, self.limits)

    def _cached(self, source: PackageSource | UrlSource) -> Path:
        found = self.cache.lookup(source.sha256)
        if isinstance(found, Path):
            return found
        if self.offline:
            raise _refused_offline(source, self.cache.path_of(source.sha256), found)
        if found is not None:
            self.progress.note(f"{source.file_name}: the cached copy is damaged, fetching it again")
            found.path.unlink()
        self._fetch(source)
        return self.cache.adopt_partial(source.sha256)

    def _fetch(self, source: PackageSource | UrlSource) -> None:
        client = HttpClient(self.settings(), self.retries, self.progress.note)
        downloader = Downloader(client, self.progress)
        partial = self.cache.partial_path_of(source.sha256)
        with _named(source):
            urls = _urls(source, client)
            _first_good(urls, lambda url: downloader.fetch(url, partial, source.sha256))

    def _note_wait(self, source: AnySource) -> None:
        self.progress.note(f"{source.file_name}: waiting for another build that fetches it")


def obtain(
    source: AnySource,
    *,
    base_dir: Path,
    cache_dir: Path | None = None,
    offline: bool = False,
    progress: DownloadProgress | None = None,
) -> Path:
    """Return the path of the source's verified file; see `Obtainer.artefact`."""
    obtainer = Obtainer(
        cache=Cache(cache_dir) if cache_dir else Cache.for_user(),
        offline=offline,
        progress=progress or SilentProgress(),
    )
    return obtainer.artefact(source, base_dir)


def _local_file(source: PathSource, base_dir: Path) -> Path:
    path = base_dir / source.path
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "no such file"
        raise EthosmithError(f"{path}: {what}")
    actual = sha256_of(path) if source.sha256 else None
    if actual != source.sha256:
        raise EthosmithError(f"{path}: wrong SHA-256: expected {source.sha256}, got {actual}")
    return path


def _urls(source: PackageSource | UrlSource, client: HttpClient) -> Iterator[str]:
    if isinstance(source, UrlSource):
        yield source.url
    else:
        yield from (offer.url for offer in offers_of(source, client))


def _first_good(urls: Iterable[str], fetch: Callable[[str], None]) -> None:
    """Fetch from the first place that has the right bytes; raise what the last place said."""
    failure: WrongHashError | None = None
    for url in urls:
        try:
            return fetch(url)
        except WrongHashError as error:
            failure = error
    if failure is not None:
        raise failure
    return None


@contextmanager
def _named(source: PackageSource | UrlSource) -> Iterator[None]:
    """Put the file's name before a message that does not say it."""
    try:
        yield
    except EthosmithError as error:
        if source.file_name in str(error):
            raise
        raise EthosmithError(f"{source.file_name}: {error}") from None


def _refused_offline(
    source: PackageSource | UrlSource, path: Path, damaged: Damaged | None
) -> EthosmithError:
    what = (
        f"the cached copy is damaged (SHA-256 {damaged.actual_sha256}, not {source.sha256})"
        if damaged
        else "not in the cache"
    )
    return EthosmithError(
        f"{source.file_name}: {what}, and offline=1 forbids fetching it; "
        f"build once without offline=1, or copy the file to {path}"
    )
