# SPDX-License-Identifier: Apache-2.0
"""A build cache on a server, with a folder of this machine in front of it.

Paths on the server are those in the folder (`ethosmith.graph.build_cache`). What comes from it
counts as written by others: `ethosmith.graph.cache_entry` says what of that is taken. Each file
is hashed before it gets into the folder.

No build fails because of the server, and none waits for it longer than `CacheServer.wait_s` in
all: whatever goes wrong is reported once, and the build goes on without it. Waiting is done
beside a thread of its own, so no resolver, handshake or slow answer can exceed it.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ethosmith.graph.build_cache import CONTENT, STEPS, BuildCache
from ethosmith.graph.cache_entry import (
    KEY_VARIABLE,
    DamagedEntry,
    KeptFile,
    Record,
    Trust,
    is_inert,
)
from ethosmith.graph.http_server import TOKEN_VARIABLE, WAIT_VARIABLE, CacheServer, ServerFailure

# Of looking for one step, and of bringing all its files.
_MAX_FETCH_S = 30.0
_MAX_LOOK_S = 10.0
# A server that lies so often is not asked again.
_MAX_DAMAGED = 3


@dataclass
class _Fetch:
    """One step that is being brought, and by when.

    Attributes:
        found: the server knows the step.
        result: whether all is in the folder.
        error: what went wrong.
        done: it has ended.
        given_up: nobody waits for it any more.
    """

    found: bool = False
    result: bool = False
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)
    given_up: bool = False


class HttpCache:
    """The server behind the folder ``local``. Threads may share it.

    Args:
        server: where it is.
        local: what it gives goes there, and what is written to it comes from there.
        trust: decides what is taken.
        note: shows a line.
    """

    def __init__(
        self, server: CacheServer, local: BuildCache, trust: Trust, note: Callable[[str], None]
    ) -> None:
        self._server, self._local, self._trust, self._note = server, local, trust, note
        self._left_s = server.wait_s
        self._damaged = 0
        self._lock = threading.Lock()
        self._reads, self._writes = True, server.may_write
        self._hinted = False
        self._failed_write = ""
        self._waiting: queue.SimpleQueue[tuple[str, Record] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._server.url

    def fetch(self, key: str, targets: Sequence[Path]) -> bool:
        """Bring a step into the folder.

        Args:
            key: of the step.
            targets: its outputs, in order.

        Returns:
            Whether it is there now.

        Raises:
            DamagedEntry: the server has it, but not as it was written.
        """
        if not self._reads:
            return False
        fetch = _Fetch()
        began_s = time.monotonic()
        thread = threading.Thread(target=self._run, args=(fetch, key, targets), daemon=True)
        thread.start()
        in_time = self._wait(fetch)
        self._spend(time.monotonic() - began_s)
        if not in_time:
            fetch.given_up = True
            self._stop_reading("no answer in time")
            return False
        if isinstance(fetch.error, DamagedEntry):
            self._count_damaged()
            raise fetch.error
        if fetch.error is not None:
            self._stop_reading(str(fetch.error))
            return False
        if fetch.found and not fetch.result:
            self._hint()
        return fetch.result

    def _wait(self, fetch: _Fetch) -> bool:
        look_s = min(_MAX_LOOK_S, self._left_s)
        if fetch.done.wait(look_s):
            return True
        return fetch.found and fetch.done.wait(max(0.0, min(_MAX_FETCH_S, self._left_s) - look_s))

    def _spend(self, waited_s: float) -> None:
        with self._lock:
            self._left_s -= waited_s
            exhausted = self._left_s <= 0 and self._reads
        if exhausted:
            self._stop_reading(
                f"this build has waited {self._server.wait_s:g} s for it ({WAIT_VARIABLE})"
            )

    def _run(self, fetch: _Fetch, key: str, targets: Sequence[Path]) -> None:
        try:
            fetch.result = self._bring(fetch, key, targets)
        except Exception as error:  # noqa: BLE001 it is raised, or shown, by who waits
            fetch.error = error
        finally:
            fetch.done.set()

    def _bring(self, fetch: _Fetch, key: str, targets: Sequence[Path]) -> bool:
        path = _path(STEPS, key)
        text = self._server.read(path, Record.limit_bytes(len(targets)))
        if text is None:
            return False
        record = Record.parse(f"{STEPS}/{key[:12]}…", text, len(targets))
        fetch.found = True
        if not (record.is_signed(key, self._trust) or all(is_inert(one) for one in targets)):
            return False
        if not all(self._bring_content(fetch, file) for file in record.files):
            fetch.found = False  # its files were removed to save room
            return False
        self._local.keep_record(key, record)
        return True

    def _bring_content(self, fetch: _Fetch, kept: KeptFile) -> bool:
        if self._local.has_content(kept):
            return True
        try:
            self._download(fetch, kept)
        except _Removed:
            return False
        return True

    def _download(self, fetch: _Fetch, kept: KeptFile) -> None:
        path, digest = _path(CONTENT, kept.sha256), hashlib.sha256()
        with self._local.adding_content(kept.sha256) as beside, beside.open("wb") as target:

            def take(chunk: bytes) -> None:
                if fetch.given_up:
                    raise ServerFailure("no answer in time")
                digest.update(chunk)
                target.write(chunk)

            if not self._server.read_into(path, kept.size_bytes, take):
                raise _Removed
            if digest.hexdigest() != kept.sha256:
                raise DamagedEntry(
                    f"{CONTENT}/{kept.sha256[:12]}… has other bytes than its name says"
                )

    def _count_damaged(self) -> None:
        self._damaged += 1
        if self._damaged >= _MAX_DAMAGED:
            self._stop_reading(f"{self._damaged} of its entries were damaged")

    def _stop_reading(self, reason: str) -> None:
        with self._lock:
            first, self._reads = self._reads, False
        if first:
            self._note(
                f"note: build cache {self._server.url}: {reason}; this build goes on without it"
            )

    def _hint(self) -> None:
        """Say once that what the server has is not taken, and why."""
        with self._lock:
            first, self._hinted = not self._hinted, True
        if first:
            why = "is signed with another key" if self._trust.has_key else "needs a signature"
            text = f"code in it {why}, see {KEY_VARIABLE}; it is made here"
            self._note(f"note: build cache {self._server.url}: {text}")

    def keep(self, key: str, targets: Sequence[Path]) -> None:
        """Write a step that is in the folder to the server, in the background.

        Args:
            key: of the step.
            targets: its outputs, which were kept in the folder.

        Raises:
            OSError: they cannot be read.
        """
        if not self._writes or not self._trust.may_be_taken(targets):
            return
        files = [KeptFile.of(target) for target in targets]
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_all, daemon=True)
            self._writer.start()
        self._waiting.put((key, Record.signed(files, key, self._trust)))

    def _write_all(self) -> None:
        while (entry := self._waiting.get()) is not None:
            try:
                self._write(*entry)
            except (ServerFailure, OSError) as error:
                self._writes, self._failed_write = False, str(error)
                return

    def _write(self, key: str, record: Record) -> None:
        for file in record.files:
            path, place = _path(CONTENT, file.sha256), self._local.content(file.sha256)
            if not self._local.has_content(file):
                return  # removed to save room
            if not self._server.has(path, file.size_bytes):
                self._server.write(path, place)
        # Last: who finds the record finds all its files.
        self._server.write(_path(STEPS, key), record.text)

    def finish(self) -> None:
        """Wait until all is written, as long as this build may still wait for the server."""
        if self._writer is None:
            return
        self._waiting.put(None)
        self._writer.join(max(0.0, self._left_s))
        if self._writer.is_alive():
            left = self._waiting.qsize()
            self._failed_write = f"{left} steps were not written in {self._server.wait_s:g} s"
            self._failed_write += f" ({WAIT_VARIABLE})"
        if self._failed_write:
            self._note(
                f"note: build cache {self._server.url}: {self._failed_write}; not all of this build"
                f" was added to it (the token is {TOKEN_VARIABLE})"
            )


def server_line(server: CacheServer, trust: Trust) -> str:
    """Return what ``scons cache`` says of the server behind the folder."""
    taken = f"what is signed with {KEY_VARIABLE}" if trust.has_key else "data, and no code"
    written = "added to" if server.may_write else f"not added to: {TOKEN_VARIABLE} is not set"
    return f"{server.url}\n  behind the folder; taken from it: {taken}; {written}\n"


class _Removed(ServerFailure):
    """A file that a record names is not on the server."""


def _path(kind: str, name: str) -> str:
    return f"{kind}/{name[:2]}/{name}"
