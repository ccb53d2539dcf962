# SPDX-License-Identifier: Apache-2.0
"""See what this process asks of the file system, so that it is known what its answer depends on.

Python reports each file that is opened, each folder that is listed and each program that is
started to audit hooks; the functions that ask for a file's state are wrapped, so that files
looked for in vain are seen too. What other processes read is not seen.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ethosmith.core.identity import Stamp
from ethosmith.environment.null_build import listing_of, stamp_of

_WRAPPED = ("stat", "lstat", "access", "readlink")
# States of the machine rather than files.
_NO_FILES = ("/proc/", "/dev/", "/sys/")
_COMPILED = "/__pycache__/"


class Seen(NamedTuple):
    """What was at a path when it was first asked for.

    Attributes:
        stamp: of a file (`stamp_of`); empty for anything else.
        is_folder: a folder was there.
        is_young: the file may have changed since without another stamp.
    """

    stamp: str = ""
    is_folder: bool = False
    is_young: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether nothing was there."""
        return not self.stamp and not self.is_folder


class Observer:
    """What was asked for, from `begin` on, in all threads.

    Args:
        now_ns: the file system's time (`Identity.now_ns`).
        ignored: what the names of files begin with that nobody wants to know of.
    """

    def __init__(self, now_ns: int, ignored: Iterable[str]) -> None:
        self.paths: dict[str, Seen] = {}
        self.links: dict[str, str] = {}
        self.listings: dict[str, str] = {}
        self.commands: list[tuple[str, ...]] = []
        self.failure = ""
        self._now_ns = now_ns
        self._ignored = (*_NO_FILES, *ignored)
        self._inside = threading.local()
        self._ask = {name: getattr(os, name) for name in _WRAPPED}
        self._ended = False

    def begin(self) -> None:
        """Begin to look."""
        for name in _WRAPPED:
            setattr(os, name, self._wrapped(self._ask[name]))
        sys.addaudithook(self._audit)

    def end(self) -> None:
        """Look no more."""
        self._ended = True

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not look at what this thread does in the block."""
        self._inside.noting = True
        try:
            yield
        finally:
            self._inside.noting = False

    def ignore(self, prefix: str) -> None:
        """Leave out all whose name begins so."""
        self._ignored += (prefix,)

    def look(self, path: Any) -> None:
        """Note the state of ``path`` as if somebody had asked for it."""
        name = self._name(path)
        if name is not None and name not in self.paths:
            self.paths[name] = self.state(name)

    def state(self, name: str) -> Seen:
        """Return what is there now.

        Raises:
            OSError: it cannot be told.
        """
        try:
            state = self._ask["lstat"](name)
            if stat.S_ISLNK(state.st_mode):
                self.links.setdefault(name, self._ask["readlink"](name))
                state = self._ask["stat"](name)
        except (FileNotFoundError, NotADirectoryError):
            return Seen()
        if stat.S_ISDIR(state.st_mode):
            return Seen(is_folder=True)
        return Seen(stamp_of(state), is_young=not Stamp.of(state).is_settled(self._now_ns))

    def stamp(self, name: str, now_ns: int) -> tuple[str, bool]:
        """Return the stamp of a file or folder, and whether it will show any later change.

        Raises:
            OSError: nothing is there.
        """
        state = self._ask["stat"](name)
        return stamp_of(state), Stamp.of(state).is_settled(now_ns)

    def list(self, path: Any) -> None:
        """Note the names in a folder."""
        name = self._name(os.curdir if path is None else path)
        if name is None or name in self.listings:
            return
        try:
            self.listings[name] = listing_of(name)
        except (FileNotFoundError, NotADirectoryError):
            self.paths.setdefault(name, Seen())

    def _name(self, path: Any) -> str | None:
        if isinstance(path, int):
            return None
        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 links stay
        return None if name.startswith(self._ignored) or _COMPILED in name else name

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        seen: set[str] = set()

        def asked(path: Any, *args: Any, **kwargs: Any) -> Any:
            # A build asks for the same few names again and again.
            name = path if path.__class__ is str else str(path) if isinstance(path, Path) else ""
            if name not in seen:
                self._note(self.look, path)
                if name.startswith(os.sep) and not self._is_blind:
                    seen.add(name)
            return function(path, *args, **kwargs)

        return asked

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            # Not what is written: it is nothing that the answer depends on.
            if args[2] & os.O_ACCMODE == os.O_RDONLY:
                self._note(self.look, args[0])
        elif event in ("os.listdir", "os.scandir"):
            self._note(self.list, args[0])
        elif event == "subprocess.Popen":
            self._note(self._command, args)

    def _command(self, args: tuple[Any, ...]) -> None:
        executable, words, folder, _ = args
        words = [words] if isinstance(words, str | bytes | os.PathLike) else words
        texts = [os.fsdecode(word) for word in (folder or os.curdir, *words)]
        self.commands.append((os.fsdecode(executable), *texts))

    def _note(self, note: Callable[[Any], None], what: Any) -> None:
        """Call ``note``, whose own questions do not count; it must never fail."""
        if self._is_blind:
            return
        self._inside.noting = True
        try:
            note(what)
        except Exception as error:  # noqa: BLE001 an audit hook must not fail
            self.failure = self.failure or f"{what}: {error}"
        finally:
            self._inside.noting = False

    @property
    def _is_blind(self) -> bool:
        """Whether what this thread asks for now does not count."""
        return self._ended or getattr(self._inside, "noting", False)
